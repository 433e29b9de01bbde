#include "worker/activity_machine.h"

#include "client/convert.h"
#include "client/failure_converter.h"

namespace holdfast::worker {
namespace {

using S = ActivityMachine::State;
using I = ActivityMachine::Input;

constexpr Transition<S, I> kRows[] = {
    {S::kCreated, I::kScheduledEvent, S::kScheduled},
    {S::kCreated, I::kCancel, S::kDone},  // the command is taken back
    {S::kCreated, I::kAbandon, S::kDone},
    {S::kScheduled, I::kCancel, S::kCancelCreated},
    {S::kScheduled, I::kAbandon, S::kAbandoned},
    {S::kScheduled, I::kClosedEvent, S::kDone},
    {S::kCancelCreated, I::kCancelRequestedEvent, S::kCancelSent},
    {S::kCancelCreated, I::kClosedEvent, S::kDone},
    {S::kCancelSent, I::kClosedEvent, S::kDone},
    {S::kAbandoned, I::kClosedEvent, S::kDone},
};
const TransitionTable kTable("worker activity", rows(S::kCreated, kRows));

constexpr const char* kStateNames[] = {"created",   "scheduled", "about to be canceled",
                                       "canceling", "abandoned", "already over"};

}  // namespace

ActivityMachine::ActivityMachine(Outbox& outbox, std::string id, std::string type, ActivityOptions options,
                                 std::vector<Payload> arguments, const std::string& workflow_task_queue)
    : outbox_(outbox),
      id_(std::move(id)),
      type_(std::move(type)),
      options_(std::move(options)),
      arguments_(std::move(arguments)),
      task_queue_(options_.task_queue().empty() ? workflow_task_queue : options_.task_queue()) {}

void ActivityMachine::begin() {
  outbox_.commands().push(shared_from_this(), enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED);
}

void ActivityMachine::cancel() {
  leave_scope();
  if (state_ != S::kCreated && state_ != S::kScheduled) return;
  const bool sent = state_ == S::kScheduled;
  const bool abandon = options_.cancellation() == ActivityCancellation::kAbandon;
  step(abandon ? I::kAbandon : I::kCancel, nullptr);
  if (!sent) {
    outbox_.commands().drop(*this, enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED);
  } else if (!abandon) {
    outbox_.commands().push(shared_from_this(), enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED);
  }
  if (sent && options_.cancellation() == ActivityCancellation::kWaitCompleted) return;
  fail(RetryState::kCancelRequested, "activity canceled",
       std::make_shared<CanceledFailure>("activity canceled"));
}

void ActivityMachine::step(Input input, const HistoryEvent* event) {
  const auto next = kTable.next(state_, input);
  if (!next) throw_unexpected(*event, "activity \"" + id_ + "\"", kStateNames[static_cast<int>(state_)]);
  state_ = *next;
}

std::string ActivityMachine::describe(enums::EventType kind) const {
  if (kind == enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED) {
    return event_text(kind, {{"activity_id", id_}, {"activity_type", type_}});
  }
  return event_text(kind, {{"scheduled_event", std::to_string(scheduled_event_id_)}});
}

void ActivityMachine::write(enums::EventType kind, Command* command) const {
  using client::set_duration;
  if (kind == enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED) {
    command->set_command_type(enums::COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK);
    command->mutable_request_cancel_activity_task_command_attributes()->set_scheduled_event_id(
        scheduled_event_id_);
    return;
  }
  command->set_command_type(enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
  if (!options_.summary().empty()) {
    *command->mutable_user_metadata()->mutable_summary() = client::to_proto(to_payload(options_.summary()));
  }
  auto* out = command->mutable_schedule_activity_task_command_attributes();
  out->set_activity_id(id_);
  out->mutable_activity_type()->set_name(type_);
  out->mutable_task_queue()->set_name(task_queue_);
  client::set_payloads(arguments_, out->mutable_input());
  if (options_.start_to_close())
    set_duration(*options_.start_to_close(), out->mutable_start_to_close_timeout());
  if (options_.schedule_to_close()) {
    set_duration(*options_.schedule_to_close(), out->mutable_schedule_to_close_timeout());
  }
  if (options_.schedule_to_start()) {
    set_duration(*options_.schedule_to_start(), out->mutable_schedule_to_start_timeout());
  }
  if (options_.heartbeat()) set_duration(*options_.heartbeat(), out->mutable_heartbeat_timeout());
  if (options_.retry()) client::set_retry_policy(*options_.retry(), out->mutable_retry_policy());
}

void ActivityMachine::recorded(enums::EventType kind, const HistoryEvent& event) {
  if (kind == enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED) {
    step(I::kScheduledEvent, &event);
    scheduled_event_id_ = event.event_id();
    outbox_.route(event.event_id(), shared_from_this());
  } else {
    step(I::kCancelRequestedEvent, &event);
  }
}

void ActivityMachine::fail(RetryState retry_state, const std::string& message, FailurePtr cause) {
  ActivityFailure failure(message, type_, id_, retry_state, std::move(cause));
  failure.scheduled_event_id = scheduled_event_id_;
  result_.set_failure(failure);
}

void ActivityMachine::resolve(const HistoryEvent& event) {
  if (event.event_type() == enums::EVENT_TYPE_ACTIVITY_TASK_STARTED) return;
  // Canceled and ended within one workflow task: there is nothing left to cancel, and an engine refuses to.
  if (state_ == S::kCancelCreated)
    outbox_.commands().drop(*this, enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED);
  step(I::kClosedEvent, &event);
  leave_scope();
  switch (event.event_type()) {
    case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
      result_.set_value(client::single(event.activity_task_completed_event_attributes().result()));
      break;
    case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED: {
      const auto& attributes = event.activity_task_failed_event_attributes();
      fail(static_cast<RetryState>(attributes.retry_state()), "activity failed",
           client::from_proto(attributes.failure()));
      break;
    }
    case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: {
      const auto& attributes = event.activity_task_timed_out_event_attributes();
      fail(static_cast<RetryState>(attributes.retry_state()), "activity timed out",
           client::from_proto(attributes.failure()));
      break;
    }
    case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED:
      fail(RetryState::kCancelRequested, "activity canceled",
           std::make_shared<CanceledFailure>(
               "activity canceled",
               client::from_proto(event.activity_task_canceled_event_attributes().details())));
      break;
    default: break;
  }
}

}  // namespace holdfast::worker
