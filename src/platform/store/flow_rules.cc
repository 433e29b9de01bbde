#include "platform/flow_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "platform/records.h"

namespace holdfast::platform {

namespace {

constexpr std::string_view kRefusalDetail = "holdfast/flow-refusal";

}  // namespace

std::string_view to_string(FlowState state) {
  switch (state) {
    case FlowState::kWaiting: return "waiting";
    case FlowState::kRunning: return "running";
    case FlowState::kOver: return "over";
    case FlowState::kSuperseded: return "superseded";
    case FlowState::kBatched: return "batched";
  }
  return "";
}

std::string_view to_string(FlowWait wait) {
  switch (wait) {
    case FlowWait::kNothing: return "";
    case FlowWait::kTurn: return "turn";
    case FlowWait::kConcurrency: return "concurrency";
    case FlowWait::kThrottle: return "throttle";
    case FlowWait::kDebounce: return "debounce";
    case FlowWait::kBatch: return "batch";
  }
  return "";
}

std::string flow_refusal(const Status& status) {
  for (const StatusDetail& detail : status.details()) {
    if (detail.type_url == kRefusalDetail) return detail.value;
  }
  return "";
}

namespace rules {

namespace {

using std::chrono::milliseconds;

Status refused(std::string_view rule, std::string message) {
  return Status(Code::kResourceExhausted, std::move(message))
      .with_detail(std::string(kRefusalDetail), std::string(rule));
}

FlowTurn waits(FlowTurn turn, FlowWait wait, std::optional<WallTime> until = std::nullopt) {
  turn.wait = wait;
  turn.until = until;
  return turn;
}

}  // namespace

Status check_flow(const FlowPlace& place) {
  if (Status status = check_name("a line of runs", place.line); !status.ok()) return status;
  if (Status status = check_name("a run", place.run); !status.ok()) return status;
  if (place.rules.batch > 0 && place.input.size() > kMaxFlowBatchBytes) {
    return {Code::kInvalidArgument,
            fmt::format("the input has {} bytes; of what is batched all inputs together "
                        "have {} at most",
                        place.input.size(), kMaxFlowBatchBytes)};
  }
  return {};
}

Result<FlowRow> enter_flow(const FlowPlace& place, std::uint32_t waiting, std::uint32_t came,
                           const std::optional<WallTime>& since, WallTime now) {
  const FlowRules& rules = place.rules;
  if (rules.rate > 0 && came >= rules.rate) {
    return fail(
        refused("rate_limit",
                fmt::format("the agent takes {} runs in {} ms for the key '{}' (flow.rate_limit), and has "
                            "taken them",
                            rules.rate, rules.rate_ms, place.key)));
  }
  // One that stands for those before it makes the line no longer.
  if (!since && waiting >= rules.max_waiting) {
    return fail(refused("max_waiting", fmt::format("{} runs wait for the key '{}' already (flow.max_waiting)",
                                                   waiting, place.key)));
  }
  FlowRow row;
  row.place = place;
  if (rules.batch == 0) row.place.input.clear();
  row.at = now;
  row.since = since.value_or(now);
  return row;
}

FlowTurn flow_turn(FlowRow row, const FlowLine& line, WallTime now) {
  FlowTurn turn;
  turn.row = std::move(row);
  if (turn.row.state != FlowState::kWaiting) return turn;
  const FlowRules& rules = turn.row.place.rules;
  turn.ahead = line.waiting_before;
  if (rules.debounce_ms > 0) {
    const WallTime quiet = turn.row.at + milliseconds(rules.debounce_ms);
    const WallTime due = rules.debounce_timeout_ms > 0
                             ? std::min(quiet, turn.row.since + milliseconds(rules.debounce_timeout_ms))
                             : quiet;
    if (now < due) return waits(std::move(turn), FlowWait::kDebounce, due);
  }
  if (rules.batch > 0 && line.waiting < rules.batch && line.waiting_bytes < kMaxFlowBatchBytes) {
    const WallTime due = line.first_waiting_at + milliseconds(rules.batch_ms);
    if (now < due) {
      if (turn.ahead > 0) turn.blockers = {line.first_waiting};
      return waits(std::move(turn), FlowWait::kBatch, due);
    }
  }
  // Those before it have the first claim to what is free; of a batch any may begin, and takes the others
  // along.
  const std::uint32_t before = rules.batch > 0 ? 0 : line.waiting_before;
  const bool none_free = rules.concurrency > 0 && line.running + before >= rules.concurrency;
  if (before > 0 && (none_free || (rules.throttle > 0 && before >= rules.throttle))) {
    turn.blockers = {line.first_waiting};
    return waits(std::move(turn), FlowWait::kTurn);
  }
  if (none_free) {
    turn.blockers = line.running_runs;
    return waits(std::move(turn), FlowWait::kConcurrency);
  }
  if (rules.throttle > 0 && line.nth_begun_at) {
    const WallTime due = *line.nth_begun_at + milliseconds(rules.throttle_ms);
    if (now < due) return waits(std::move(turn), FlowWait::kThrottle, due);
  }
  turn.row.state = FlowState::kRunning;
  turn.row.begun_at = now;
  return turn;
}

}  // namespace rules
}  // namespace holdfast::platform
