#pragma once

// Rules of when runs of an agent that have a key in common may begin: what `flow` of a definition says, and
// what is stored with a run that waits. Values; fields may be added.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::protocol {

// Of all runs of a line.
inline constexpr std::uint32_t kMaxFlowWaiting = 100'000;
// What becomes one run: so many, and so many bytes of input.
inline constexpr std::uint32_t kMaxFlowBatch = 1000;
inline constexpr std::size_t kMaxFlowBatchBytes = 1 << 20;
// 0: there is no such rule.
struct FlowRules {
  FlowRules() = default;
  std::uint32_t concurrency = 0;  // runs that are under way at a time; 1: one behind the other
  std::uint32_t throttle = 0;     // runs that begin within the period; the others wait
  std::int64_t throttle_ms = 0;
  std::uint32_t rate = 0;  // runs that are taken within the period; the others are refused
  std::int64_t rate_ms = 0;
  std::int64_t debounce_ms = 0;  // a run begins when nobody has come for so long; the last one stands for all
  std::int64_t debounce_timeout_ms = 0;  // or since the first one came
  std::uint32_t batch = 0;               // so many runs become one
  std::int64_t batch_ms = 0;             // or those that came since the first one
  std::uint32_t max_waiting = 1000;      // one more is refused

  bool operator==(const FlowRules&) const = default;
};
std::string to_text(const FlowRules& rules);
FlowRules flow_rules_of(std::string_view text);

}  // namespace holdfast::protocol
