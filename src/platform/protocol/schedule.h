#pragma once

// A schedule of an agent: a workflow of our own that starts runs when they are due, so that both engines have
// it. Its argument, what it asks of its activities, and what is said to it. They stand in histories: fields
// may be added (absent ones take their default); a field never changes its meaning.
//
// Values; see protocol/call.h for how reading fails.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/call.h"

namespace holdfast::protocol {

inline constexpr const char* kScheduleType = "agent.schedule";  // workflow, on kAgentQueue
inline constexpr const char* kScheduleIds = "$schedule.";       // and then its name
inline constexpr const char* kScheduleMemo = "schedule";        // the ScheduleSpec it was made with

inline constexpr const char* kScheduleNextActivity = "agent.schedule.next";
inline constexpr const char* kScheduleFireActivity = "agent.schedule.fire";

// Signals: {"note"}, nothing, {"id"} or nothing. The query answers with a ScheduleState.
inline constexpr const char* kSchedulePause = "pause";
inline constexpr const char* kScheduleResume = "resume";
inline constexpr const char* kScheduleTrigger = "trigger";
inline constexpr const char* kScheduleQuery = "schedule";

// What becomes of a run that is due while the one before is open.
enum class Overlap : std::uint8_t {
  kSkip,
  kBufferOne,  // it starts when that one is over; more that come due meanwhile are skipped
  kAllow,
};
std::string_view to_string(Overlap overlap);
std::optional<Overlap> overlap_by_name(std::string_view word);

struct ScheduleSpec {
  ScheduleSpec() = default;
  std::string name;
  std::string agent;
  std::string version;       // empty: the current one, at each start
  Json input;                // text, or JSON
  std::string conversation;  // that all its runs go on in; empty: each its own
  std::string cron;
  std::string time_zone;
  Overlap overlap = Overlap::kSkip;
  std::int64_t catch_up_ms = 0;  // how late a run may start
};

struct ScheduleState {
  ScheduleState() = default;
  bool paused = false;
  std::string note;                // why
  std::int64_t considered_ms = 0;  // what was due up to here is settled, since the epoch
  int triggers = 0;                // asked for, and not started yet
  std::vector<std::string> asked;  // ids of the last triggers, oldest first: each counts once
  std::string last_run;
  std::int64_t started = 0;
  std::int64_t skipped = 0;
  std::int64_t failed = 0;
  std::string last_error;
};

// The argument of the workflow. Whoever makes one gives `spec`.
struct ScheduleInput {
  ScheduleInput() = default;
  ScheduleSpec spec;
  ScheduleState state;
};

struct PauseInput {
  PauseInput() = default;
  std::string note;
};

struct TriggerInput {
  TriggerInput() = default;
  std::string id;  // empty: a trigger of its own
};

// ---- kScheduleNextActivity

struct NextInput {
  NextInput() = default;
  std::string cron;
  std::string time_zone;
  std::int64_t after_ms = 0;
};
struct NextDue {
  NextDue() = default;
  std::int64_t due_ms = 0;  // 0: never
};

// ---- kScheduleFireActivity

struct FireInput {
  FireInput() = default;
  ScheduleSpec spec;
  std::int64_t due_ms = 0;
  bool triggered = false;  // by a person: nothing is skipped
  std::string previous;    // the run before; empty: none
};
struct Fired {
  Fired() = default;
  std::string run;  // empty: skipped
};

void to_json(Json& out, const Overlap& value);
void from_json(const Json& in, Overlap& value);
void to_json(Json& out, const ScheduleSpec& value);
void from_json(const Json& in, ScheduleSpec& value);
void to_json(Json& out, const ScheduleState& value);
void from_json(const Json& in, ScheduleState& value);
void to_json(Json& out, const ScheduleInput& value);
void from_json(const Json& in, ScheduleInput& value);
void to_json(Json& out, const PauseInput& value);
void from_json(const Json& in, PauseInput& value);
void to_json(Json& out, const TriggerInput& value);
void from_json(const Json& in, TriggerInput& value);
void to_json(Json& out, const NextInput& value);
void from_json(const Json& in, NextInput& value);
void to_json(Json& out, const NextDue& value);
void from_json(const Json& in, NextDue& value);
void to_json(Json& out, const FireInput& value);
void from_json(const Json& in, FireInput& value);
void to_json(Json& out, const Fired& value);
void from_json(const Json& in, Fired& value);

}  // namespace holdfast::protocol
