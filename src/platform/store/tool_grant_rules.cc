#include "platform/tool_grant_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/sha256.h"
#include "protocol/agent_reference.h"
#include "protocol/flow_run.h"

namespace holdfast::platform {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxScopeBytes = 63;  // of an agent's name, a team
constexpr std::size_t kMaxToolBytes = 64;
constexpr std::size_t kIdDigits = 12;

bool is_word(std::string_view text, std::size_t most, std::string_view more) {
  if (text.empty() || text.size() > most) return false;
  return std::ranges::all_of(text, [more](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           more.find(c) != std::string_view::npos;
  });
}

bool is_tool_pattern(std::string_view text) {
  if (text.ends_with('*')) text.remove_suffix(1);
  return text.empty() || is_word(text, kMaxToolBytes, "_-");
}

// What a flow's blocks call is granted as an agent's tools are.
std::string_view without_flow_prefix(std::string_view agent) {
  if (protocol::is_flow(agent)) agent.remove_prefix(protocol::kFlowPrefix.size());
  return agent;
}

Status wrong(std::string message) {
  return {Code::kInvalidArgument, std::move(message)};
}

bool within(std::string_view outer, std::string_view inner) {
  return outer == kAnyScope || outer == inner;
}

}  // namespace

std::string_view to_string(GrantMode mode) {
  return mode == GrantMode::kDeny ? "deny" : "allow";
}

namespace rules {

Status check_tool_grant(const ToolGrant& row) {
  if (Status status = check_name("the namespace of a grant", row.namespace_name); !status.ok()) return status;
  if (row.agent != kAnyScope && !is_word(without_flow_prefix(row.agent), kMaxScopeBytes, "-"))
    return wrong("`agent` is the name of an agent, or of a flow as flow:NAME, or * for every one");
  if (row.team != kAnyScope && !is_word(row.team, kMaxScopeBytes, "._-"))
    return wrong("`team` is a name of 1 to 63 letters, digits or . _ -, or * for every one");
  if (row.environment != kAnyScope && !protocol::is_label(row.environment))
    return wrong("`environment` is a label that runs are started by, as production, or * for every one");
  if (row.tools.empty() || row.tools.size() > kMaxToolsOfGrant)
    return wrong(fmt::format("`tools` are 1 to {} names of tools", kMaxToolsOfGrant));
  for (const std::string& tool : row.tools) {
    if (tool.empty() || !is_tool_pattern(tool)) {
      return wrong(
          fmt::format("`{}` is no name of a tool; give one of letters, digits, _ and -, perhaps with "
                      "a * at its end, or * for every tool",
                      tool.substr(0, kMaxToolBytes)));
    }
  }
  if (row.reason.size() > kMaxGrantReason)
    return wrong(fmt::format("`reason` has at most {} bytes", kMaxGrantReason));
  return check_name("who sets a grant", row.set_by);
}

std::vector<std::string> sorted_tools(std::vector<std::string> tools) {
  std::ranges::sort(tools);
  const auto same = std::ranges::unique(tools);
  tools.erase(same.begin(), same.end());
  return tools;
}

std::string tool_grant_id(const ToolGrant& row) {
  const Json said = {row.namespace_name, row.agent,           row.team,
                     row.environment,    to_string(row.mode), sorted_tools(row.tools)};
  return "g-" + sha256_hex(dump_json(said)).substr(0, kIdDigits);
}

bool covers(const ToolGrant& outer, const ToolGrant& inner) {
  return outer.namespace_name == inner.namespace_name && within(outer.agent, inner.agent) &&
         within(outer.team, inner.team) && within(outer.environment, inner.environment);
}

std::string tools_text(const std::vector<std::string>& tools) {
  return dump_json(Json(tools));
}

std::vector<std::string> tools_of(std::string_view text) {
  std::vector<std::string> out;
  const Json read = parse_json<Json>(text);
  if (!read.is_array()) return out;
  for (const Json& tool : read) {
    if (tool.is_string()) out.push_back(tool.get<std::string>());
  }
  return out;
}

AuditRow audit_of_grant(const ToolGrant& row, std::string_view action, std::string_view actor) {
  AuditRow out;
  out.actor = actor;
  out.action = action;
  out.subject = row.id;
  Json detail = {{"namespace", row.namespace_name}, {"agent", row.agent},          {"team", row.team},
                 {"environment", row.environment},  {"mode", to_string(row.mode)}, {"tools", row.tools}};
  if (!row.reason.empty()) detail["reason"] = row.reason;
  out.detail = dump_json(detail);
  return out;
}

}  // namespace rules

}  // namespace holdfast::platform
