// What the events of an execution's life leave in its record.

#include <algorithm>

#include "history/activity.h"
#include "history/lifecycle.h"
#include "history/workflow_task.h"

namespace holdfast::history {

void rebuild_deadlines(Record& record) {
  const auto& state = record.s();
  if (!record.running()) return;
  record.set_deadline(DeadlineKind::kExecutionTimeout, 0, state.execution_expiration_ns());
  record.set_deadline(DeadlineKind::kRunTimeout, 0, state.run_expiration_ns());
  record.set_deadline(DeadlineKind::kFirstTask, 0, state.first_task_backoff_until_ns());
  workflow_task::refresh_deadline(record);
}

namespace lifecycle {

stored::ExecutionState unborn(const stored::StartFacts& facts) {
  stored::ExecutionState state;
  state.set_namespace_id(facts.namespace_id());
  state.set_workflow_id(facts.workflow_id());
  state.set_run_id(facts.run_id());
  state.set_create_request_id(facts.create_request_id());
  state.set_original_start_ns(facts.original_start_ns());
  state.set_retention_ns(facts.retention_ns());
  state.set_next_event_id(1);
  state.mutable_workflow_task()->set_attempt(1);
  state.set_wake_row_ns(-1);
  return state;
}

namespace {

void apply_parent(stored::ExecutionState& state,
                  const pb::history::v1::WorkflowExecutionStartedEventAttributes& from) {
  if (from.has_parent_workflow_execution()) {
    auto& parent = *state.mutable_parent();
    parent.set_namespace_id(from.parent_workflow_namespace_id());
    parent.set_namespace_name(from.parent_workflow_namespace());
    parent.set_workflow_id(from.parent_workflow_execution().workflow_id());
    parent.set_run_id(from.parent_workflow_execution().run_id());
    parent.set_initiated_event_id(from.parent_initiated_event_id());
  }
  if (from.has_root_workflow_execution()) *state.mutable_root() = from.root_workflow_execution();
}

void apply_times(stored::ExecutionState& state, Ns start,
                 const pb::history::v1::WorkflowExecutionStartedEventAttributes& from) {
  const Ns backoff = to_ns(from.first_workflow_task_backoff());
  const Ns run_timeout = to_ns(from.workflow_run_timeout());
  const Ns expiration = to_ns(from.workflow_execution_expiration_time());
  state.set_start_ns(start);
  state.set_execution_ns(start + backoff);
  if (backoff > 0) state.set_first_task_backoff_until_ns(start + backoff);
  state.set_execution_timeout_ns(to_ns(from.workflow_execution_timeout()));
  state.set_run_timeout_ns(run_timeout);
  state.set_task_timeout_ns(to_ns(from.workflow_task_timeout()));
  state.set_execution_expiration_ns(expiration);
  if (run_timeout != 0) {
    const Ns run_end = start + run_timeout + backoff;
    state.set_run_expiration_ns(expiration != 0 ? std::min(run_end, expiration) : run_end);
  }
}

// What waited is over; what the run owes to others is written down.
void apply_close(Record& record, const Event& event, enums::WorkflowExecutionStatus status,
                 const std::string& successor_run_id) {
  auto& state = record.s();
  state.set_status(status);
  state.set_close_ns(to_ns(event.event_time()));
  state.set_close_event_id(event.event_id());
  state.set_successor_run_id(successor_run_id);
  for (auto kind : {DeadlineKind::kExecutionTimeout, DeadlineKind::kRunTimeout, DeadlineKind::kFirstTask,
                    DeadlineKind::kWorkflowTask}) {
    record.set_deadline(kind, 0, 0);
  }
  const Holdings& held = record.held();
  while (const auto* info = held.activities.from(0)) record.erase_activity(info->scheduled_event_id());
  while (const auto* info = held.timers.from(0)) record.erase_timer(info->started_event_id());
  state.mutable_workflow_task()->Clear();
  state.mutable_workflow_task()->set_attempt(1);
  state.mutable_close_outbox()->set_notify_parent(state.has_parent() && successor_run_id.empty());
  std::int64_t next = 0;
  while (const auto* child = held.children.from(next)) {
    next = child->initiated_event_id() + 1;
    const bool abandoned = child->parent_close_policy() == enums::PARENT_CLOSE_POLICY_ABANDON;
    if (!abandoned && !child->start_pending()) record.add_parent_close(*child);
    // Children that were to be abandoned anyway are still started; the others were never born.
    if (!abandoned || !child->start_pending()) record.erase_child(child->initiated_event_id());
  }
}

}  // namespace

void apply_started(Record& record, const Event& event) {
  const auto& from = event.workflow_execution_started_event_attributes();
  auto& state = record.s();
  state.set_status(enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  state.set_first_run_id(from.first_execution_run_id());
  state.set_workflow_type(from.workflow_type().name());
  state.set_task_queue(from.task_queue().name());
  state.set_attempt(from.attempt());
  apply_times(state, to_ns(event.event_time()), from);
  if (from.has_retry_policy()) *state.mutable_retry_policy() = from.retry_policy();
  state.set_cron_schedule(from.cron_schedule());
  if (from.has_memo()) *state.mutable_memo() = from.memo();
  if (from.has_search_attributes()) *state.mutable_search_attributes() = from.search_attributes();
  if (from.has_priority()) *state.mutable_priority() = from.priority();
  apply_parent(state, from);
  if (event.has_user_metadata()) *state.mutable_user_metadata() = event.user_metadata();
  rebuild_deadlines(record);
}

void apply_signaled(Record& record, const Event& event) {
  const auto& request_id = event.workflow_execution_signaled_event_attributes().request_id();
  record.s().set_signal_count(record.s().signal_count() + 1);
  if (!request_id.empty()) record.remember_signal(request_id);
}

void apply_cancel_requested(Record& record, const Event& /*event*/) {
  record.s().set_cancel_requested(true);
}

void apply_completed(Record& record, const Event& event) {
  apply_close(record, event, enums::WORKFLOW_EXECUTION_STATUS_COMPLETED,
              event.workflow_execution_completed_event_attributes().new_execution_run_id());
}

void apply_failed(Record& record, const Event& event) {
  apply_close(record, event, enums::WORKFLOW_EXECUTION_STATUS_FAILED,
              event.workflow_execution_failed_event_attributes().new_execution_run_id());
}

void apply_canceled(Record& record, const Event& event) {
  apply_close(record, event, enums::WORKFLOW_EXECUTION_STATUS_CANCELED, {});
}

void apply_terminated(Record& record, const Event& event) {
  apply_close(record, event, enums::WORKFLOW_EXECUTION_STATUS_TERMINATED, {});
}

void apply_timed_out(Record& record, const Event& event) {
  apply_close(record, event, enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT,
              event.workflow_execution_timed_out_event_attributes().new_execution_run_id());
}

void apply_continued_as_new(Record& record, const Event& event) {
  apply_close(record, event, enums::WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW,
              event.workflow_execution_continued_as_new_event_attributes().new_execution_run_id());
}

}  // namespace lifecycle
}  // namespace holdfast::history
