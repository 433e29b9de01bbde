#pragma once

// Child workflows, from the parent's side: initiated by a command, started or refused by the child's shard,
// closed when the child's whole chain of runs has ended.

#include <string>

#include "history/mutable_state.h"

namespace holdfast::history::child_workflow {

using Command = pb::command::v1::StartChildWorkflowExecutionCommandAttributes;

enum class State : std::uint8_t { kInitiated, kStarted, kClosed };
State state_of(const stored::ChildInfo& info);

std::string prepare(Command* command, const stored::ExecutionState& parent, const Limits& limits);
void initiate(MutableState& ms, Ns now, std::int64_t completed_event_id, Command* command,
              const std::string& namespace_name, const std::string& namespace_id,
              const std::string& request_id);

// Answers to the start. False: already known, nothing changed.
bool started(MutableState& ms, Ns now, std::int64_t initiated_event_id, const std::string& run_id,
             const pb::common::v1::Header* header);
bool start_failed(MutableState& ms, Ns now, std::int64_t initiated_event_id,
                  enums::StartChildWorkflowExecutionFailedCause cause);

// The closing event of the chain's last run, as the parent records it.
bool closed(MutableState& ms, Ns now, std::int64_t initiated_event_id, const std::string& run_id,
            const Event& closing);

void apply_initiated(Record& record, const Event& event);
void apply_start_failed(Record& record, const Event& event);
void apply_started(Record& record, const Event& event);
void apply_completed(Record& record, const Event& event);
void apply_failed(Record& record, const Event& event);
void apply_canceled(Record& record, const Event& event);
void apply_timed_out(Record& record, const Event& event);
void apply_terminated(Record& record, const Event& event);

}  // namespace holdfast::history::child_workflow
