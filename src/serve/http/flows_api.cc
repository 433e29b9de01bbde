// /api/v1/flows: flows that can be run, and their runs. A version is the hash of what the flow says;
// registering the same twice changes nothing. A run of a flow is a run like any other, of the agent
// flow:NAME.

#include <fmt/format.h>

#include "base/json.h"
#include "http/agent_json.h"
#include "http/api_context.h"
#include "http/definition_upload.h"
#include "http/flows_api.h"
#include "http/problems.h"
#include "http/run_json.h"
#include "protocol/flow_run.h"
#include "runs/start_settings.h"

namespace holdfast::http {

namespace {

constexpr std::uint32_t kNewestVersions = 100;
constexpr std::uint32_t kFlowsPage = 100;

Json flow_json(const platform::Definition& definition, bool with_text) {
  Json out = definition_json(definition, with_text);
  out["name"] = definition.name.substr(protocol::kFlowPrefix.size());
  return out;
}

Problem no_flow(std::string_view name) {
  return Problem(404, "flow_not_found", fmt::format("there is no flow '{}'", name))
      .hint("GET /api/v1/flows lists them");
}

Response list_flows(ApiContext& context, Request& request) {
  auto limit = number_parameter(request, "limit", kFlowsPage, 1, platform::kMaxPage);
  if (!limit) return limit.error().response();
  auto after = cursor_parameter(request);
  if (!after) return after.error().response();
  // Names are in order, so flows stand together.
  const std::string from = after->empty() ? std::string(protocol::kFlowPrefix) : *after;
  auto definitions = context.store().definitions(from, *limit);
  if (!definitions) return Problem::from(definitions.error()).response();
  Json rows = Json::array();
  std::size_t bytes = 0;
  for (const platform::Definition& definition : *definitions) {
    if (!protocol::is_flow(definition.name)) break;
    rows.push_back(flow_json(definition, false));
    bytes += definition.text.size();
  }
  const bool more = rows.size() == *limit || bytes >= platform::kMaxListedText;
  Json next = next_cursor(request.path, more ? (*definitions)[rows.size() - 1].name : "");
  return json_response({{"flows", std::move(rows)}, {"next_cursor", std::move(next)}});
}

Response show_flow(ApiContext& context, Request& request) {
  const std::string name = protocol::agent_of_flow(request.param("name"));
  auto current = context.store().current_definition(name);
  if (!current && current.error().code() == Code::kNotFound) return no_flow(request.param("name")).response();
  if (!current) return Problem::from(current.error()).response();
  Json out = flow_json(*current, true);
  out["versions"] = Json::array();
  if (auto versions = context.store().definition_versions(name, kNewestVersions)) {
    for (const platform::Definition& version : *versions) {
      out["versions"].push_back(
          {{"version", version.hash}, {"current", version.current}, {"updated_at", iso_time(version.at)}});
    }
  }
  return json_response(out);
}

Response put_flow(ApiContext& context, Request& request) {
  // As it is stored; of the route without a name, any flow's.
  const auto uploaded = upload(context, request, kFlowUpload, protocol::agent_of_flow(request.param("name")));
  if (!uploaded) return uploaded.error().response();
  return uploaded_response(flow_json(uploaded->definition, false), *uploaded);
}

std::expected<platform::StartIntent, Problem> intent_of(ApiContext& context, const Request& request) {
  auto body = json_body(request, {"version", "input", "id"}, true);
  if (!body) return std::unexpected(body.error());
  auto id = string_member(*body, "id", runs::kMaxIdBytes);
  if (!id) return std::unexpected(id.error());
  if (body->contains("id")) {
    if (Status valid = runs::check_run_id(*id); !valid.ok()) return std::unexpected(problem_of(valid));
  }
  auto version = string_member(*body, "version", 100);
  if (!version) return std::unexpected(version.error());
  platform::StartIntent intent;
  intent.run = *id;
  intent.agent = protocol::agent_of_flow(request.param("name"));
  intent.definition_hash = *version;
  intent.input = dump_json(body->value("input", Json(nullptr)));
  intent.idempotency_key = std::string(request.header("idempotency-key"));
  intent.started_by = actor_of(request, identity::kLocalName);
  nlohmann::json settings = nlohmann::json::object();
  runs::put_asker(settings, context.store(), intent, asker_of(request));
  if (!settings.empty()) intent.settings = dump_json(settings);
  return intent;
}

Response start_flow(ApiContext& context, Request& request) {
  const std::string_view name = request.param("name");
  const auto current = context.store().current_definition(protocol::agent_of_flow(name));
  if (!current && current.error().code() == Code::kNotFound) return no_flow(name).response();
  auto intent = intent_of(context, request);
  if (!intent) return intent.error().response();
  auto started = context.runs().start(*intent);
  if (!started) return problem_of(started.error()).response();
  Response response = json_response(started_json(*started), started->created ? 202 : 200);
  response.headers.push_back({"Location", "/api/v1/runs/" + started->run.run});
  return response;
}

}  // namespace

void add_flow_routes(Router& router, ApiContext& context) {
  router.add("GET", "/api/v1/flows", Permission::kRead, context.answering(list_flows), {"limit", "cursor"});
  router.add("POST", "/api/v1/flows", Permission::kDeploy, context.answering(put_flow), {"source", "base"});
  router.add("GET", "/api/v1/flows/{name}", Permission::kRead, context.answering(show_flow));
  router.add("PUT", "/api/v1/flows/{name}", Permission::kDeploy, context.answering(put_flow),
             {"source", "base"});
  router.add("POST", "/api/v1/flows/{name}/runs", Permission::kRun, context.answering(start_flow));
}

}  // namespace holdfast::http
