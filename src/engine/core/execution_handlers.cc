#include "engine/execution_handlers.h"

#include "engine/core_clock.h"
#include "engine/errors.h"
#include "engine/links.h"
#include "engine/options.h"
#include "engine/replies.h"
#include "engine/signals.h"
#include "engine/transitions.h"
#include "history/activity.h"
#include "history/lifecycle.h"
#include "history/retry.h"
#include "history/workflow_task.h"

namespace holdfast::engine {

namespace lifecycle = history::lifecycle;

namespace {

const std::string kNoReason = "terminated by user via frontend";
const std::string kNoIdentity = "frontend-service";

void describe_activity(const stored::ActivityInfo& info, pb::workflow::v1::PendingActivityInfo* out) {
  using State = history::activity::State;
  out->set_activity_id(info.activity_id());
  out->mutable_activity_type()->set_name(info.activity_type());
  switch (history::activity::state_of(info)) {
    case State::kStarted: out->set_state(enums::PENDING_ACTIVITY_STATE_STARTED); break;
    case State::kCancelRequested: out->set_state(enums::PENDING_ACTIVITY_STATE_CANCEL_REQUESTED); break;
    default: out->set_state(enums::PENDING_ACTIVITY_STATE_SCHEDULED);
  }
  if (info.has_heartbeat_details()) *out->mutable_heartbeat_details() = info.heartbeat_details();
  if (info.last_heartbeat_ns() != 0)
    history::set_time(out->mutable_last_heartbeat_time(), info.last_heartbeat_ns());
  if (info.started_ns() != 0) history::set_time(out->mutable_last_started_time(), info.started_ns());
  out->set_attempt(info.attempt());
  out->set_maximum_attempts(info.retry_policy().maximum_attempts());
  history::set_time(out->mutable_scheduled_time(), info.attempt_scheduled_ns());
  if (info.schedule_to_close_ns() != 0) {
    history::set_time(out->mutable_expiration_time(), info.scheduled_ns() + info.schedule_to_close_ns());
  }
  if (info.has_last_failure()) *out->mutable_last_failure() = info.last_failure();
  out->set_last_worker_identity(info.identity());
  if (out->state() == enums::PENDING_ACTIVITY_STATE_SCHEDULED) {
    // How long it waits, or would wait after this attempt.
    const Ns interval = info.backing_off()
                            ? info.retry_interval_ns()
                            : history::retry::interval_after(info.retry_policy(), info.attempt());
    history::set_duration(out->mutable_current_retry_interval(), interval);
  }
  if (info.last_attempt_complete_ns() != 0) {
    history::set_time(out->mutable_last_attempt_complete_time(), info.last_attempt_complete_ns());
  }
  if (info.backing_off())
    history::set_time(out->mutable_next_attempt_schedule_time(), info.attempt_scheduled_ns());
  if (info.has_priority()) *out->mutable_priority() = info.priority();
  auto& options = *out->mutable_activity_options();
  options.mutable_task_queue()->set_name(info.task_queue());
  options.mutable_task_queue()->set_normal_name(info.task_queue());
  history::set_duration(options.mutable_schedule_to_close_timeout(), info.schedule_to_close_ns());
  history::set_duration(options.mutable_schedule_to_start_timeout(), info.schedule_to_start_ns());
  history::set_duration(options.mutable_start_to_close_timeout(), info.start_to_close_ns());
  history::set_duration(options.mutable_heartbeat_timeout(), info.heartbeat_ns());
  auto& retry = *options.mutable_retry_policy();
  retry = info.retry_policy();
  retry.clear_non_retryable_error_types();
}

void describe_config(const stored::ExecutionState& state, pb::workflow::v1::WorkflowExecutionConfig* out) {
  out->mutable_task_queue()->set_name(state.task_queue());
  out->mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  // Clients show a timeout of zero as one that was set.
  if (state.execution_timeout_ns() != 0)
    history::set_duration(out->mutable_workflow_execution_timeout(), state.execution_timeout_ns());
  if (state.run_timeout_ns() != 0)
    history::set_duration(out->mutable_workflow_run_timeout(), state.run_timeout_ns());
  history::set_duration(out->mutable_default_workflow_task_timeout(), state.task_timeout_ns());
  if (state.has_user_metadata()) *out->mutable_user_metadata() = state.user_metadata();
}

void describe_task(const MutableState& ms, pb::workflow::v1::PendingWorkflowTaskInfo* out) {
  const auto& task = ms.s().workflow_task();
  out->set_state(history::workflow_task::waits_for_poll(ms) ? enums::PENDING_WORKFLOW_TASK_STATE_SCHEDULED
                                                            : enums::PENDING_WORKFLOW_TASK_STATE_STARTED);
  history::set_time(out->mutable_scheduled_time(), task.scheduled_ns());
  history::set_time(out->mutable_original_scheduled_time(), task.original_scheduled_ns());
  if (task.started_ns() != 0) history::set_time(out->mutable_started_time(), task.started_ns());
  out->set_attempt(task.attempt());
}

// The year 1: what Go's clients take for a time that is not there, and Temporal's command line hides.
constexpr std::int64_t kNoTimeSeconds = -62'135'596'800;

void describe_extended(const stored::ExecutionState& state,
                       pb::workflow::v1::WorkflowExecutionExtendedInfo* out) {
  if (state.execution_expiration_ns() != 0) {
    history::set_time(out->mutable_execution_expiration_time(), state.execution_expiration_ns());
  }
  // Set in every answer: some clients cannot do without the message.
  if (state.run_expiration_ns() != 0) {
    history::set_time(out->mutable_run_expiration_time(), state.run_expiration_ns());
  } else {
    out->mutable_run_expiration_time()->set_seconds(kNoTimeSeconds);
  }
  out->set_cancel_requested(state.cancel_requested());
  history::set_time(out->mutable_original_start_time(), state.original_start_ns());
  auto& started = (*out->mutable_request_id_infos())[state.create_request_id()];
  started.set_event_id(1);
  started.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED);
}

}  // namespace

