#include "agent/policy.h"

#include <fmt/format.h>

namespace holdfast::agent {

namespace {

bool matches(const ApprovalRule& rule, const std::string& tool, const Json& arguments) {
  if (rule.tool != "*" && rule.tool != tool) return false;
  if (!rule.when) return true;
  switch (rule.when->evaluate(arguments)) {
    case spec::Truth::kTrue: return true;
    case spec::Truth::kFalse: return false;
    case spec::Truth::kUnknown: return rule.action != Action::kAllow;
  }
  return true;
}

std::string default_reason(Action action, const ApprovalRule* rule) {
  if (action == Action::kAllow) return "";
  if (rule && rule->when) return fmt::format("policy: {} when {}", to_string(action), rule->when->text());
  return fmt::format("policy: {}", to_string(action));
}

}  // namespace

Ruling check_policy(const ApprovalSpec& approvals, const std::string& tool, const Json& arguments) {
  for (const ApprovalRule& rule : approvals.rules) {
    if (!matches(rule, tool, arguments)) continue;
    return {rule.action, rule.reason.empty() ? default_reason(rule.action, &rule) : rule.reason,
            rule.expires_after.value_or(approvals.expires_after)};
  }
  return {approvals.fallback, default_reason(approvals.fallback, nullptr), approvals.expires_after};
}

}  // namespace holdfast::agent
