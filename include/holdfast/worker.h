#pragma once

// Worker: takes workflow and activity tasks from one task queue and runs the registered code. Replayer: runs
// recorded histories through the registered workflows and says where code and history part.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "holdfast/activity.h"
#include "holdfast/connection.h"
#include "holdfast/environment.h"
#include "holdfast/options.h"
#include "holdfast/public.h"
#include "holdfast/task.h"
#include "holdfast/workflow.h"

namespace holdfast HOLDFAST_PUBLIC {

using LogSink = std::function<void(workflow::LogLevel, std::string_view message)>;

namespace detail {

template <typename F>
struct WorkflowSignature : WorkflowSignature<decltype(&F::operator())> {};
template <typename R, typename... A>
struct WorkflowSignature<Task<R> (*)(workflow::Context&, A...)> {
  using Result = R;
  using Arguments = std::tuple<std::remove_cvref_t<A>...>;
  static constexpr bool kDynamic = std::is_same_v<Arguments, std::tuple<std::vector<Payload>>>;
  static_assert((!std::is_reference_v<A> && ...), "parameters of a coroutine are taken by value");
};
template <typename C, typename R, typename... A>
struct WorkflowSignature<Task<R> (C::*)(workflow::Context&, A...) const>
    : WorkflowSignature<Task<R> (*)(workflow::Context&, A...)> {};

template <typename F>
struct ActivitySignature : ActivitySignature<decltype(&F::operator())> {};
template <typename R, typename... A>
struct ActivitySignature<R (*)(activity::Context&, A...)> {
  using Result = R;
  using Arguments = std::tuple<std::remove_cvref_t<A>...>;
  static constexpr bool kDynamic = std::is_same_v<Arguments, std::tuple<std::vector<Payload>>>;
};
template <typename C, typename R, typename... A>
struct ActivitySignature<R (C::*)(activity::Context&, A...) const>
    : ActivitySignature<R (*)(activity::Context&, A...)> {};
template <typename C, typename R, typename... A>
struct ActivitySignature<R (C::*)(activity::Context&, A...)>
    : ActivitySignature<R (*)(activity::Context&, A...)> {};

[[noreturn]] void throw_invalid_arguments(const char* what);

template <typename R>
Task<Payload> encode_result(Task<R> task) {
  if constexpr (std::is_void_v<R>) {
    co_await std::move(task);
    co_return null_payload();
  } else {
    auto result = co_await std::move(task);
    co_return to_payload(result);
  }
}

// Arguments that do not fit fail the execution, for good: new code would not mend them.
template <typename Arguments>
Arguments decode_or_fail(const std::vector<Payload>& payloads) {
  try {
    return workflow::detail::decode(payloads, std::type_identity<Arguments>{});
  } catch (const PayloadError& error) {
    throw_invalid_arguments(error.what());
  }
}

template <typename F>
Task<Payload> run_workflow(std::shared_ptr<F> function, workflow::Context& context,
                           std::vector<Payload> payloads) {
  using Signature = WorkflowSignature<F>;
  auto arguments = decode_or_fail<typename Signature::Arguments>(payloads);
  auto call = [&](auto&&... each) { return (*function)(context, std::move(each)...); };
  auto main = std::apply(call, std::move(arguments));
  main.set_main();
  auto task = encode_result(std::move(main));
  co_return co_await std::move(task);
}

}  // namespace detail

// The code a worker or replayer knows. Fill it before starting; a name registered twice is the later one's.
class Registry {
 public:
  Registry() = default;
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // `function`: Task<R>(workflow::Context&, Args...), or the dynamic form Task<Payload>(Context&,
  // vector<Payload>).
  template <typename F>
  void register_workflow(const std::string& name, F function) {
    if constexpr (detail::WorkflowSignature<F>::kDynamic) {
      add_workflow(name, std::move(function));
    } else {
      auto shared = std::make_shared<F>(std::move(function));
      add_workflow(name, [shared](workflow::Context& context, std::vector<Payload> payloads) {
        return detail::run_workflow(shared, context, std::move(payloads));
      });
    }
  }
  // For workflow types without a function of their own; info().workflow_type has the name.
  void register_dynamic_workflow(workflow::WorkflowFunction function) {
    dynamic_workflow_ = std::move(function);
  }

  // `function`: R(activity::Context&, Args...), or the dynamic form Payload(Context&, vector<Payload>).
  template <typename F>
  void register_activity(const std::string& name, F function) {
    using Signature = detail::ActivitySignature<F>;
    if constexpr (Signature::kDynamic) {
      add_activity(name, std::move(function));
    } else {
      add_activity(name,
                   [function = std::move(function)](activity::Context& context,
                                                    std::vector<Payload> payloads) mutable -> Payload {
                     auto arguments = detail::decode_or_fail<typename Signature::Arguments>(payloads);
                     auto call = [&](auto&&... each) { return function(context, std::move(each)...); };
                     if constexpr (std::is_void_v<typename Signature::Result>) {
                       std::apply(call, std::move(arguments));
                       return null_payload();
                     } else {
                       return to_payload(std::apply(call, std::move(arguments)));
                     }
                   });
    }
  }
  void register_dynamic_activity(activity::ActivityFunction function) {
    dynamic_activity_ = std::move(function);
  }

  void add_workflow(const std::string& name, workflow::WorkflowFunction function) {
    workflows_[name] = std::move(function);
  }
  void add_activity(const std::string& name, activity::ActivityFunction function) {
    activities_[name] = std::move(function);
  }
  // Null when there is none.
  const workflow::WorkflowFunction* find_workflow(const std::string& name) const;
  const activity::ActivityFunction* find_activity(const std::string& name) const;
  std::vector<std::string> workflow_names() const;
  std::vector<std::string> activity_names() const;

