#pragma once

// Rules of flow control (rules.h).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "platform/flow.h"
#include "platform/rules.h"

namespace holdfast::platform::rules {

// What is in a line, seen from one place in it.
struct FlowLine {
  std::uint32_t waiting_before = 0;  // as far as kMaxCountedAhead
  std::string first_waiting;
  WallTime first_waiting_at{};
  std::uint32_t running = 0;              // as far as the limit
  std::vector<std::string> running_runs;  // kMaxFlowBlockers of them
  // Of those that have begun the Nth from the end, N being the throttle's limit less those who wait before.
  std::optional<WallTime> nth_begun_at;
  std::uint32_t waiting = 0;      // as far as the batch goes
  std::size_t waiting_bytes = 0;  // their inputs
};

Status check_flow(const FlowPlace& place);
// A new place. `came`: runs that were taken within the rate's period; `since`: of the first one that it
// supersedes. RESOURCE_EXHAUSTED with flow_refusal().
Result<FlowRow> enter_flow(const FlowPlace& place, std::uint32_t waiting, std::uint32_t came,
                           const std::optional<WallTime>& since, WallTime now);
// Whether a waiting row may begin now; else what it waits for.
FlowTurn flow_turn(FlowRow row, const FlowLine& line, WallTime now);

}  // namespace holdfast::platform::rules
