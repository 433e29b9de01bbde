#include "worker/external_machine.h"

#include "client/convert.h"

namespace holdfast::worker {
namespace {

using S = ExternalMachine::State;
using I = ExternalMachine::Input;

constexpr Transition<S, I> kRows[] = {
    {S::kCreated, I::kInitiatedEvent, S::kInitiated},
    {S::kCreated, I::kCancel, S::kDone},  // the command is taken back
    {S::kInitiated, I::kDeliveredEvent, S::kDone},
    {S::kInitiated, I::kFailedEvent, S::kDone},
};
const TransitionTable kTable("worker external request", rows(S::kCreated, kRows));

constexpr const char* kStateNames[] = {"created", "initiated", "already over"};

}  // namespace

void ExternalMachine::step(Input input, const HistoryEvent* event) {
  const auto next = kTable.next(state_, input);
  if (!next) {
    throw_unexpected(*event, std::string("the external ") + noun() + " to \"" + target_.workflow_id + "\"",
                     kStateNames[static_cast<int>(state_)]);
  }
  state_ = *next;
}

void ExternalMachine::cancel() {
  if (state_ != S::kCreated) return;
  step(I::kCancel, nullptr);
  outbox_.commands().drop(*this, kind());
  delivered_.set_failure(CanceledFailure(std::string(noun()) + " canceled before it was sent"));
}

void ExternalMachine::recorded(enums::EventType, const HistoryEvent& event) {
  step(I::kInitiatedEvent, &event);
  outbox_.route(event.event_id(), shared_from_this());
}

void ExternalMachine::resolve(const HistoryEvent& event) {
  const auto type = event.event_type();
  const bool failed = type == enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED ||
                      type == enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED;
  step(failed ? I::kFailedEvent : I::kDeliveredEvent, &event);
  if (!failed) {
    delivered_.set_value();
    return;
  }
  delivered_.set_failure(ApplicationFailure("unable to " + std::string(noun()) + " workflow \"" +
                                                target_.workflow_id + "\" because it was not found",
                                            "ExternalWorkflowNotFound"));
}

std::string ExternalSignalMachine::describe(enums::EventType kind) const {
  return event_text(kind, {{"workflow_id", target_.workflow_id}, {"signal_name", signal_}});
}

void ExternalSignalMachine::write(enums::EventType, Command* command) const {
  command->set_command_type(enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION);
  auto* out = command->mutable_signal_external_workflow_execution_command_attributes();
  out->mutable_execution()->set_workflow_id(target_.workflow_id);
  out->mutable_execution()->set_run_id(target_.run_id);
  out->set_signal_name(signal_);
  out->set_child_workflow_only(target_.child_only);
  client::set_payloads(arguments_, out->mutable_input());
}

std::string ExternalCancelMachine::describe(enums::EventType kind) const {
  return event_text(kind, {{"workflow_id", target_.workflow_id}});
}

void ExternalCancelMachine::write(enums::EventType, Command* command) const {
  command->set_command_type(enums::COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION);
  auto* out = command->mutable_request_cancel_external_workflow_execution_command_attributes();
  out->set_workflow_id(target_.workflow_id);
  out->set_run_id(target_.run_id);
  out->set_child_workflow_only(target_.child_only);
  out->set_reason(reason_);
}

}  // namespace holdfast::worker