 private:
  std::map<std::string, workflow::WorkflowFunction> workflows_;
  std::map<std::string, activity::ActivityFunction> activities_;
  workflow::WorkflowFunction dynamic_workflow_;
  activity::ActivityFunction dynamic_activity_;
};

class WorkerOptions {
 public:
  explicit WorkerOptions(std::string task_queue) : task_queue_(std::move(task_queue)) {}

  // Empty: the connection's.
  WorkerOptions& namespace_name(std::string value) { return namespace_ = std::move(value), *this; }
  // Shown in histories; empty: made up from a random uuid.
  WorkerOptions& identity(std::string value) { return identity_ = std::move(value), *this; }
  // The engine is in this process: workflow tasks may come before their cause is durable, and leave no trace
  // outside. Saves a disk sync per step.
  WorkerOptions& in_process(bool value) { return in_process_ = value, *this; }
  // Runs kept in memory between their workflow tasks; the least recently used one goes first. 0 turns sticky
  // queues off: every workflow task replays the whole history.
  WorkerOptions& max_cached_workflows(std::size_t value) { return max_cached_workflows_ = value, *this; }
  // Threads for activities, made when needed. No activity is polled for while all are busy.
  WorkerOptions& max_concurrent_activities(std::size_t value) {
    return max_concurrent_activities_ = value, *this;
  }
  WorkerOptions& workflow_pollers(std::size_t value) { return workflow_pollers_ = value, *this; }
  WorkerOptions& activity_pollers(std::size_t value) { return activity_pollers_ = value, *this; }
  // How long stop() waits for running activities before it cancels them.
  WorkerOptions& graceful_stop(Duration value) { return graceful_stop_ = value, *this; }
  // Heartbeats of an activity are sent at most this far apart, or 80 % of its heartbeat timeout where that is
  // shorter. It is also how long a cancellation may take to reach it.
  WorkerOptions& max_heartbeat_throttle_interval(Duration value) {
    return max_heartbeat_throttle_interval_ = value, *this;
  }
  // Workflow code that keeps the thread of workflows for so long (twice that at most) has its workflow task
  // failed, with an error that names it: PotentialDeadlock. It is ended where it uses its Context or awaits
  // something; code that does neither keeps the thread, and this worker runs no other workflow, until the
  // process ends. Zero: nobody looks.
  WorkerOptions& deadlock_timeout(Duration value) { return deadlock_timeout_ = value, *this; }
  WorkerOptions& sticky_timeout(Duration value) { return sticky_timeout_ = value, *this; }
  WorkerOptions& log(LogSink value) { return log_ = std::move(value), *this; }

  const std::string& task_queue() const { return task_queue_; }
  const std::string& namespace_name() const { return namespace_; }
  const std::string& identity() const { return identity_; }
  bool in_process() const { return in_process_; }
  std::size_t max_cached_workflows() const { return max_cached_workflows_; }
  std::size_t max_concurrent_activities() const { return max_concurrent_activities_; }
  std::size_t workflow_pollers() const { return workflow_pollers_; }
  std::size_t activity_pollers() const { return activity_pollers_; }
  Duration graceful_stop() const { return graceful_stop_; }
  Duration max_heartbeat_throttle_interval() const { return max_heartbeat_throttle_interval_; }
  Duration deadlock_timeout() const { return deadlock_timeout_; }
  Duration sticky_timeout() const { return sticky_timeout_; }
  const LogSink& log() const { return log_; }

 private:
  std::string task_queue_;
  std::string namespace_;
  std::string identity_;
  bool in_process_ = false;
  std::size_t max_cached_workflows_ = 1000;
  std::size_t max_concurrent_activities_ = 64;
  std::size_t workflow_pollers_ = 2;
  std::size_t activity_pollers_ = 2;
  Duration graceful_stop_ = std::chrono::seconds(0);
  Duration max_heartbeat_throttle_interval_ = std::chrono::seconds(60);
  Duration deadlock_timeout_ = std::chrono::seconds(2);
  Duration sticky_timeout_ = std::chrono::seconds(10);
  LogSink log_;
};

// Thread-safe after start().
class Worker : public Registry {
 public:
  Worker(Connection server, WorkerOptions options);
  // The connection and what the environment refers to outlive the worker.
  Worker(api::Connection& connection, const Environment& environment, WorkerOptions options);
  // Stops.
  ~Worker();

  // Begins to poll for what is registered. Fails when nothing is, when it was started before, and as the
  // connection does that could not be made. A server that does not answer is waited for.
  Status start();
  // Takes no more tasks, waits for those at hand, and returns when no thread of the worker runs any more. Not
  // from an activity or workflow.
  void stop();
  // With the namespace that was left to the connection.
  const WorkerOptions& options() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// What a replay found.
class ReplayReport {
 public:
  ReplayReport() = default;
  bool ok() const { return error.empty(); }
  std::string workflow_id;
  std::string run_id;
  std::string workflow_type;
  // Empty: code and history agree. Else what history expected and what the code did, with the event.
  std::string error;
  bool nondeterministic = false;
  std::size_t events = 0;
};

class Replayer : public Registry {
 public:
  Replayer() = default;
  // A history as `temporal workflow show --output json` and our export print it. A malformed one is a Status.
  Result<ReplayReport> replay_json(std::string_view json, const std::string& workflow_id = "replay") const;
  // temporal.api.history.v1.History, serialised.
  Result<ReplayReport> replay_binary(std::string_view bytes, const std::string& workflow_id = "replay") const;
};

}  // namespace holdfast HOLDFAST_PUBLIC
