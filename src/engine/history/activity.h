#pragma once

// Activities. Attempts, heartbeats and the last failure live in state; the started event is written together
// with the closing one, so a history shows one attempt: the last.

#include <string>

#include "history/mutable_state.h"
#include "holdfast/status.h"

namespace holdfast::history::activity {

using Command = pb::command::v1::ScheduleActivityTaskCommandAttributes;

enum class State : std::uint8_t { kWaiting, kBackingOff, kStarted, kCancelRequested, kClosed };
State state_of(const stored::ActivityInfo& info);

// Fills in what the command leaves open and says what is wrong with it, or nothing.
std::string prepare(Command* command, const stored::ExecutionState& state, const Limits& limits);
// `command` was prepared. Returns the scheduled event's id.
std::int64_t schedule(MutableState& ms, Ns now, std::int64_t completed_event_id, Command* command);
// False: no such activity (it ended already).
bool request_cancel(MutableState& ms, Ns now, std::int64_t completed_event_id,
                    std::int64_t scheduled_event_id, const std::string& identity);

// May the given attempt be handed to a worker now?
bool startable(const stored::ActivityInfo& info, std::int32_t attempt);
// Also between two attempts, for an answer that comes from outside.
void start(MutableState& ms, Ns now, const stored::ActivityInfo* info, const std::string& identity,
           const std::string& request_id, std::int64_t holder_epoch);

// The poll that was given the attempt did not get it: as if it had not been started. Who has asked for its
// cancellation meanwhile has it canceled: nobody holds it.
void take_back(MutableState& ms, Ns now, const stored::ActivityInfo* info);

// The holder's answers. The caller checked the token.
void complete(MutableState& ms, Ns now, const stored::ActivityInfo* info, Payloads* result,
              const std::string& identity);
// Retries, or closes the activity.
void fail(MutableState& ms, const Limits& limits, Ns now, const stored::ActivityInfo* info,
          const Failure& failure, const std::string& identity);
// False: nobody asked for it.
bool canceled(MutableState& ms, Ns now, const stored::ActivityInfo* info, Payloads* details,
              const std::string& identity);
void heartbeat(MutableState& ms, Ns now, const stored::ActivityInfo* info, Payloads* details);
// What the last attempt got to, told with its failure: no sign of life.
void keep_details(MutableState& ms, const stored::ActivityInfo* info, Payloads* details);

// The earliest deadline of the activity has come: dispatch after backoff, or a timeout.
void on_deadline(MutableState& ms, const Limits& limits, Ns now, std::int64_t scheduled_event_id);
// The process that held it is gone: the attempt is over now.
void lost_holder(MutableState& ms, const Limits& limits, Ns now, const stored::ActivityInfo* info);

void refresh_deadline(Record& record, const stored::ActivityInfo& info);

void apply_scheduled(Record& record, const Event& event);
void apply_cancel_requested(Record& record, const Event& event);
void apply_completed(Record& record, const Event& event);
void apply_failed(Record& record, const Event& event);
void apply_timed_out(Record& record, const Event& event);
void apply_canceled(Record& record, const Event& event);

}  // namespace holdfast::history::activity
