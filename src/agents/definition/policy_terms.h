#pragma once

// What a rule of `approvals` says besides its tool and its action: its condition in CEL, whether it is only
// tried (`mode: shadow`), and on which terms people decide: who, how many, until when, and who else after a
// while. Absent keys are left out of the canonical form, so that versions without them keep their hash.
// Values and pure functions.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "spec/cel.h"
#include "spec/yaml_reader.h"

namespace holdfast::agent {

inline constexpr std::size_t kMaxWho = 32;
inline constexpr std::size_t kMaxEscalations = 16;
inline constexpr int kMaxQuorum = 32;

// What silence means: the call is not made, it is made, or the run ends.
enum class OnExpiry : std::uint8_t { kReject, kApprove, kFail };

struct EscalationSpec {
  std::chrono::milliseconds after{0};
  std::vector<std::string> to;
};

struct RuleTerms {
  std::string name;                          // empty: rules[N], by its place
  std::optional<spec::cel::Expression> cel;  // the condition, where `language: cel` is said
  bool shadow = false;
  int quorum = 1;
  std::vector<std::string> who;  // roles, or user:NAME; none: whoever may decide
  bool four_eyes = false;
  std::vector<EscalationSpec> escalate;
  std::optional<OnExpiry> on_expiry;  // none: approvals.on_expiry

  bool asks_more() const { return quorum > 1 || !who.empty() || four_eyes || !escalate.empty(); }
};

// Of all rules.
struct PolicyTerms {
  bool cel = false;     // conditions are CEL; else of spec/condition.h
  bool shadow = false;  // no rule is enforced
  bool fail_on_expiry = false;
};

// The functions that a condition has besides CEL's own.
const std::vector<std::string>& policy_functions();

// `language` and `mode`, within `approvals`.
PolicyTerms parse_policy_terms(spec::MapReader& approvals);
// `asks`: the rule's action is to ask.
void parse_rule_terms(spec::MapReader& rule, bool asks, RuleTerms& out);
// `when`, in CEL. A mistake is told with its column.
std::optional<spec::cel::Expression> parse_cel(spec::MapReader& rule, std::string_view when);

void add_policy_terms(nlohmann::json& approvals, const PolicyTerms& terms);
void add_rule_terms(nlohmann::json& rule, const RuleTerms& terms);
// Into the JSON Schema of agent.yaml.
void add_policy_schema(nlohmann::ordered_json& schema);

}  // namespace holdfast::agent
