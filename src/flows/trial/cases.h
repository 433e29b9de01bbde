#pragma once

// The cases of a flow: a file beside it, `refund.test.yaml` of `refund.yaml`. Plain values; reading is pure.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trial/trial.h"

namespace holdfast::flows {

inline constexpr std::size_t kMaxCases = 1000;

// What a case expects; what it does not name is not looked at, but a failure is always told.
struct Expected {
  std::map<std::size_t, std::string> outlets;  // by block; protocol::kFlowSkipped: it does not run
  std::map<std::size_t, Json> results;
  std::map<std::size_t, Json> arguments;  // of calls
  std::optional<Json> output;
  // The block with whose error the run ends.
  std::optional<std::size_t> failed_block;
  std::string error_type;  // empty: any
  std::string error_says;  // a part of it
};

struct TrialCase {
  std::string name;
  TrialInput in;
  Expected expect;
};

// INVALID_ARGUMENT with every mistake, a line each: source:line:column: what is wrong and what to do.
Result<std::vector<TrialCase>> read_cases(std::string_view text, std::string_view source,
                                          const Program& program);

// `pinned` alone, of a file that has nothing else, or of the case of that name in a file of cases.
Result<std::map<std::string, Pinned>> read_pinned(std::string_view text, std::string_view source,
                                                  const Program& program, std::string_view of_case);

// What is not as the case expects, a line each. Empty: all is.
std::vector<std::string> judge(const Program& program, const Expected& expect, const Trial& trial);

}  // namespace holdfast::flows
