#pragma once

// How a person is asked about a call, as the rule that asks says it. Pure.

#include <string>

#include "agent/policy.h"
#include "definition/definition.h"
#include "protocol/activities.h"

namespace holdfast::agent {

struct Asking {
  std::int64_t expires_after_ms = 0;
  bool approve_on_expiry = false;
  std::optional<protocol::DecisionTerms> terms;
};

// `requester`: who started the run. Where that is not known, four eyes are two people who approve.
Asking asking_of(const ApprovalSpec& approvals, const Ruling& ruling, const std::string& requester);
protocol::Verdict verdict_of(Action action);
// What those who watch see of what rules in shadow would have done.
Json shadow_json(const ShadowRuling& shadow);

}  // namespace holdfast::agent
