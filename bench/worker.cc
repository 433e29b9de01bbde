#include "worker.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace holdfast::bench {
namespace {

using std::chrono::milliseconds;

// The server is away or told us to come back: both happen when it is killed on purpose.
bool server_lost(const grpc::Status& status) {
  return status.error_code() == grpc::UNAVAILABLE || status.error_code() == grpc::CANCELLED ||
         status.error_code() == grpc::DEADLINE_EXCEEDED;
}

int number_after(std::string_view type, std::string_view prefix) {
  if (!type.starts_with(prefix)) return 0;
  return std::atoi(std::string(type.substr(prefix.size())).c_str());
}

}  // namespace

Worker::Worker(Wire& wire, WorkerOptions options)
    : wire_(wire), options_(std::move(options)), sticky_queue_(options_.queue + "-sticky") {}

void Worker::start() {
  for (int i = 0; i < options_.workflow_pollers; ++i) {
    poll_workflow(false);
    poll_workflow(true);
  }
  for (int i = 0; i < options_.activity_pollers; ++i) poll_activity();
}

void Worker::note_error(const char* call, const grpc::Status& status) {
  if (error_.empty()) error_ = std::string(call) + ": " + status.error_message();
}

void Worker::poll_workflow(bool sticky) {
  if (wire_.closed()) return;
  ws::PollWorkflowTaskQueueRequest request;
  request.set_namespace_(options_.ns);
  request.set_identity("holdfast_bench");
  request.mutable_task_queue()->set_name(sticky ? sticky_queue_ : options_.queue);
  if (sticky) {
    request.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_STICKY);
    request.mutable_task_queue()->set_normal_name(options_.queue);
  } else {
    request.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  }
  wire_.call<ws::PollWorkflowTaskQueueRequest, ws::PollWorkflowTaskQueueResponse>(
      "PollWorkflowTaskQueue", request, [this, sticky](const grpc::Status& status, auto& task) {
        if (wire_.closed()) return;
        if (!status.ok()) {
          if (!server_lost(status)) note_error("PollWorkflowTaskQueue", status);
          wire_.after(milliseconds(5), [this, sticky] { poll_workflow(sticky); });
          return;
        }
        if (!task.task_token().empty()) workflow_task(task);
        poll_workflow(sticky);
      });
}

void Worker::read(Run& run, const pb::history::v1::History& history) const {
  for (const auto& event : history.events()) {
    switch (event.event_type()) {
      case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: ++run.scheduled; break;
      case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED: ++run.done; break;
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: ++run.signals; break;
      case enums::EVENT_TYPE_TIMER_STARTED: ++run.timers; break;
      default: break;
    }
  }
}

void Worker::workflow_task(ws::PollWorkflowTaskQueueResponse& task) {
  const std::string& run_id = task.workflow_execution().run_id();
  const std::string& type = task.workflow_type().name();
  const bool whole = task.history().events_size() > 0 && task.history().events(0).event_id() == 1;
  if (whole) runs_.erase(run_id);
  if (whole || runs_.contains(run_id)) {
    // A sticky task brings only what is new: the events of our own commands among it.
    Run& run = runs_[run_id];
    read(run, task.history());
    decide(run_id, type, task.task_token());
    return;
  }
  ws::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_(options_.ns);
  *request.mutable_execution() = task.workflow_execution();
  wire_.call<ws::GetWorkflowExecutionHistoryRequest, ws::GetWorkflowExecutionHistoryResponse>(
      "GetWorkflowExecutionHistory", request,
      [this, run_id, type, token = task.task_token()](const grpc::Status& status, auto& answer) {
        if (!status.ok()) return;
        read(runs_[run_id] = Run(), answer.history());
        decide(run_id, type, token);
      });
}

