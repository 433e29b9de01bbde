#include "history/volatile_state.h"

#include <algorithm>

namespace holdfast::history {
namespace {

// Fields have the same names on both sides, so that one list serves both ways.

template <typename From, typename To>
void copy_execution(const From& from, To* to) {
  to->set_cancel_request_id(from.cancel_request_id());
  to->set_transition_count(from.transition_count());
  to->set_sticky_queue(from.sticky_queue());
  to->set_sticky_schedule_to_start_ns(from.sticky_schedule_to_start_ns());
  to->set_task_stamp(from.task_stamp());
  to->set_wake_row_ns(from.wake_row_ns());
  *to->mutable_buffered_events() = from.buffered_events();
}

template <typename From, typename To>
void copy_workflow_task(const From& from, To* to) {
  to->set_attempt(from.attempt());
  to->set_scheduled_ns(from.scheduled_ns());
  to->set_original_scheduled_ns(from.original_scheduled_ns());
  to->set_task_queue(from.task_queue());
  to->set_sticky(from.sticky());
  to->set_holder_epoch(from.holder_epoch());
  to->set_schedule_to_start_deadline_ns(from.schedule_to_start_deadline_ns());
  to->set_taken_back(from.taken_back());
  to->set_started_again_ns(from.started_again_ns());
}

template <typename From, typename To>
void copy_activity(const From& from, To* to) {
  to->set_attempt_scheduled_ns(from.attempt_scheduled_ns());
  to->set_attempt(from.attempt());
  to->set_started_ns(from.started_ns());
  to->set_request_id(from.request_id());
  to->set_identity(from.identity());
  to->clear_last_failure();
  if (from.has_last_failure()) *to->mutable_last_failure() = from.last_failure();
  to->clear_heartbeat_details();
  if (from.has_heartbeat_details()) *to->mutable_heartbeat_details() = from.heartbeat_details();
  to->set_last_heartbeat_ns(from.last_heartbeat_ns());
  to->set_holder_epoch(from.holder_epoch());
  to->set_retry_interval_ns(from.retry_interval_ns());
  to->set_last_attempt_complete_ns(from.last_attempt_complete_ns());
  to->set_backing_off(from.backing_off());
}

template <typename From, typename To>
void copy_request(const From& from, To* to) {
  to->set_request_id(from.request_id());
}

using Requests = google::protobuf::RepeatedPtrField<stored::VolatileState::Request>;

template <typename Infos>
void take_requests(const Infos& from, Requests* to) {
  for (const auto& info : from) {
    auto& request = *to->Add();
    request.set_initiated_event_id(info.initiated_event_id());
    copy_request(info, &request);
  }
}

template <typename Infos>
void lay_over_requests(const Requests& part, bool closed, Infos* infos) {
  Infos kept;
  for (auto& info : *infos) {
    const auto found = std::find_if(part.begin(), part.end(), [&](const auto& request) {
      return request.initiated_event_id() == info.initiated_event_id();
    });
    if (found == part.end() && closed) continue;
    if (found != part.end()) copy_request(*found, &info);
    *kept.Add() = std::move(info);
  }
  *infos = std::move(kept);
}

}  // namespace

stored::StartFacts facts_of(const stored::ExecutionState& state) {
  stored::StartFacts facts;
  facts.set_namespace_id(state.namespace_id());
  facts.set_workflow_id(state.workflow_id());
  facts.set_run_id(state.run_id());
  facts.set_create_request_id(state.create_request_id());
  facts.set_original_start_ns(state.original_start_ns());
  facts.set_retention_ns(state.retention_ns());
  return facts;
}

stored::VolatileState volatile_part(const stored::ExecutionState& state, bool speculative) {
  stored::VolatileState part;
  copy_execution(state, &part);
  const auto& task = state.workflow_task();
  if (task.scheduled_event_id() != 0 && (speculative || task.attempt() > 1)) {
    *part.mutable_unwritten_workflow_task() = task;
  } else {
    copy_workflow_task(task, part.mutable_workflow_task());
  }
  for (const auto& info : state.activities()) {
    auto& activity = *part.add_activities();
    activity.set_scheduled_event_id(info.scheduled_event_id());
    copy_activity(info, &activity);
  }
  take_requests(state.children(), part.mutable_children());
  take_requests(state.external_signals(), part.mutable_external_signals());
  take_requests(state.external_cancels(), part.mutable_external_cancels());
  if (state.has_close_outbox()) {
    part.mutable_close_outbox()->set_notify_parent(state.close_outbox().notify_parent());
    take_requests(state.close_outbox().children(), part.mutable_close_outbox()->mutable_children());
  }
  return part;
}

void lay_over(const stored::VolatileState& part, stored::ExecutionState* state) {
  copy_execution(part, state);
  if (part.has_unwritten_workflow_task()) {
    *state->mutable_workflow_task() = part.unwritten_workflow_task();
  } else {
    copy_workflow_task(part.workflow_task(), state->mutable_workflow_task());
  }
  for (const auto& activity : part.activities()) {
    for (auto& info : *state->mutable_activities()) {
      if (info.scheduled_event_id() == activity.scheduled_event_id()) copy_activity(activity, &info);
    }
  }
  const bool closed = state->status() != enums::WORKFLOW_EXECUTION_STATUS_RUNNING;
  lay_over_requests(part.children(), closed, state->mutable_children());
  lay_over_requests(part.external_signals(), closed, state->mutable_external_signals());
  lay_over_requests(part.external_cancels(), closed, state->mutable_external_cancels());
  if (!part.has_close_outbox()) return;
  auto& outbox = *state->mutable_close_outbox();
  outbox.set_notify_parent(part.close_outbox().notify_parent());
  lay_over_requests(part.close_outbox().children(), closed, outbox.mutable_children());
}

}  // namespace holdfast::history
