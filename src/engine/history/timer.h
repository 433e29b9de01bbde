#pragma once

// Timers a workflow starts.

#include "history/mutable_state.h"

namespace holdfast::history::timer {

enum class State : std::uint8_t { kNone, kStarted, kFiredBuffered };

// The caller checked that the id is free and the duration positive.
void start(MutableState& ms, Ns now, std::int64_t completed_event_id, const std::string& timer_id,
           Ns duration);
// False: no such timer.
bool cancel(MutableState& ms, Ns now, std::int64_t completed_event_id, const std::string& timer_id,
            const std::string& identity);
void fire(MutableState& ms, Ns now, std::int64_t started_event_id);

void apply_started(Record& record, const Event& event);
void apply_fired(Record& record, const Event& event);
void apply_canceled(Record& record, const Event& event);

}  // namespace holdfast::history::timer
