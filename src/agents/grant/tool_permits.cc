#include "grant/tool_permits.h"

#include <fmt/format.h>

namespace holdfast::grant {

using platform::GrantMode;
using platform::kAnyScope;
using platform::ToolGrant;

namespace {

bool fits(std::string_view wanted, std::string_view is) {
  return wanted == kAnyScope || (!is.empty() && wanted == is);
}

bool fits(const ToolGrant& row, const ToolScope& scope) {
  return fits(row.agent, scope.agent) && fits(row.team, scope.team) &&
         fits(row.environment, scope.environment);
}

}  // namespace

void ToolPermits::Patterns::add(const ToolGrant& row) {
  for (const std::string& tool : row.tools) {
    if (tool.ends_with('*'))
      beginnings.emplace_back(tool.substr(0, tool.size() - 1), row.id);
    else
      names.emplace(tool, row.id);
  }
}

const std::string* ToolPermits::Patterns::find(std::string_view tool) const {
  if (const auto exact = names.find(tool); exact != names.end()) return &exact->second;
  for (const auto& [beginning, id] : beginnings) {
    if (tool.starts_with(beginning)) return &id;
  }
  return nullptr;
}

ToolPermits::ToolPermits(const std::vector<ToolGrant>& rows, ToolScope scope) : scope_(std::move(scope)) {
  for (const ToolGrant& row : rows) {
    if (!fits(row, scope_)) continue;
    if (row.mode == GrantMode::kDeny) {
      denied_.add(row);
    } else {
      allowed_.add(row);
      closed_ = true;
    }
  }
}

std::string ToolPermits::whose() const {
  std::string out = fmt::format("the agent {}", scope_.agent);
  if (!scope_.team.empty()) out += fmt::format(" of team {}", scope_.team);
  if (!scope_.environment.empty()) out += fmt::format(" in {}", scope_.environment);
  return out;
}

std::optional<std::string> ToolPermits::refusal(std::string_view tool) const {
  if (const std::string* row = denied_.find(tool))
    return fmt::format("the tool {} is denied to {} by the grant {}", tool, whose(), *row);
  if (!closed_ || allowed_.find(tool)) return std::nullopt;
  return fmt::format(
      "the tool {0} is not granted to {1}; an admin grants it with `holdfast grant add --agent {2} --tool "
      "{0}`",
      tool, whose(), scope_.agent);
}

}  // namespace holdfast::grant
