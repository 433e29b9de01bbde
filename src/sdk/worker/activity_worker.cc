#include "worker/activity_worker.h"

#include <algorithm>

#include "client/call.h"
#include "client/convert.h"
#include "client/failure_converter.h"

namespace holdfast::worker {
namespace {

activity::Info info_of(const ws::PollActivityTaskQueueResponse& task, const std::string& task_queue) {
  using client::from_proto;
  const auto optional = [](const google::protobuf::Duration& value) {
    const Duration duration = from_proto(value);
    return duration > Duration::zero() ? std::optional(duration) : std::nullopt;
  };
  activity::Info info;
  info.namespace_name = task.workflow_namespace();
  info.workflow_id = task.workflow_execution().workflow_id();
  info.run_id = task.workflow_execution().run_id();
  info.workflow_type = task.workflow_type().name();
  info.activity_id = task.activity_id();
  info.activity_type = task.activity_type().name();
  info.task_queue = task_queue;
  info.task_token = task.task_token();
  info.attempt = task.attempt();
  info.heartbeat_details = from_proto(task.heartbeat_details());
  info.scheduled_time = from_proto(task.scheduled_time());
  info.started_time = from_proto(task.started_time());
  info.start_to_close = optional(task.start_to_close_timeout());
  info.schedule_to_close = optional(task.schedule_to_close_timeout());
  info.heartbeat_timeout = optional(task.heartbeat_timeout());
  return info;
}

Duration heartbeat_interval(const activity::Info& info, Duration longest) {
  const Duration wanted =
      info.heartbeat_timeout ? Duration(*info.heartbeat_timeout * 8 / 10) : ActivityRun::kDefaultInterval;
  return std::min(wanted, longest);
}

}  // namespace

ActivityWorker::ActivityWorker(const Registry& registry, const WorkerOptions& options, std::string identity,
                               std::string instance, Courier& courier,
                               std::function<std::unique_ptr<Executor>()> threads)
    : registry_(registry),
      options_(options),
      identity_(std::move(identity)),
      instance_(std::move(instance)),
      courier_(courier),
      threads_(std::move(threads)) {}

void ActivityWorker::start() {
  poll_if_free();
}

void ActivityWorker::poll_if_free() {
  while (true) {
    {
      std::lock_guard lock(mutex_);
      if (open_polls_ >= std::max<std::size_t>(options_.activity_pollers(), 1)) return;
      if (open_polls_ + running_ >= options_.max_concurrent_activities()) return;
      ++open_polls_;
    }
    auto request = std::make_unique<ws::PollActivityTaskQueueRequest>();
    request->set_namespace_(options_.namespace_name());
    request->set_identity(identity_);
    request->set_worker_instance_key(instance_);
    request->mutable_task_queue()->set_name(options_.task_queue());
    request->mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
    const bool polled =
        courier_.poll(api::Method::kPollActivityTaskQueue, std::move(request), options_.in_process(), nullptr,
                      [this](Result<api::MessagePtr> result) { on_poll(std::move(result)); });
    if (!polled) return;  // stopping
  }
}

void ActivityWorker::on_poll(Result<api::MessagePtr> result) {
  std::shared_ptr<Task> task;
  if (result) task.reset(static_cast<Task*>(result->release()));
  const bool has_task = task && !task->task_token().empty();
  std::chrono::milliseconds pause{0};
  {
    std::lock_guard lock(mutex_);
    --open_polls_;
    if (has_task) ++running_;
    if (result) poll_pause_ = std::chrono::milliseconds(100);
    if (!result && result.error().code() != Code::kDeadlineExceeded &&
        result.error().code() != Code::kCancelled) {
      poll_pause_ = std::min(poll_pause_ * 2, std::chrono::milliseconds(5000));
      pause = poll_pause_;
    }
  }
  if (has_task) return dispatch(std::move(task));
  if (pause.count() == 0) {
    // Not on this stack: a connection that answers at once would recurse.
    courier_.later(std::chrono::nanoseconds(0), [this] { poll_if_free(); });
    return;
  }
  if (courier_.stopping()) return;
  courier_.log_soon(workflow::LogLevel::kWarn,
                    "polling activity tasks of \"" + options_.task_queue() +
                        "\" failed and is repeated: " + result.error().to_string());
  courier_.later(pause, [this] { poll_if_free(); });
}

void ActivityWorker::dispatch(std::shared_ptr<Task> task) {
  Executor* thread = nullptr;
  {
    std::lock_guard lock(mutex_);
    if (!idle_threads_.empty()) {
      thread = idle_threads_.back();
      idle_threads_.pop_back();
    }
  }
  if (thread != nullptr) return run_on(thread, std::move(task));
  // Whoever makes threads may take long, and may be the user's.
  courier_.soon([this, task = std::move(task)]() mutable {
    std::unique_ptr<Executor> made = threads_();
    Executor* fresh = made.get();
    {
      std::lock_guard lock(mutex_);
      all_threads_.push_back(std::move(made));
    }
    run_on(fresh, std::move(task));
  });
}

void ActivityWorker::run_on(Executor* thread, std::shared_ptr<Task> task) {
  thread->post([this, thread, task = std::move(task)] {
    poll_if_free();  // for the poll that brought the task; the task may take long
    execute(*task);
    {
      std::lock_guard lock(mutex_);
      --running_;
      idle_threads_.push_back(thread);
      idle_.notify_all();
    }
    poll_if_free();
  });
}

void ActivityWorker::execute(const Task& task) {
  activity::Info info = info_of(task, options_.task_queue());
  const auto run =
      std::make_shared<ActivityRun>(courier_, options_.namespace_name(), identity_, task.task_token(),
                                    heartbeat_interval(info, options_.max_heartbeat_throttle_interval()));
  {
    std::lock_guard lock(mutex_);
    runs_.insert(run.get());
  }
  activity::Context context(std::move(info), *run);
  run_function(task, *run, context);
  run->finish();
  std::lock_guard lock(mutex_);
  runs_.erase(run.get());
}

void ActivityWorker::run_function(const Task& task, ActivityRun& run, activity::Context& context) {
  const std::string& name = context.info().activity_type;
  const auto* function = registry_.find_activity(name);
  try {
    if (function == nullptr) {
      std::string known;
      for (const auto& each : registry_.activity_names())
        known += (known.empty() ? "\"" : ", \"") + each + '"';
      throw ApplicationFailure("no activity of type \"" + name +
                                   "\" is registered with this worker; it has " +
                                   (known.empty() ? "none" : known),
                               "ActivityNotRegistered");
    }
    respond_completed(task, (*function)(context, client::from_proto(task.input())));
  } catch (const activity::CompleteLater&) {
    // Somebody else has the token.
  } catch (const CanceledFailure& failure) {
    if (run.cancelled_by_engine()) {
      respond_canceled(task, failure);
    } else if (run.is_cancelled()) {
      respond_failed(task, run, ApplicationFailure("the worker is stopping", "WorkerShutdown"));
    } else {
      respond_failed(
          task, run,
          ApplicationFailure("the activity threw CanceledFailure but nobody canceled it", "CanceledFailure"));
    }
  } catch (const Failure& failure) {
    respond_failed(task, run, failure);
  } catch (const std::exception& error) {
    respond_failed(task, run, ApplicationFailure(error.what(), client::exception_type(error)));
  } catch (...) {
    respond_failed(task, run,
                   ApplicationFailure("the activity threw something that is not a std::exception"));
  }
}

void ActivityWorker::respond_completed(const Task& task, Payload result) {
  auto request = std::make_unique<ws::RespondActivityTaskCompletedRequest>();
  request->set_task_token(task.task_token());
  request->set_namespace_(options_.namespace_name());
  request->set_identity(identity_);
  *request->mutable_result()->add_payloads() = client::to_proto(std::move(result));
  courier_.deliver(
      api::Method::kRespondActivityTaskCompleted, std::move(request), nullptr,
      [this, id = task.activity_id(), token = task.task_token()](Result<api::MessagePtr> answer) {
        if (answer) return;
        if (client::is_too_large(answer.error())) {
          return respond_too_large(token, "the result of activity " + id, answer.error());
        }
        courier_.log_soon(workflow::LogLevel::kWarn,
                          "activity " + id + ": its result was not taken: " + answer.error().to_string());
      });
}

void ActivityWorker::respond_too_large(const std::string& task_token, const std::string& what,
                                       const Status& error, const std::string& type, bool non_retryable) {
  const ApplicationFailure failure(
      what + " is too large to be sent: " + error.message() + "; store it elsewhere and return a reference",
      type, non_retryable);
  courier_.log_soon(workflow::LogLevel::kError, failure.message());
  auto request = std::make_unique<ws::RespondActivityTaskFailedRequest>();
  request->set_task_token(task_token);
  request->set_namespace_(options_.namespace_name());
  request->set_identity(identity_);
  client::set_failure(failure, request->mutable_failure());
  courier_.deliver(api::Method::kRespondActivityTaskFailed, std::move(request), nullptr,
                   [](Result<api::MessagePtr>) { /* refused: it was over */ });
}

void ActivityWorker::respond_failed(const Task& task, ActivityRun& run, const Failure& failure) {
  auto request = std::make_unique<ws::RespondActivityTaskFailedRequest>();
  request->set_task_token(task.task_token());
  request->set_namespace_(options_.namespace_name());
  request->set_identity(identity_);
  client::set_failure(failure, request->mutable_failure());
  if (auto unsent = run.finish())
    client::set_payloads(std::move(*unsent), request->mutable_last_heartbeat_details());
  // The retry policy decides about the stand-in as it would have about the failure.
  const auto* application = dynamic_cast<const ApplicationFailure*>(&failure);
  const std::string type = application != nullptr ? application->type() : kMessageTooLarge;
  const bool non_retryable = application != nullptr && application->is_non_retryable();
  courier_.deliver(api::Method::kRespondActivityTaskFailed, std::move(request), nullptr,
                   [this, id = task.activity_id(), token = task.task_token(), type,
                    non_retryable](Result<api::MessagePtr> answer) {
                     // Refused otherwise: the attempt was timed out meanwhile.
                     if (!answer && client::is_too_large(answer.error())) {
                       respond_too_large(token, "the failure of activity " + id, answer.error(), type,
                                         non_retryable);
                     }
                   });
}

void ActivityWorker::respond_canceled(const Task& task, const CanceledFailure& failure) {
  auto request = std::make_unique<ws::RespondActivityTaskCanceledRequest>();
  request->set_task_token(task.task_token());
  request->set_namespace_(options_.namespace_name());
  request->set_identity(identity_);
  if (!failure.details().empty()) client::set_payloads(failure.details(), request->mutable_details());
  courier_.deliver(
      api::Method::kRespondActivityTaskCanceled, std::move(request), nullptr,
      [this, id = task.activity_id(), token = task.task_token()](Result<api::MessagePtr> answer) {
        // Refused otherwise: it was over.
        if (!answer && client::is_too_large(answer.error())) {
          respond_too_large(token, "the cancellation of activity " + id, answer.error());
        }
      });
}

void ActivityWorker::stop(Duration grace) {
  std::unique_lock lock(mutex_);
  idle_.wait_for(lock, grace, [this] { return running_ == 0; });
  for (ActivityRun* run : runs_) run->cancel(false);
  // Polls may still hand over a task until they are answered; those are run, too.
  idle_.wait(lock, [this] {
    for (ActivityRun* run : runs_) run->cancel(false);
    return running_ == 0;
  });
}

}  // namespace holdfast::worker
