#pragma once

// Flow control: runs of an agent that have the same key stand in a line, and begin when its rules let them.
// The rules are the agent's, as they were when the run came. Plain values.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "protocol/flow.h"

namespace holdfast::platform {

using protocol::flow_rules_of;
using protocol::FlowRules;
using protocol::kMaxFlowBatch;
using protocol::kMaxFlowBatchBytes;
using protocol::kMaxFlowWaiting;
using protocol::to_text;

// Of those who are before it, as many as a turn names.
inline constexpr std::uint32_t kMaxFlowBlockers = 16;

// A run that comes to a line.
struct FlowPlace {
  FlowPlace() = default;
  std::string line;  // agent/key
  std::string run;
  std::string key;  // as people see it
  FlowRules rules;
  std::string input;  // of a batch: text, or JSON
};

// The numbers are stored.
enum class FlowState : std::uint8_t {
  kWaiting = 0,
  kRunning = 1,
  kOver = 2,        // it has left the line
  kSuperseded = 3,  // another one, `into`, stands for it
  kBatched = 4,     // another one, `into`, does its work
};
std::string_view to_string(FlowState state);

struct FlowRow {
  FlowRow() = default;
  FlowPlace place;
  FlowState state = FlowState::kWaiting;
  std::string into;
  WallTime at{};     // when it came
  WallTime since{};  // debounce: when the first of those came that it stands for
  std::optional<WallTime> begun_at;
};

// What a waiting run waits for.
enum class FlowWait : std::uint8_t { kNothing, kTurn, kConcurrency, kThrottle, kDebounce, kBatch };
std::string_view to_string(FlowWait wait);

struct FlowTurn {
  FlowTurn() = default;
  FlowRow row;
  FlowWait wait = FlowWait::kNothing;
  std::uint32_t ahead = 0;            // that wait before it, as far as kMaxCountedAhead
  std::vector<std::string> blockers;  // who must end or begin before it; oldest first
  std::optional<WallTime> until;      // of a wait for a time
  std::vector<FlowRow> stands_for;    // superseded by it, or batched into it; in the order in which they came
};

// What is refused says by which rule: "rate_limit" or "max_waiting". Empty: something else.
std::string flow_refusal(const Status& status);

}  // namespace holdfast::platform
