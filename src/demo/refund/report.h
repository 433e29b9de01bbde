#pragma once

// What the demo saw, and the checks on it. Facts come from event log, database, receiver and the operating
// system; the report only compares and prints.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "refund/receiver.h"
#include "refund/shop.h"
#include "rest/event_stream.h"

namespace holdfast::demo {

using rest::Json;

// An event of the run's log.
struct RunEvent {
  std::string type;
  std::uint64_t seq = 0;  // place in the log
  std::string at;         // when it was written, ISO 8601 in UTC
  Json data;
  MonotonicTime seen;
};
// None for what is no entry of the log.
std::optional<RunEvent> run_event(rest::Event event);

// One step, folded from the run's events.
struct StepRow {
  int number = 0;
  std::string kind;
  std::string name;
  std::string arguments;
  std::string result;
  int starts = 0;            // attempts that began
  int starts_after_end = 0;  // attempts that began although the step had completed: must be 0
  bool completed = false;
  bool failed = false;
};

struct Facts {
  std::string run;
  std::string engine;
  std::string directory;
  std::string kill_point;
  int killed_pid = 0;
  int killed_by_signal = 0;
  int new_pid = 0;
  std::vector<RunEvent> events;  // as followed over the kill, in the order of the log
  std::optional<MonotonicTime> killed_at, ready_at, next_step_at;
  std::string killed_time;         // the same moment as text, to compare with RunEvent::at
  std::uint64_t seq_at_kill = 0;   // the last event seen before
  bool waited_for_person = false;  // at the kill nothing was to do until the approval
  ShopState before, after;
  std::vector<Receiver::Message> messages;
  int deliveries = 0;
  std::string status;  // of the run, from the API
  std::string output;
  Json approvals = Json::array();  // of the run, from the API
  std::string failure;             // what ended the demo early
  double seconds = 0;
};

struct Check {
  std::string what;
  bool ok = false;
  std::string seen;
};

std::map<int, StepRow> fold_steps(const std::vector<RunEvent>& events);
std::vector<Check> check(const Facts& facts);
bool all_hold(const std::vector<Check>& checks);

void print_text(const Facts& facts, const std::vector<Check>& checks, bool colour);
Json to_json(const Facts& facts, const std::vector<Check>& checks);

}  // namespace holdfast::demo
