// /api/v1/agents: definitions. A version is the hash of its text; registering the same text twice changes
// nothing.

#include <fmt/format.h>

#include "base/json.h"
#include "http/api_context.h"
#include "http/problems.h"

namespace holdfast::http {

namespace {

constexpr std::size_t kMaxPathBytes = 4096;  // PATH_MAX

Json definition_json(const platform::Definition& definition, bool with_text) {
  Json out = {{"name", definition.name},
              {"version", definition.hash},
              {"current", definition.current},
              {"updated_at", iso_time(definition.at)}};
  Json parsed = parse_json<Json>(definition.text);
  if (parsed.is_object()) {
    for (const char* place : {"description"}) {
      if (parsed.contains(place)) out[place] = parsed[place];
      if (parsed.contains("metadata") && parsed["metadata"].contains(place))
        out[place] = parsed["metadata"][place];
    }
  }
  if (with_text) out["definition"] = parsed.is_object() ? parsed : Json(definition.text);
  return out;
}

Response list_agents(ApiContext& context, Request&) {
  auto definitions = context.store().definitions();
  if (!definitions) return Problem::from(definitions.error()).response();
  Json rows = Json::array();
  for (const platform::Definition& definition : *definitions)
    rows.push_back(definition_json(definition, false));
  return json_response({{"agents", std::move(rows)}});
}

Response show_agent(ApiContext& context, Request& request) {
  std::string_view name = request.param("name");
  auto current = context.store().current_definition(name);
  if (!current) {
    if (current.error().code() != Code::kNotFound) return Problem::from(current.error()).response();
    return Problem(404, "agent_not_found", fmt::format("there is no agent '{}'", name))
        .hint("GET /api/v1/agents lists them")
        .response();
  }
  Json out = definition_json(*current, true);
  out["versions"] = Json::array();
  if (auto versions = context.store().definition_versions(name)) {
    for (const platform::Definition& version : *versions) {
      out["versions"].push_back(
          {{"version", version.hash}, {"current", version.current}, {"updated_at", iso_time(version.at)}});
    }
  }
  return json_response(out);
}

// The body is the definition itself, YAML or JSON; ?source=FILE is what errors call it, ?base=FOLDER is where
// it lies on this machine.
Response put_agent(ApiContext& context, Request& request) {
  if (request.body.empty()) {
    return Problem(400, "missing_body", "the body must be the definition")
        .hint("YAML or JSON; docs/guide/agents.md")
        .response();
  }
  std::string source(request.query_value("source").value_or("agent.yaml").substr(0, runs::kMaxIdBytes));
  std::string base(request.query_value("base").value_or(""));
  if (!base.empty() && (!base.starts_with('/') || base.size() > kMaxPathBytes)) {
    return Problem(400, "invalid_parameter", "'base' must be an absolute path")
        .hint("the folder of the definition's file on the server's machine")
        .response();
  }
  auto deployed = context.deps.deploy({.text = request.body,
                                       .source = source,
                                       .expected_name = request.param("name"),
                                       .base_directory = base});
  if (!deployed) {
    switch (deployed.error().code()) {
      case Code::kInvalidArgument:
        return Problem(400, "invalid_definition", deployed.error().message())
            .hint(base.empty() ? "docs/guide/agents.md; ?base=FOLDER says where relative paths start" : "")
            .response();
      case Code::kFailedPrecondition:
        return Problem(409, "name_mismatch", deployed.error().message()).response();
      case Code::kPermissionDenied: return not_granted(deployed.error()).response();
      default: return Problem::from(deployed.error()).response();
    }
  }
  auto current = context.store().current_definition(deployed->name);
  if (!current) return Problem::from(current.error()).response();
  Json out = definition_json(*current, false);
  out["created"] = deployed->created;
  return json_response(out, deployed->created ? 201 : 200);
}

}  // namespace

void add_agent_routes(Router& router, ApiContext& context) {
  router.add("GET", "/api/v1/agents", context.answering(list_agents));
  router.add("POST", "/api/v1/agents", context.answering(put_agent), {"source", "base"});
  router.add("GET", "/api/v1/agents/{name}", context.answering(show_agent));
  router.add("PUT", "/api/v1/agents/{name}", context.answering(put_agent), {"source", "base"});
}

}  // namespace holdfast::http