Status ExecutionHandlers::check_signal(const ws::SignalWorkflowExecutionRequest& request) {
  return engine::check_signal(request, limits_.execution);
}

Status ExecutionHandlers::check_cancel(const ws::RequestCancelWorkflowExecutionRequest& request) {
  return check_links(request.links());
}

Status ExecutionHandlers::check_terminate(const ws::TerminateWorkflowExecutionRequest& request) {
  return check_links(request.links());
}

void ExecutionHandlers::signal(Call& call, const ws::SignalWorkflowExecutionRequest& request,
                               const stored::NamespaceRecord&, Run& run) {
  MutableState& ms = *run.ms;
  auto response = std::make_unique<ws::SignalWorkflowExecutionResponse>();
  if (ms.signal_seen(request.request_id())) {
    return replies_.send(call, std::move(response));  // sent twice, taken once
  }
  if (!ms.running()) return replies_.send(call, errors::already_completed());
  if (Status full = check_signal_count(run, limits_.execution); !full.ok())
    return replies_.send(call, std::move(full));
  lifecycle::signal(*run.ms, clock_.now(), signal_attributes(request), request.links());
  transitions_.finish(run);
  replies_.send(call, std::move(response));
}

void ExecutionHandlers::request_cancel(Call& call, const ws::RequestCancelWorkflowExecutionRequest& request,
                                       const stored::NamespaceRecord&, Run& run) {
  if (run.ms->running()) {
    pb::history::v1::WorkflowExecutionCancelRequestedEventAttributes attributes;
    attributes.set_cause(request.reason());
    attributes.set_identity(request.identity());
    if (lifecycle::request_cancel(*run.ms, clock_.now(), std::move(attributes), request.request_id(),
                                  request.links()))
      transitions_.finish(run);
  }
  replies_.send(call, std::make_unique<ws::RequestCancelWorkflowExecutionResponse>());
}

void ExecutionHandlers::terminate(Call& call, ws::TerminateWorkflowExecutionRequest& request,
                                  const stored::NamespaceRecord&, Run& run) {
  if (!run.ms->running()) return replies_.send(call, errors::already_completed());
  // A history says who ended a run and why, also when the caller did not.
  const std::string& reason = request.reason().empty() ? kNoReason : request.reason();
  const std::string& identity = request.identity().empty() ? kNoIdentity : request.identity();
  transitions_.terminate(run, reason, request.has_details() ? request.mutable_details() : nullptr, identity,
                         request.links());
  replies_.send(call, std::make_unique<ws::TerminateWorkflowExecutionResponse>());
}

void ExecutionHandlers::describe(Call& call, const ws::DescribeWorkflowExecutionRequest&,
                                 const stored::NamespaceRecord&, Run& run) {
  MutableState& ms = *run.ms;
  const auto& state = ms.s();
  auto response = std::make_unique<ws::DescribeWorkflowExecutionResponse>();
  describe_config(state, response->mutable_execution_config());
  auto& info = *response->mutable_workflow_execution_info();
  lifecycle::fill_info(state, &info);
  // Temporal sends these when they are empty too, and its Go client reads them without a look.
  info.mutable_memo();
  info.mutable_search_attributes();
  info.mutable_auto_reset_points();
  if (state.has_priority()) *info.mutable_priority() = state.priority();
  for (const auto& activity : ms.held().activities.infos())
    describe_activity(activity, response->add_pending_activities());
  for (const auto& child : ms.held().children.infos()) {
    if (!ms.running()) break;
    auto& out = *response->add_pending_children();
    out.set_workflow_id(child.workflow_id());
    out.set_run_id(child.run_id());
    out.set_workflow_type_name(child.workflow_type());
    out.set_initiated_id(child.initiated_event_id());
    out.set_parent_close_policy(child.parent_close_policy());
  }
  if (ms.workflow_task_pending()) describe_task(ms, response->mutable_pending_workflow_task());
  describe_extended(state, response->mutable_workflow_extended_info());
  replies_.send(call, std::move(response));
}

}  // namespace holdfast::engine
