// /api/v1/grants: which tools agents are granted. A grant is never changed: it is added, and taken back.

#include <fmt/format.h>

#include "base/json.h"
#include "grant/tool_grants.h"
#include "http/api_context.h"
#include "platform/tool_grant_rules.h"

namespace holdfast::http {

namespace {

using platform::GrantMode;
using platform::ToolGrant;

constexpr std::size_t kMaxNameBytes = 200;

Json grant_json(const ToolGrant& row) {
  return {{"id", row.id},
          {"agent", row.agent},
          {"team", row.team},
          {"environment", row.environment},
          {"mode", platform::to_string(row.mode)},
          {"tools", row.tools},
          {"reason", row.reason},
          {"set_by", row.set_by},
          {"set_at", iso_time(row.set_at)}};
}

Problem problem_of_grant(const Status& status) {
  switch (status.code()) {
    case Code::kInvalidArgument: return {400, "invalid_grant", status.message()};
    case Code::kNotFound:
      return Problem(404, "grant_not_found", status.message()).hint("GET /api/v1/grants lists them");
    case Code::kFailedPrecondition:
      return Problem(409, "grant_limits", status.message())
          .hint("?open=true takes it back all the same; a grant of mode deny takes tools away at once");
    case Code::kResourceExhausted: return {409, "too_many_grants", status.message()};
    default: return Problem::from(status);
  }
}

std::expected<ToolGrant, Problem> grant_in(const Json& body) {
  ToolGrant out;
  for (const auto& [name, into] : {std::pair("agent", &out.agent), std::pair("team", &out.team),
                                   std::pair("environment", &out.environment)}) {
    if (!body.contains(name)) continue;
    auto text = string_member(body, name, kMaxNameBytes);
    if (!text) return std::unexpected(text.error());
    *into = *std::move(text);
  }
  auto mode = string_member(body, "mode", kMaxNameBytes);
  if (!mode) return std::unexpected(mode.error());
  if (!mode->empty() && *mode != to_string(GrantMode::kAllow) && *mode != to_string(GrantMode::kDeny))
    return std::unexpected(Problem(400, "invalid_field", "'mode' is allow or deny"));
  if (*mode == to_string(GrantMode::kDeny)) out.mode = GrantMode::kDeny;
  auto reason = string_member(body, "reason", platform::rules::kMaxGrantReason);
  if (!reason) return std::unexpected(reason.error());
  out.reason = *std::move(reason);
  const auto tools = body.find("tools");
  if (tools == body.end() || !tools->is_array())
    return std::unexpected(Problem(400, "missing_field", "'tools' is missing").hint("give a list of names"));
  if (tools->size() > platform::rules::kMaxToolsOfGrant) {
    return std::unexpected(Problem(400, "invalid_grant",
                                   fmt::format("'tools' are at most {}", platform::rules::kMaxToolsOfGrant)));
  }
  for (const Json& tool : *tools) {
    if (!tool.is_string())
      return std::unexpected(Problem(400, "invalid_field", "'tools' is a list of texts"));
    out.tools.push_back(tool.get<std::string>());
  }
  return out;
}

// The operator's, too: they are the ceiling.
Response list_grants(ApiContext& context, Request&) {
  Json rows = Json::array();
  for (const ToolGrant& row : context.deps.tool_grants->list()) rows.push_back(grant_json(row));
  return json_response({{"grants", std::move(rows)}, {"operator", *context.deps.operator_grants}});
}

// The same grant again is the one that is there: repeating the request changes nothing.
Response add_grant(ApiContext& context, Request& request) {
  auto body = json_body(request, {"agent", "team", "environment", "mode", "tools", "reason"});
  if (!body) return body.error().response();
  auto row = grant_in(*body);
  if (!row) return row.error().response();
  row->set_by = actor_of(request, identity::kLocalName);
  const auto added = context.deps.tool_grants->add(*std::move(row));
  if (!added) return problem_of_grant(added.error()).response();
  return json_response(grant_json(added->row), added->is_new ? 201 : 200);
}

Response revoke_grant(ApiContext& context, Request& request) {
  const std::string_view open = request.query_value("open").value_or("false");
  if (open != "true" && open != "false")
    return Problem(400, "invalid_parameter", "'open' is true or false").response();
  const auto revoked = context.deps.tool_grants->revoke(
      std::string(request.param("id")), actor_of(request, identity::kLocalName), open == "true");
  if (!revoked) return problem_of_grant(revoked.error()).response();
  return json_response(grant_json(*revoked));
}

}  // namespace

void add_grant_routes(Router& router, ApiContext& context) {
  using enum Permission;
  router.add("GET", "/api/v1/grants", kDeploy, context.answering(list_grants));
  router.add("POST", "/api/v1/grants", kAdmin, context.answering(add_grant));
  router.add("DELETE", "/api/v1/grants/{id}", kAdmin, context.answering(revoke_grant), {"open"});
}

}  // namespace holdfast::http
