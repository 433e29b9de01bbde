#pragma once

// Updates as the worker sees them: requests go out as protocol messages with a workflow task, acceptance,
// rejection and response come back as messages with its completion. Only acceptance and completion enter the
// history.

#include <optional>
#include <string>

#include "history/mutable_state.h"

namespace holdfast::history::update {

// Requests to send with the workflow task that just started; they count as sent.
void add_messages(MutableState& ms, bool resend,
                  google::protobuf::RepeatedPtrField<pb::protocol::v1::Message>* messages);

// One message of a completed workflow task. What is wrong with it, or nothing.
std::optional<std::string> apply_message(MutableState& ms, Ns now, const pb::protocol::v1::Message& message);
// Is the message a rejection?
bool is_rejection(const pb::protocol::v1::Message& message);

// The worker completed a task that was no heartbeat and said nothing about these: they are rejected by the
// server.
void reject_unanswered(MutableState& ms);

// The run is over: what was accepted fails, what was not is up to the caller (retried on a successor, or
// refused).
void fail_all_at_close(MutableState& ms);

// A workflow task failed or timed out: what was sent with it is sent again with the next.
void unsend(MutableState& ms);

Failure completed_workflow_failure();

void apply_accepted(Record& record, const Event& event);
void apply_completed(Record& record, const Event& event);

}  // namespace holdfast::history::update
