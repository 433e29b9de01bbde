// /api/v1/runs: start, list, show, cancel, terminate, delete.

#include <fmt/format.h>

#include "base/json.h"
#include "http/api_context.h"
#include "http/problems.h"
#include "http/run_json.h"
#include "platform/find_version.h"
#include "protocol/flow_run.h"

namespace holdfast::http {

namespace {

using runs::RunFault;
using runs::Runs;
using runs::RunStatus;

// ---- POST /runs

// What says which rules hold for a run is the deployer's to say, also where it comes with a start.
std::optional<Problem> not_a_deployer(ApiContext& context, const Request& request, std::string what) {
  if (context.deps.gate == nullptr) return std::nullopt;
  const Status may = context.deps.gate->check(sender_of(request), context.deps.namespace_name,
                                              identity::Permission::kDeploy);
  if (may.ok()) return std::nullopt;
  return Problem(403, "permission_denied", std::move(what) + ", which takes the role deployer");
}

// "refunds", or a definition: an object, or text with more than one line.
std::expected<std::string, Problem> agent_of(ApiContext& context, const Request& request, const Json& body) {
  auto member = body.find("agent");
  if (member == body.end() || member->is_null()) {
    return std::unexpected(Problem(400, "missing_field", "'agent' is missing")
                               .hint("give the name of a registered agent, or a definition"));
  }
  std::string text = member->is_string()   ? member->get<std::string>()
                     : member->is_object() ? dump_json(*member)
                                           : "";
  if (text.empty()) {
    return std::unexpected(
        Problem(400, "invalid_field", "'agent' must be a name, or a definition as YAML text or object"));
  }
  if (!member->is_object() && text.find('\n') == std::string::npos) return text;
  if (auto refused = not_a_deployer(context, request, "'agent' is a definition, and registers a version"))
    return std::unexpected(std::move(*refused).hint("name an agent that is registered"));
  auto deployed = context.deps.deploy({.text = text, .source = "agent"});
  if (!deployed && deployed.error().code() == Code::kPermissionDenied)
    return std::unexpected(not_granted(deployed.error()));
  if (!deployed && deployed.error().code() == Code::kUnavailable)
    return std::unexpected(Problem::from(deployed.error()));
  if (!deployed) {
    return std::unexpected(Problem(deployed.error().code() == Code::kInvalidArgument ? 400 : 500,
                                   "invalid_definition", deployed.error().message()));
  }
  return deployed->name;
}

// With their keys sorted, so that the same settings are the same request.
std::string settings_of(ApiContext& context, const Json& body, const Request& request,
                        const platform::StartIntent& intent) {
  nlohmann::json out = nlohmann::json::object();
  for (const char* name : {"context", "notify"}) {
    if (body.contains(name) && !body[name].is_null()) out[name] = nlohmann::json(body[name]);
  }
  runs::put_asker(out, context.store(), intent, asker_of(request));
  return out.empty() ? std::string() : dump_json(out);
}

// A start that says who decides hands out links: whoever may not change the policy could have them sent to
// himself.
std::optional<Problem> hands_out_links(ApiContext& context, const Request& request, const Json& body) {
  const auto notify = body.find("notify");
  if (notify == body.end() || !notify->is_array()) return std::nullopt;
  const bool names = std::ranges::any_of(
      *notify, [](const Json& entry) { return entry.is_object() && entry.contains("for"); });
  auto refused =
      names ? not_a_deployer(context, request, "`for` in `notify` says who decides") : std::nullopt;
  if (!refused) return std::nullopt;
  return std::move(*refused).hint(
      "leave `for` out, and the message has no link that decides; or put it into the definition");
}

std::expected<platform::StartIntent, Problem> intent_of(ApiContext& context, const Request& request) {
  auto body = json_body(request, {"agent", "version", "input", "id", "conversation", "context", "notify"});
  if (!body) return std::unexpected(body.error());
  if (auto refused = hands_out_links(context, request, *body)) return std::unexpected(*std::move(refused));
  auto id = string_member(*body, "id", runs::kMaxIdBytes);
  if (!id) return std::unexpected(id.error());
  if (body->contains("id")) {
    if (Status valid = runs::check_run_id(*id); !valid.ok()) return std::unexpected(problem_of(valid));
  }
  auto conversation = string_member(*body, "conversation", runs::kMaxIdBytes);
  if (!conversation) return std::unexpected(conversation.error());
  auto version = string_member(*body, "version", 100);
  if (!version) return std::unexpected(version.error());
  if (!body->contains("input")) {
    return std::unexpected(
        Problem(400, "missing_field", "'input' is missing").hint("give text, or any JSON value"));
  }
  auto agent = agent_of(context, request, *body);
  if (!agent) return std::unexpected(agent.error());
  platform::StartIntent intent;
  intent.run = *id;
  intent.agent = *agent;
  intent.definition_hash = *version;
  intent.input = dump_json((*body)["input"]);
  intent.conversation = *conversation;
  intent.settings = settings_of(context, *body, request, intent);
  intent.idempotency_key = std::string(request.header("idempotency-key"));
  intent.started_by = actor_of(request, identity::kLocalName);
  return intent;
}

Problem not_started(ApiContext& context, const platform::StartIntent& intent, const Status& error) {
  if (error.code() == Code::kPermissionDenied) return not_granted(error);
  Problem problem = problem_of(error);
  if (runs::run_fault(error) == RunFault::kVersionNotFound) {
    const std::string name = intent.agent.substr(0, intent.agent.find('@'));
    return std::move(problem).hint(fmt::format("its versions are at /api/v1/agents/{}/versions", name));
  }
  if (runs::run_fault(error) != RunFault::kAgentNotFound) return problem;
  const bool is_flow = protocol::is_flow(intent.agent);
  std::string names;
  constexpr std::uint32_t kNamed = 20;
  if (auto all = context.store().definitions(is_flow ? protocol::kFlowPrefix : "", kNamed)) {
    for (const platform::Definition& one : *all) {
      if (protocol::is_flow(one.name) != is_flow) continue;
      names += (names.empty() ? "" : ", ") + one.name.substr(is_flow ? protocol::kFlowPrefix.size() : 0);
    }
  }
  if (!names.empty()) return std::move(problem).hint("registered are: " + names);
  return is_flow ? std::move(problem).hint("register one: PUT /api/v1/flows/NAME") : std::move(problem);
}

Response start_run(ApiContext& context, Request& request) {
  auto intent = intent_of(context, request);
  if (!intent) return intent.error().response();
  auto started = context.runs().start(*intent);
  if (!started) return not_started(context, *intent, started.error()).response();
  Response response = json_response(started_json(*started), started->created ? 202 : 200);
  response.headers.push_back({"Location", "/api/v1/runs/" + started->run.run});
  return response;
}

// ---- GET /runs

std::expected<runs::RunQuery, Problem> query_of(const Request& request) {
  runs::RunQuery query;
  auto limit = number_parameter(request, "limit", query.limit, 1, runs::kMaxRunsPage);
  if (!limit) return std::unexpected(limit.error());
  query.limit = *limit;
  if (auto name = request.query_value("status")) {
    query.status = runs::run_status_by_name(*name);
    if (!query.status) query.held = protocol::hold_kind_by_name(*name);
    if (!query.status && !query.held) {
      return std::unexpected(
          Problem(400, "invalid_parameter", fmt::format("there is no status '{}'", *name))
              .hint("queued, running, paused, parked, completed, failed, canceled, terminated or timed_out"));
    }
  }
  query.agent = std::string(request.query_value("agent").value_or(""));
  auto range = range_parameters(request);
  if (!range) return std::unexpected(range.error());
  query.range = *range;
  auto after = cursor_parameter(request);
  if (!after) return std::unexpected(after.error());
  query.after = *after;
  return query;
}

Response list_runs(ApiContext& context, Request& request) {
  auto query = query_of(request);
  if (!query) return query.error().response();
  auto page = context.runs().list(*query);
  if (!page) return problem_of(page.error()).response();
  Json rows = Json::array();
  for (const runs::RunSummary& run : page->runs) rows.push_back(summary_json(run));
  Json next = next_cursor(request.path, page->next);
  return json_response({{"runs", std::move(rows)}, {"next_cursor", std::move(next)}});
}

// ---- one run

Response show_run(ApiContext& context, Request& request) {
  auto run = context.runs().view(std::string(request.param("id")));
  if (!run) return problem_of(run.error()).response();
  return json_response(details_json(*run, context.info.namespace_name));
}

using Stop = Result<RunStatus> (Runs::*)(const runs::StopRequest& request);

Response stop_run(ApiContext& context, Request& request, Stop stop, std::string_view verb) {
  const std::string id(request.param("id"));
  if (auto run = context.runs().find(id); !run) return problem_of(run.error()).response();
  auto body = json_body(request, {"reason"}, true);
  if (!body) return body.error().response();
  auto reason = string_member(*body, "reason", 4000);
  if (!reason) return reason.error().response();
  auto status =
      (context.runs().*stop)({.run = id, .by = actor_of(request, identity::kLocalName), .reason = *reason});
  if (!status) return problem_of(status.error()).response();
  if (is_closed(*status)) {
    return Problem(409, "run_closed", fmt::format("run '{}' is over: {}", id, to_string(*status)))
        .member("run_status", dump_json(Json(to_string(*status))))
        .response();
  }
  return json_response({{"id", id}, {"requested", verb}}, 202);
}

Response delete_run(ApiContext& context, Request& request) {
  const std::string id(request.param("id"));
  auto status = context.runs().erase({.run = id, .by = actor_of(request, identity::kLocalName)});
  if (!status) return problem_of(status.error()).response();
  return json_response({{"id", id}, {"requested", "delete"}}, 202);
}

}  // namespace

void add_run_routes(Router& router, ApiContext& context) {
  router.add("POST", "/api/v1/runs", Permission::kRun, context.answering(start_run));
  router.add("GET", "/api/v1/runs", Permission::kRead, context.answering(list_runs),
             {"status", "agent", "from", "to", "limit", "cursor"});
  router.add("GET", "/api/v1/runs/{id}", Permission::kRead, context.answering(show_run));
  router.add("DELETE", "/api/v1/runs/{id}", Permission::kAdmin, context.answering(delete_run));
  router.add("POST", "/api/v1/runs/{id}/cancel", Permission::kRun,
             context.answering([](ApiContext& c, Request& request) {
               return stop_run(c, request, &Runs::cancel, "cancel");
             }));
  router.add("POST", "/api/v1/runs/{id}/terminate", Permission::kRun,
             context.answering([](ApiContext& c, Request& request) {
               return stop_run(c, request, &Runs::terminate, "terminate");
             }));
}

}  // namespace holdfast::http
