#include "holdfast/worker.h"

#include <atomic>

#include "api/messages.h"
#include "base/ids.h"
#include "client/call.h"
#include "worker/activity_worker.h"
#include "worker/courier.h"
#include "worker/timer_loop.h"
#include "worker/workflow_worker.h"

namespace holdfast {

class Worker::Impl {
 public:
  Impl(Connection server_in, WorkerOptions options_in)
      : server(std::move(server_in)), options(complete(std::move(options_in), server)) {
    identity = options.identity();
    if (identity.empty()) identity = "holdfast-worker-" + new_uuid(environment.random()).substr(0, 8);
    instance = new_uuid(environment.random());
  }

  static WorkerOptions complete(WorkerOptions options, const Connection& server) {
    if (options.namespace_name().empty()) options.namespace_name(server.namespace_name());
    return options;
  }

  // So that what waits for this worker goes to others at once.
  void say_goodbye() {
    ws::ShutdownWorkerRequest request;
    request.set_namespace_(options.namespace_name());
    request.set_identity(identity);
    request.set_reason("the worker stops");
    request.set_worker_instance_key(instance);
    request.set_task_queue(options.task_queue());
    if (workflows) request.set_sticky_task_queue(workflows->sticky_queue());
    // Without an answer the engine notices by itself, later.
    (void)client::call_raw(connection, environment.clock(), api::Method::kShutdownWorker, request,
                           environment.clock().monotonic() + kGoodbyeTimeout);
  }
  static constexpr std::chrono::seconds kGoodbyeTimeout{1};

  const Connection server;  // first: what is below uses it until its own end
  api::Connection& connection = server.engine();
  const Environment& environment = server.environment();
  const WorkerOptions options;
  std::string identity;
  std::string instance;  // tells this worker's polls from others'
  bool started = false;
  bool stopped = false;
  // Destroyed upwards: the executors of those below use those above.
  std::unique_ptr<worker::TimerLoop> timers;
  std::unique_ptr<worker::Courier> courier;
  std::unique_ptr<worker::WorkflowWorker> workflows;
  std::unique_ptr<worker::ActivityWorker> activities;
};

Worker::Worker(Connection server, WorkerOptions options)
    : impl_(std::make_unique<Impl>(std::move(server), std::move(options))) {}

Worker::Worker(api::Connection& connection, const Environment& environment, WorkerOptions options)
    : Worker(Connection(connection, environment), std::move(options)) {}

Worker::~Worker() {
  stop();
}

const WorkerOptions& Worker::options() const {
  return impl_->options;
}

Status Worker::start() {
  Impl& impl = *impl_;
  if (impl.started) return Status(Code::kFailedPrecondition, "the worker was started before");
  if (!impl.server.status().ok()) return impl.server.status();
  if (impl.options.task_queue().empty()) return Status(Code::kInvalidArgument, "a worker needs a task queue");
  const bool workflows = !workflow_names().empty();
  const bool activities = !activity_names().empty() && impl.options.max_concurrent_activities() > 0;
  if (!workflows && !activities) {
    return Status(Code::kFailedPrecondition, "register a workflow or an activity before starting the worker");
  }
  impl.started = true;
  impl.timers = std::make_unique<worker::TimerLoop>(impl.environment.clock(),
                                                    impl.environment.new_executor("hf-timers"));
  impl.courier = std::make_unique<worker::Courier>(impl.connection, impl.environment.clock(), *impl.timers,
                                                   impl.options.log(), impl.options.in_process());
  if (workflows) {
    const std::string sticky = impl.identity + ":" + impl.instance;
    impl.workflows = std::make_unique<worker::WorkflowWorker>(*this, impl.options, impl.identity,
                                                              impl.instance, sticky, *impl.courier,
                                                              impl.environment.new_executor("hf-workflows"));
    impl.workflows->start();
  }
  if (activities) {
    impl.activities = std::make_unique<worker::ActivityWorker>(
        *this, impl.options, impl.identity, impl.instance, *impl.courier,
        [environment = impl.environment] { return environment.new_executor("hf-activity"); });
    impl.activities->start();
  }
  return Status();
}

void Worker::stop() {
  Impl& impl = *impl_;
  if (!impl.started || impl.stopped) return;
  impl.stopped = true;
  impl.courier->stop_polling();
  impl.say_goodbye();
  impl.courier->cancel_polls();
  if (impl.activities) impl.activities->stop(impl.options.graceful_stop());
  impl.courier->drain();
  // A poll that was answered before its cancellation may have brought one more activity.
  if (impl.activities) impl.activities->stop(Duration::zero());
  impl.courier->drain();
  // Nothing is under way: the threads end as their owners do.
  impl.activities.reset();
  impl.workflows.reset();
  // The timers' thread may just be asking the courier whether we stop.
  impl.timers.reset();
  impl.courier.reset();
}

}  // namespace holdfast
