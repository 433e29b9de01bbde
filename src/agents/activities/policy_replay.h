#pragma once

// What a policy would have said of calls that were made, or were not, under another one: `holdfast policy
// test`. Pure.

#include <cstdint>
#include <map>
#include <set>
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
  bool whole = true;   // its arguments are known
  // Where the conversation has it.
  std::uint64_t message = 0;
  std::uint32_t ordinal = 0;
  std::string approval;  // with the arguments that a person edited
};

// Whether it was made, or is under way.
bool was_made(const PlayedCall& call);

struct PlayedRuling {
  Ruling ruling;
  bool differs = false;  // from what was said then
};

// One ruling a call, in their order. A call sees those of its run before it that were made.
std::vector<PlayedRuling> play_policy(const AgentDefinition& agent, const std::vector<PlayedCall>& calls);

// Lines of {"run","tool","args","at","ok","ruling"}; only `tool` and `args` must be there. `at` is RFC 3339
// or milliseconds since 1970. INVALID_ARGUMENT names the line.
Result<std::vector<PlayedCall>> read_calls(std::string_view text);
// The calls that the events of a run tell of, one event behind the other. Not thread-safe.
class CallsOfEvents {
 public:
  explicit CallsOfEvents(std::string run) : run_(std::move(run)) {}
  void apply(std::string_view type, std::int64_t at_ms, const Json& data);
  std::vector<PlayedCall> take() { return std::move(calls_); }
  std::size_t size() const { return calls_.size(); }

 private:
  void made_by_code(std::int64_t step, const Json& data);
  void said(std::int64_t step, std::int64_t at_ms, const Json& data);

  std::string run_;
  std::vector<PlayedCall> calls_;
  std::map<std::int64_t, std::size_t> by_step_;
  std::set<std::int64_t> begun_;  // steps
};

// Of the events of a run, as the API lists them: {"type","at","data"}. `unreadable`: calls whose arguments
// the events have not whole, which are left out.
std::vector<PlayedCall> calls_of_events(const std::string& run, const nlohmann::ordered_json& events,
                                        std::size_t& unreadable);

}  // namespace holdfast::agent
