#pragma once

// The approval check: a pure function of rules, tool and arguments.

#include <chrono>
#include <string>

#include "definition/definition.h"

namespace holdfast::agent {

struct Ruling {
  Action action = Action::kAllow;
  std::string reason;         // shown to the person, or to the model when denied
  Duration expires_after{0};  // kAsk
};

// The first rule that matches decides. A condition that cannot be told (absent argument, other type) matches
// rules that ask or deny and not those that allow: doubt never lets a call pass.
Ruling check_policy(const ApprovalSpec& approvals, const std::string& tool, const Json& arguments);

}  // namespace holdfast::agent
