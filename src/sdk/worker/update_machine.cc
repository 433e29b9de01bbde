#include "worker/update_machine.h"

#include "base/check.h"
#include "client/convert.h"
#include "client/failure_converter.h"

namespace holdfast::worker {
namespace {

using S = UpdateMachine::State;
using I = UpdateMachine::Input;

constexpr Transition<S, I> kRows[] = {
    {S::kRequested, I::kAccept, S::kAcceptCreated},
    {S::kAcceptCreated, I::kAcceptedEvent, S::kAccepted},
    {S::kAcceptCreated, I::kComplete, S::kBothCreated},  // accepted and completed in one workflow task
    {S::kBothCreated, I::kAcceptedEvent, S::kCompleteCreated},
    {S::kAccepted, I::kComplete, S::kCompleteCreated},
    {S::kCompleteCreated, I::kCompletedEvent, S::kDone},
};
const TransitionTable kTable("worker update", rows(S::kRequested, kRows));

constexpr const char* kStateNames[] = {
    "requested", "about to be accepted",  "about to be accepted and completed",
    "accepted",  "about to be completed", "already over"};

constexpr auto kAccepted = enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED;
constexpr auto kCompleted = enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED;

}  // namespace

void UpdateMachine::step(Input input, const HistoryEvent* event) {
  const auto next = kTable.next(state_, input);
  if (!next) {
    HF_CHECK(event != nullptr);
    throw_unexpected(*event, "update \"" + request_.protocol_instance_id + "\"",
                     kStateNames[static_cast<int>(state_)]);
  }
  state_ = *next;
}

void UpdateMachine::accept() {
  step(I::kAccept, nullptr);
  outbox_.commands().push(shared_from_this(), kAccepted);
}

void UpdateMachine::complete(const Payload& result) {
  *outcome_.mutable_success()->add_payloads() = client::to_proto(result);
  step(I::kComplete, nullptr);
  outbox_.commands().push(shared_from_this(), kCompleted);
}

void UpdateMachine::fail(const Failure& failure) {
  client::set_failure(failure, outcome_.mutable_failure());
  step(I::kComplete, nullptr);
  outbox_.commands().push(shared_from_this(), kCompleted);
}

std::string UpdateMachine::message_id(enums::EventType kind) const {
  return request_.protocol_instance_id + (kind == kAccepted ? "/accept" : "/complete");
}

ProtocolMessage UpdateMachine::rejection(const Failure& failure) const {
  pb::update::v1::Rejection rejection;
  rejection.set_rejected_request_message_id(request_.message_id);
  rejection.set_rejected_request_sequencing_event_id(request_.sequencing_event_id);
  *rejection.mutable_rejected_request() = request_.request;
  client::set_failure(failure, rejection.mutable_failure());
  ProtocolMessage message;
  message.set_id(request_.protocol_instance_id + "/reject");
  message.set_protocol_instance_id(request_.protocol_instance_id);
  message.mutable_body()->PackFrom(rejection);
  return message;
}

std::string UpdateMachine::describe(enums::EventType kind) const {
  return event_text(kind, {{"update_id", request_.protocol_instance_id}});
}

void UpdateMachine::write(enums::EventType kind, Command* command) const {
  command->set_command_type(enums::COMMAND_TYPE_PROTOCOL_MESSAGE);
  command->mutable_protocol_message_command_attributes()->set_message_id(message_id(kind));
}

void UpdateMachine::write_message(enums::EventType kind, ProtocolMessage* message) const {
  message->set_id(message_id(kind));
  message->set_protocol_instance_id(request_.protocol_instance_id);
  if (kind == kAccepted) {
    pb::update::v1::Acceptance acceptance;
    acceptance.set_accepted_request_message_id(request_.message_id);
    acceptance.set_accepted_request_sequencing_event_id(request_.sequencing_event_id);
    *acceptance.mutable_accepted_request() = request_.request;
    message->mutable_body()->PackFrom(acceptance);
  } else {
    pb::update::v1::Response response;
    *response.mutable_meta() = request_.request.meta();
    *response.mutable_outcome() = outcome_;
    message->mutable_body()->PackFrom(response);
  }
}

void UpdateMachine::recorded(enums::EventType kind, const HistoryEvent& event) {
  step(kind == kAccepted ? I::kAcceptedEvent : I::kCompletedEvent, &event);
}

void UpdateMachine::resolve(const HistoryEvent& event) {
  throw_unexpected(event, "an update", "recorded");
}

}  // namespace holdfast::worker
