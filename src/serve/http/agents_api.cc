// /api/v1/agents: definitions. A version is the hash of its text; registering the same text twice changes
// nothing.

#include <fmt/format.h>

#include "base/json.h"
#include "http/agent_json.h"
#include "http/api_context.h"
#include "http/definition_upload.h"
#include "http/problems.h"
#include "protocol/flow_run.h"

namespace holdfast::http {

namespace {

constexpr std::uint32_t kNewestVersions = 100;
constexpr std::uint32_t kAgentsPage = 100;

Response list_agents(ApiContext& context, Request& request) {
  auto limit = number_parameter(request, "limit", kAgentsPage, 1, platform::kMaxPage);
  if (!limit) return limit.error().response();
  auto after = cursor_parameter(request);
  if (!after) return after.error().response();
  auto definitions = context.store().definitions(*after, *limit);
  if (!definitions) return Problem::from(definitions.error()).response();
  Json rows = Json::array();
  std::size_t bytes = 0;
  for (const platform::Definition& definition : *definitions) {
    bytes += definition.text.size();
    if (!protocol::is_flow(definition.name)) rows.push_back(definition_json(definition, false));
  }
  const bool more = definitions->size() == *limit || bytes >= platform::kMaxListedText;
  Json next = next_cursor(request.path, more ? definitions->back().name : "");
  return json_response({{"agents", std::move(rows)}, {"next_cursor", std::move(next)}});
}

Response show_agent(ApiContext& context, Request& request) {
  std::string_view name = request.param("name");
  auto current = context.store().current_definition(name);
  if (!current || protocol::is_flow(name)) {
    if (!current && current.error().code() != Code::kNotFound)
      return Problem::from(current.error()).response();
    return Problem(404, "agent_not_found", fmt::format("there is no agent '{}'", name))
        .hint("GET /api/v1/agents lists them")
        .response();
  }
  Json out = definition_json(*current, true);
  out["versions"] = Json::array();
  if (auto versions = context.store().definition_versions(name, kNewestVersions)) {
    for (const platform::Definition& version : *versions) {
      out["versions"].push_back(
          {{"version", version.hash}, {"current", version.current}, {"updated_at", iso_time(version.at)}});
    }
  }
  out["labels"] = Json::array();
  if (auto labels = context.store().labels(name)) {
    for (const platform::Label& label : *labels) out["labels"].push_back(label_json(label));
  }
  return json_response(out);
}

Response put_agent(ApiContext& context, Request& request) {
  if (protocol::is_flow(request.param("name"))) {
    return Problem(400, "invalid_definition", "that is the name of a flow")
        .hint("PUT /api/v1/flows/NAME")
        .response();
  }
  const auto uploaded = upload(context, request, kAgentUpload, std::string(request.param("name")));
  if (!uploaded) return uploaded.error().response();
  return uploaded_response(definition_json(uploaded->definition, false), *uploaded);
}

}  // namespace

void add_agent_routes(Router& router, ApiContext& context) {
  router.add("GET", "/api/v1/agents", Permission::kRead, context.answering(list_agents), {"limit", "cursor"});
  router.add("POST", "/api/v1/agents", Permission::kDeploy, context.answering(put_agent), {"source", "base"});
  router.add("GET", "/api/v1/agents/{name}", Permission::kRead, context.answering(show_agent));
  router.add("PUT", "/api/v1/agents/{name}", Permission::kDeploy, context.answering(put_agent),
             {"source", "base"});
}

}  // namespace holdfast::http
