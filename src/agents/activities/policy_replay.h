#pragma once

// What a policy would have said of calls that were made, or were not, under another one: `holdfast policy
// test`. Pure.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/policy.h"
#include "definition/definition.h"
#include "holdfast/status.h"

namespace holdfast::agent {

inline constexpr std::size_t kMaxReplayedCalls = 100'000;

struct PlayedCall {
  std::string run;
  std::string tool;
  Json arguments;
  std::int64_t at_ms = 0;
  std::int64_t ended_ms = 0;  // 0: it was not made, or did not end
  bool ok = false;
  std::string ruling;  // what was said of it then: allow, ask or deny; empty: that is not known
};

struct PlayedRuling {
  Ruling ruling;
  bool differs = false;  // from what was said then
};

// One ruling a call, in their order. A call sees those of its run before it that were made.
std::vector<PlayedRuling> play_policy(const AgentDefinition& agent, const std::vector<PlayedCall>& calls);

// Lines of {"run","tool","args","at","ok","ruling"}; only `tool` and `args` must be there. `at` is RFC 3339
// or milliseconds since 1970. INVALID_ARGUMENT names the line.
Result<std::vector<PlayedCall>> read_calls(std::string_view text);
// Of the events of a run, as the API lists them: {"type","at","data"}. `unreadable`: calls whose arguments
// the events have not whole.
std::vector<PlayedCall> calls_of_events(const std::string& run, const nlohmann::ordered_json& events,
                                        std::size_t& unreadable);

}  // namespace holdfast::agent
