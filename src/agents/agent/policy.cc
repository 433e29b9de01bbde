#include "agent/policy.h"

#include <fmt/format.h>

namespace holdfast::agent {

namespace {

// "SERVER__*": every tool of that server.
bool names(const std::string& rule, const std::string& tool) {
  if (rule == "*" || rule == tool) return true;
  return rule.ends_with("__*") && tool.starts_with(std::string_view(rule).substr(0, rule.size() - 1));
}

bool matches(const ApprovalRule& rule, const std::string& tool, const Json& arguments) {
  if (!names(rule.tool, tool)) return false;
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
