#include "worker/timer_machine.h"

#include "client/convert.h"

namespace holdfast::worker {
namespace {

using S = TimerMachine::State;
using I = TimerMachine::Input;

constexpr Transition<S, I> kRows[] = {
    {S::kCreated, I::kStartedEvent, S::kStarted},
    {S::kCreated, I::kCancel, S::kDone},  // the command is taken back
    {S::kStarted, I::kFiredEvent, S::kDone},
    {S::kStarted, I::kCancel, S::kCancelCreated},
    {S::kCancelCreated, I::kCanceledEvent, S::kDone},
    {S::kCancelCreated, I::kFiredEvent, S::kDone},  // canceled and fired within one workflow task
};
const TransitionTable kTable("worker timer", rows(S::kCreated, kRows));

constexpr const char* kStateNames[] = {"created", "started", "about to be canceled", "already over"};

}  // namespace

void TimerMachine::cancel() {
  leave_scope();
  if (state_ != S::kCreated && state_ != S::kStarted) return;
  const bool sent = state_ == S::kStarted;
  step(I::kCancel, nullptr);
  if (sent) {
    outbox_.commands().push(shared_from_this(), enums::EVENT_TYPE_TIMER_CANCELED);
  } else {
    outbox_.commands().drop(*this, enums::EVENT_TYPE_TIMER_STARTED);
  }
  fired_.set_failure(CanceledFailure("timer canceled"));
}

void TimerMachine::step(Input input, const HistoryEvent* event) {
  const auto next = kTable.next(state_, input);
  if (!next) throw_unexpected(*event, "timer \"" + id_ + "\"", kStateNames[static_cast<int>(state_)]);
  state_ = *next;
}

void TimerMachine::write(enums::EventType kind, Command* command) const {
  if (kind == enums::EVENT_TYPE_TIMER_CANCELED) {
    command->set_command_type(enums::COMMAND_TYPE_CANCEL_TIMER);
    command->mutable_cancel_timer_command_attributes()->set_timer_id(id_);
    return;
  }
  command->set_command_type(enums::COMMAND_TYPE_START_TIMER);
  if (!summary_.empty())
    *command->mutable_user_metadata()->mutable_summary() = client::to_proto(to_payload(summary_));
  auto* out = command->mutable_start_timer_command_attributes();
  out->set_timer_id(id_);
  client::set_duration(duration_, out->mutable_start_to_fire_timeout());
}

void TimerMachine::recorded(enums::EventType kind, const HistoryEvent& event) {
  if (kind == enums::EVENT_TYPE_TIMER_CANCELED) {
    step(I::kCanceledEvent, &event);
    return;
  }
  step(I::kStartedEvent, &event);
  outbox_.route(event.event_id(), shared_from_this());
}

void TimerMachine::resolve(const HistoryEvent& event) {
  // Canceled and fired within one workflow task: there is nothing left to cancel, and an engine refuses to.
  // Code saw the cancellation first, and that stays the result.
  if (state_ == S::kCancelCreated) outbox_.commands().drop(*this, enums::EVENT_TYPE_TIMER_CANCELED);
  step(I::kFiredEvent, &event);
  leave_scope();
  fired_.set_value();
}

}  // namespace holdfast::worker
