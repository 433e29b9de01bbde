#pragma once

// The policy: a pure function of rules, tool, arguments, and of what the run has done before.

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "definition/definition.h"
#include "spec/cel.h"

namespace holdfast::agent {

// What rules in shadow would have made of a call.
struct ShadowRuling {
  Action action = Action::kAllow;
  std::string rule;
  std::string reason;
};

struct Ruling {
  Action action = Action::kAllow;
  std::string reason;                  // shown to the person, or to the model when denied
  Duration expires_after{0};           // kAsk
  std::string rule;                    // that decided; empty: none did
  RuleTerms terms;                     // of that rule
  std::optional<ShadowRuling> shadow;  // none: they would have done the same
};

// A call of the run, as a rule sees it: {"tool", "args", "ok", "state", "time", "ended"}.
struct MadeCall {
  std::string tool;
  Json arguments;
  std::int64_t at_ms = 0;
  std::int64_t ended_ms = 0;  // 0: it is under way
  bool ok = false;
};

// What a rule may know besides the call.
struct PolicyFacts {
  std::int64_t now_ms = 0;
  // The calls of that tool so far, the oldest first; or why they are not known. None: rules that look at them
  // are passed over, since they are asked when the call is made.
  std::function<std::expected<std::vector<MadeCall>, std::string>(const std::string& tool)> calls;
};

// The first rule that matches decides. A condition that cannot be told (absent argument, other type, history
// that is not known any more) matches rules that ask or deny and not those that allow: doubt never lets a
// call pass.
Ruling check_policy(const ApprovalSpec& approvals, const std::string& tool, const Json& arguments,
                    const PolicyFacts& facts = {});

// Whether a rule of that tool looks at what the run has done.
bool reads_history(const ApprovalSpec& approvals, const std::string& tool);
// The tools whose calls have to be remembered for such rules.
std::vector<std::string> watched_tools(const ApprovalSpec& approvals);
// "rules[2]", or the name that it was given.
std::string rule_name(const ApprovalSpec& approvals, std::size_t index);

}  // namespace holdfast::agent
