#include "runs/engine_gateway.h"

#include <future>
#include <nlohmann/json.hpp>

#include "api/messages.h"
#include "base/json.h"

namespace holdfast::runs {

namespace {

using pb::common::v1::Payload;
using pb::common::v1::Payloads;
using pb::history::v1::HistoryEvent;

constexpr const char* kIdentity = "holdfast-api";

struct StatusName {
  RunStatus status;
  std::string_view name;
};
constexpr StatusName kStatusNames[] = {
    {RunStatus::kQueued, "queued"},       {RunStatus::kRunning, "running"},
    {RunStatus::kCompleted, "completed"}, {RunStatus::kFailed, "failed"},
    {RunStatus::kCanceled, "canceled"},   {RunStatus::kTerminated, "terminated"},
    {RunStatus::kTimedOut, "timed_out"},
};

WallTime to_wall(const google::protobuf::Timestamp& time) {
  return WallTime(std::chrono::seconds(time.seconds()) + std::chrono::nanoseconds(time.nanos()));
}

Payload json_payload(std::string json) {
  Payload payload;
  (*payload.mutable_metadata())["encoding"] = "json/plain";
  payload.set_data(std::move(json));
  return payload;
}

// What a payload says as JSON text; bytes that are not JSON become a string.
std::string payload_json(const Payloads& payloads) {
  if (payloads.payloads().empty()) return "null";
  const Payload& payload = payloads.payloads(0);
  auto encoding = payload.metadata().find("encoding");
  if (encoding != payload.metadata().end() && encoding->second == "binary/null") return "null";
  if (nlohmann::json::accept(payload.data())) return payload.data();
  return dump_json(nlohmann::json(payload.data()));
}

RunStatus to_status(enums::WorkflowExecutionStatus status) {
  switch (status) {
    case enums::WORKFLOW_EXECUTION_STATUS_COMPLETED: return RunStatus::kCompleted;
    case enums::WORKFLOW_EXECUTION_STATUS_FAILED: return RunStatus::kFailed;
    case enums::WORKFLOW_EXECUTION_STATUS_CANCELED: return RunStatus::kCanceled;
    case enums::WORKFLOW_EXECUTION_STATUS_TERMINATED: return RunStatus::kTerminated;
    case enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT: return RunStatus::kTimedOut;
    default: return RunStatus::kRunning;
  }
}

// The cause that a person can act on sits at the end of the chain: an activity's failure wraps the tool's.
void set_failure(const pb::failure::v1::Failure& failure, std::string& type, std::string& message) {
  const pb::failure::v1::Failure* innermost = &failure;
  while (innermost->has_cause()) innermost = &innermost->cause();
  message = innermost->message().empty() ? failure.message() : innermost->message();
  if (innermost->has_application_failure_info()) {
    type = innermost->application_failure_info().type();
  } else if (innermost->has_timeout_failure_info()) {
    type = "Timeout";
  } else if (innermost->has_canceled_failure_info()) {
    type = "Canceled";
  } else if (innermost->has_terminated_failure_info()) {
    type = "Terminated";
  }
}

// None: the run went on under the same workflow id (continue-as-new, retry), so it is not over.
std::optional<RunOutcome> outcome_of(const HistoryEvent& event) {
  RunOutcome outcome;
  outcome.closed_at = to_wall(event.event_time());
  switch (event.event_type()) {
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: {
      const auto& done = event.workflow_execution_completed_event_attributes();
      if (!done.new_execution_run_id().empty()) return std::nullopt;
      outcome.result = payload_json(done.result());
      return outcome;
    }
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: {
      const auto& failed = event.workflow_execution_failed_event_attributes();
      if (!failed.new_execution_run_id().empty()) return std::nullopt;
      outcome.status = RunStatus::kFailed;
      set_failure(failed.failure(), outcome.error_type, outcome.error_message);
      return outcome;
    }
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
      outcome.status = RunStatus::kCanceled;
      outcome.error_type = "Canceled";
      outcome.error_message = "the run was cancelled";
      return outcome;
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: {
      const std::string& reason = event.workflow_execution_terminated_event_attributes().reason();
      outcome.status = RunStatus::kTerminated;
      outcome.error_type = "Terminated";
      outcome.error_message = reason.empty() ? "the run was terminated" : "the run was terminated: " + reason;
      return outcome;
    }
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
      if (!event.workflow_execution_timed_out_event_attributes().new_execution_run_id().empty())
        return std::nullopt;
      outcome.status = RunStatus::kTimedOut;
      outcome.error_type = "Timeout";
      outcome.error_message = "the run exceeded its time limit";
      return outcome;
    default: return std::nullopt;
  }
}

template <typename Request>
std::unique_ptr<Request> request_for(const std::string& namespace_name) {
  auto request = std::make_unique<Request>();
  request->set_namespace_(namespace_name);
  return request;
}

}  // namespace

std::string_view run_status_name(RunStatus status) {
  for (const StatusName& entry : kStatusNames) {
    if (entry.status == status) return entry.name;
  }
  return "unknown";
}

std::optional<RunStatus> run_status_by_name(std::string_view name) {
  for (const StatusName& entry : kStatusNames) {
    if (entry.name == name) return entry.status;
  }
  return std::nullopt;
}

EngineGateway::EngineGateway(api::Connection& connection, const Clock& clock, Executor& executor,
                             std::string namespace_name)
    : connection_(connection), clock_(clock), executor_(executor), namespace_(std::move(namespace_name)) {}

Result<api::MessagePtr> EngineGateway::call(api::Method method, api::MessagePtr request) {
  auto promise = std::make_shared<std::promise<Result<api::MessagePtr>>>();
  auto answer = promise->get_future();
  api::CallOptions options;
  options.deadline = clock_.monotonic() + kCallTimeout;
  connection_.start(method, std::move(request), options,
                    [promise](Result<api::MessagePtr> result) { promise->set_value(std::move(result)); });
  return answer.get();
}

void EngineGateway::call_async(api::Method method, api::MessagePtr request, std::chrono::seconds timeout,
                               api::Completion done) {
  std::uint64_t id = 0;
  {
    std::lock_guard lock(mutex_);
    if (!closed_) calls_.emplace(id = ++next_call_, nullptr);
  }
  if (id == 0) return done(fail(Code::kCancelled, "the server is stopping"));
  api::CallOptions options;
  options.deadline = clock_.monotonic() + timeout;
  options.executor = &executor_;
  auto finish = [this, id, done = std::move(done)](Result<api::MessagePtr> answer) mutable {
    done(std::move(answer));
    std::lock_guard lock(mutex_);
    calls_.erase(id);
    idle_.notify_all();
  };
  auto handle = connection_.start(method, std::move(request), options, std::move(finish));
  std::unique_lock lock(mutex_);
  auto place = calls_.find(id);
  if (place == calls_.end()) return;
  if (!closed_) {
    place->second = std::move(handle);
  } else if (handle) {
    lock.unlock();
    handle->cancel();
  }
}

void EngineGateway::close() {
  std::vector<std::shared_ptr<api::CallHandle>> open;
  std::unique_lock lock(mutex_);
  closed_ = true;
  for (auto& [id, handle] : calls_) {
    if (handle) open.push_back(handle);
  }
  lock.unlock();
  for (const auto& handle : open) handle->cancel();
  lock.lock();
  idle_.wait(lock, [this] { return calls_.empty(); });
}

Result<std::string> EngineGateway::start(const StartWorkflow& start) {
  auto request = request_for<ws::StartWorkflowExecutionRequest>(namespace_);
  request->set_workflow_id(start.workflow_id);
  request->set_request_id(start.request_id);
  request->mutable_workflow_type()->set_name(start.workflow_type);
  request->mutable_task_queue()->set_name(start.task_queue);
  *request->mutable_input()->add_payloads() = json_payload(start.argument);
  request->set_identity(kIdentity);
  // A run id names one run for ever: a finished one is not started again by a late repeat.
  request->set_workflow_id_reuse_policy(enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE);
  auto answer = call(api::Method::kStartWorkflowExecution, std::move(request));
  if (!answer) return std::unexpected(answer.error());
  return static_cast<const ws::StartWorkflowExecutionResponse&>(**answer).run_id();
}

Result<RunState> EngineGateway::describe(const std::string& run) {
  auto request = request_for<ws::DescribeWorkflowExecutionRequest>(namespace_);
  request->mutable_execution()->set_workflow_id(run);
  auto answer = call(api::Method::kDescribeWorkflowExecution, std::move(request));
  if (!answer) return std::unexpected(answer.error());
  const auto& description = static_cast<const ws::DescribeWorkflowExecutionResponse&>(**answer);
  const auto& info = description.workflow_execution_info();
  RunState state;
  state.status = to_status(info.status());
  state.engine_run_id = info.execution().run_id();
  state.started_at = to_wall(info.start_time());
  if (info.has_close_time() && is_closed(state.status)) state.closed_at = to_wall(info.close_time());
  state.history_length = info.history_length();
  for (const auto& activity : description.pending_activities()) {
    RunState::PendingActivity pending;
    pending.type = activity.activity_type().name();
    pending.attempt = std::max(1, activity.attempt());
    pending.last_failure = activity.last_failure().message();
    if (activity.state() == enums::PENDING_ACTIVITY_STATE_SCHEDULED && activity.attempt() > 1) {
      pending.next_attempt_at = to_wall(activity.scheduled_time());
    }
    state.pending_activities.push_back(std::move(pending));
  }
  return state;
}

namespace {

std::unique_ptr<ws::GetWorkflowExecutionHistoryRequest> close_event_request(const std::string& namespace_name,
                                                                            const std::string& run,
                                                                            bool wait) {
  auto request = request_for<ws::GetWorkflowExecutionHistoryRequest>(namespace_name);
  request->mutable_execution()->set_workflow_id(run);
  request->set_history_event_filter_type(enums::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT);
  request->set_wait_new_event(wait);
  return request;
}

std::optional<RunOutcome> outcome_in(const api::Message& message) {
  const auto& answer = static_cast<const ws::GetWorkflowExecutionHistoryResponse&>(message);
  if (answer.history().events().empty()) return std::nullopt;
  return outcome_of(*answer.history().events().rbegin());
}

}  // namespace

Result<RunOutcome> EngineGateway::outcome(const std::string& run) {
  auto answer = call(api::Method::kGetWorkflowExecutionHistory, close_event_request(namespace_, run, false));
  if (!answer) return std::unexpected(answer.error());
  std::optional<RunOutcome> outcome = outcome_in(**answer);
  if (!outcome) return fail(Code::kFailedPrecondition, "the run is not over");
  return *std::move(outcome);
}

Status EngineGateway::cancel(const std::string& run, const std::string& reason) {
  auto request = request_for<ws::RequestCancelWorkflowExecutionRequest>(namespace_);
  request->mutable_workflow_execution()->set_workflow_id(run);
  request->set_identity(kIdentity);
  request->set_reason(reason);
  request->set_request_id("cancel-" + run);
  auto answer = call(api::Method::kRequestCancelWorkflowExecution, std::move(request));
  return answer ? Status() : answer.error();
}

Status EngineGateway::terminate(const std::string& run, const std::string& reason) {
  auto request = request_for<ws::TerminateWorkflowExecutionRequest>(namespace_);
  request->mutable_workflow_execution()->set_workflow_id(run);
  request->set_identity(kIdentity);
  request->set_reason(reason);
  auto answer = call(api::Method::kTerminateWorkflowExecution, std::move(request));
  return answer ? Status() : answer.error();
}

void EngineGateway::watch(const std::string& run, WatchDone done) {
  call_async(api::Method::kGetWorkflowExecutionHistory, close_event_request(namespace_, run, true),
             kWatchTimeout, [done = std::move(done)](Result<api::MessagePtr> answer) mutable {
               if (!answer) return done(std::unexpected(answer.error()));
               done(outcome_in(**answer));
             });
}

void EngineGateway::update(const std::string& run, const std::string& update_id, const std::string& name,
                           const std::string& argument_json, UpdateDone done) {
  auto request = request_for<ws::UpdateWorkflowExecutionRequest>(namespace_);
  request->mutable_workflow_execution()->set_workflow_id(run);
  request->mutable_wait_policy()->set_lifecycle_stage(
      enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED);
  auto& update = *request->mutable_request();
  update.mutable_meta()->set_update_id(update_id);
  update.mutable_meta()->set_identity(kIdentity);
  update.mutable_input()->set_name(name);
  *update.mutable_input()->mutable_args()->add_payloads() = json_payload(argument_json);
  call_async(api::Method::kUpdateWorkflowExecution, std::move(request), kUpdateTimeout,
             [done = std::move(done)](Result<api::MessagePtr> answer) mutable {
               if (!answer) return done(std::unexpected(answer.error()));
               const auto& response = static_cast<const ws::UpdateWorkflowExecutionResponse&>(**answer);
               if (!response.has_outcome()) {
                 return done(fail(Code::kDeadlineExceeded, "the workflow has not answered the update yet"));
               }
               UpdateOutcome outcome;
               outcome.accepted = response.outcome().has_success();
               if (outcome.accepted) {
                 outcome.result = payload_json(response.outcome().success());
               } else {
                 set_failure(response.outcome().failure(), outcome.error_type, outcome.error_message);
               }
               done(std::move(outcome));
             });
}

Result<std::string> EngineGateway::server_version() {
  auto answer = call(api::Method::kGetSystemInfo, std::make_unique<ws::GetSystemInfoRequest>());
  if (!answer) return std::unexpected(answer.error());
  return static_cast<const ws::GetSystemInfoResponse&>(**answer).server_version();
}

}  // namespace holdfast::runs
