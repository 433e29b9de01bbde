#pragma once

// Signals and requests to cancel that a workflow sends to another execution: initiated by a command, answered
// by the other's shard. Two machines of the same shape: initiated, then done or failed.

#include <string>

#include "history/mutable_state.h"

namespace holdfast::history {

namespace external_signal {
using Command = pb::command::v1::SignalExternalWorkflowExecutionCommandAttributes;
std::string prepare(const Command& command, const Limits& limits);
void initiate(MutableState& ms, Ns now, std::int64_t completed_event_id, Command* command,
              const std::string& namespace_name, const std::string& namespace_id,
              const std::string& request_id);
// `initiated` is the event of that type. False: answered before.
bool done(MutableState& ms, Ns now, const Event& initiated);
bool failed(MutableState& ms, Ns now, const Event& initiated,
            enums::SignalExternalWorkflowExecutionFailedCause cause);
void apply_initiated(Record& record, const Event& event);
void apply_done(Record& record, const Event& event);
void apply_failed(Record& record, const Event& event);
}  // namespace external_signal

namespace external_cancel {
using Command = pb::command::v1::RequestCancelExternalWorkflowExecutionCommandAttributes;
std::string prepare(const Command& command, const Limits& limits);
void initiate(MutableState& ms, Ns now, std::int64_t completed_event_id, Command* command,
              const std::string& namespace_name, const std::string& namespace_id,
              const std::string& request_id);
bool done(MutableState& ms, Ns now, const Event& initiated);
bool failed(MutableState& ms, Ns now, const Event& initiated,
            enums::CancelExternalWorkflowExecutionFailedCause cause);
void apply_initiated(Record& record, const Event& event);
void apply_done(Record& record, const Event& event);
void apply_failed(Record& record, const Event& event);
}  // namespace external_cancel

}  // namespace holdfast::history