void Worker::schedule_activity(ws::RespondWorkflowTaskCompletedRequest& request, int number,
                               bool held) const {
  static const auto prebuilt = [this] {
    pb::command::v1::Command command;
    command.set_command_type(enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
    auto& attributes = *command.mutable_schedule_activity_task_command_attributes();
    attributes.mutable_task_queue()->set_name(options_.queue);
    attributes.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
    attributes.mutable_start_to_close_timeout()->set_seconds(600);
    return command;
  }();
  auto& command = *request.add_commands() = prebuilt;
  auto& attributes = *command.mutable_schedule_activity_task_command_attributes();
  attributes.set_activity_id(std::to_string(number));
  attributes.mutable_activity_type()->set_name(held ? "held" : "noop");
}

void Worker::start_timer(ws::RespondWorkflowTaskCompletedRequest& request, std::chrono::milliseconds time) {
  auto& command = *request.add_commands();
  command.set_command_type(enums::COMMAND_TYPE_START_TIMER);
  auto& attributes = *command.mutable_start_timer_command_attributes();
  attributes.set_timer_id("1");
  const auto ms = std::max<std::int64_t>(time.count(), 1);
  attributes.mutable_start_to_fire_timeout()->set_seconds(ms / 1000);
  attributes.mutable_start_to_fire_timeout()->set_nanos(static_cast<std::int32_t>(ms % 1000 * 1'000'000));
}

void Worker::decide(const std::string& run_id, const std::string& type, const std::string& token) {
  const Run& run = runs_[run_id];
  ws::RespondWorkflowTaskCompletedRequest request;
  request.set_namespace_(options_.ns);
  request.set_identity("holdfast_bench");
  request.set_task_token(token);
  request.set_return_new_workflow_task(true);
  auto& sticky = *request.mutable_sticky_attributes();
  sticky.mutable_worker_task_queue()->set_name(sticky_queue_);
  sticky.mutable_worker_task_queue()->set_kind(enums::TASK_QUEUE_KIND_STICKY);
  sticky.mutable_worker_task_queue()->set_normal_name(options_.queue);
  sticky.mutable_schedule_to_start_timeout()->set_seconds(10);

  bool finished = false;
  if (const int steps = number_after(type, "steps-")) {
    finished = run.done == steps;
    if (!finished && run.scheduled == run.done) schedule_activity(request, run.scheduled + 1, false);
  } else if (const int width = number_after(type, "fan-")) {
    finished = run.done == width;
    for (int n = run.scheduled; n < width; ++n) schedule_activity(request, n + 1, false);
  } else if (type == "held") {
    finished = run.done == 1;
    if (run.scheduled == 0) schedule_activity(request, 1, true);
  } else if (type == "signal") {
    finished = run.signals > 0;
  } else if (type == "timer") {
    if (run.timers == 0) start_timer(request, std::chrono::hours(1));
  } else if (const int due_s = number_after(type, "until-")) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    if (run.timers == 0)
      start_timer(request,
                  std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::seconds(due_s) - now));
    request.clear_sticky_attributes();  // it will not be there then
  } else {
    finished = true;
  }
  if (finished) {
    auto& command = *request.add_commands();
    command.set_command_type(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION);
    command.mutable_complete_workflow_execution_command_attributes();
    request.clear_sticky_attributes();
    runs_.erase(run_id);
  }
  complete(std::move(request), run_id);
}

void Worker::complete(ws::RespondWorkflowTaskCompletedRequest request, std::string run_id) {
  wire_.call<ws::RespondWorkflowTaskCompletedRequest, ws::RespondWorkflowTaskCompletedResponse>(
      "RespondWorkflowTaskCompleted", request,
      [this, request, run_id](const grpc::Status& status, auto& answer) mutable {
        if (wire_.closed()) return;
        if (status.ok()) {
          ++completed_;
          if (!answer.workflow_task().task_token().empty()) workflow_task(*answer.mutable_workflow_task());
          return;
        }
        if (server_lost(status)) {
          wire_.after(milliseconds(5),
                      [this, request = std::move(request), run_id = std::move(run_id)]() mutable {
                        complete(std::move(request), std::move(run_id));
                      });
          return;
        }
        // The task is not ours any more: whoever gets the next one starts from the history.
        runs_.erase(run_id);
        if (status.error_code() != grpc::NOT_FOUND) note_error("RespondWorkflowTaskCompleted", status);
      });
}

void Worker::poll_activity() {
  if (wire_.closed()) return;
  ws::PollActivityTaskQueueRequest request;
  request.set_namespace_(options_.ns);
  request.set_identity("holdfast_bench");
  request.mutable_task_queue()->set_name(options_.queue);
  request.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  wire_.call<ws::PollActivityTaskQueueRequest, ws::PollActivityTaskQueueResponse>(
      "PollActivityTaskQueue", request, [this](const grpc::Status& status, auto& task) {
        if (wire_.closed()) return;
        if (!status.ok()) {
          if (!server_lost(status)) note_error("PollActivityTaskQueue", status);
          wire_.after(milliseconds(5), [this] { poll_activity(); });
          return;
        }
        if (!task.task_token().empty()) {
          if (task.activity_type().name() == "held") {
            held_.push_back(task.task_token());
          } else {
            ws::RespondActivityTaskCompletedRequest done;
            done.set_namespace_(options_.ns);
            done.set_identity("holdfast_bench");
            done.set_task_token(task.task_token());
            complete_activity(std::move(done));
          }
        }
        poll_activity();
      });
}

void Worker::complete_activity(ws::RespondActivityTaskCompletedRequest request) {
  wire_.call<ws::RespondActivityTaskCompletedRequest, ws::RespondActivityTaskCompletedResponse>(
      "RespondActivityTaskCompleted", request, [this, request](const grpc::Status& status, auto&) mutable {
        if (wire_.closed()) return;
        if (status.ok()) {
          ++activities_;
        } else if (server_lost(status)) {
          wire_.after(milliseconds(5), [this, request = std::move(request)]() mutable {
            complete_activity(std::move(request));
          });
        } else if (status.error_code() != grpc::NOT_FOUND) {
          note_error("RespondActivityTaskCompleted", status);
        }
      });
}

void Worker::release_held() {
  for (std::string& token : std::exchange(held_, {})) {
    ws::RespondActivityTaskCompletedRequest done;
    done.set_namespace_(options_.ns);
    done.set_identity("holdfast_bench");
    done.set_task_token(std::move(token));
    complete_activity(std::move(done));
  }
}

}  // namespace holdfast::bench
