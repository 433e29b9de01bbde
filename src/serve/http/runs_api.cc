// /api/v1/runs: start, list, show, cancel, terminate.

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "http/api_context.h"

namespace holdfast::http {

namespace {

using platform::Approval;
using platform::ApprovalStatus;

// Where a run stands: from the engine, unless the end is known already.
struct Standing {
  RunStatus status = RunStatus::kQueued;
  std::optional<RunOutcome> outcome;
  std::optional<RunState> state;
};

Standing standing_of(ApiContext& context, const platform::RunRecord& run) {
  Standing standing;
  standing.outcome = context.tracker->known_outcome(run.run);
  if (!standing.outcome) {
    Result<RunState> state = context.engine->describe(run.run);
    if (state) {
      standing.status = state->status;
      standing.state = *std::move(state);
      if (!is_closed(standing.status)) return standing;
      Result<RunOutcome> outcome = context.engine->outcome(run.run);
      if (!outcome) return standing;
      context.tracker->remember(run.run, *outcome);
      standing.outcome = *std::move(outcome);
    } else if (state.error().code() != Code::kNotFound || !run.started_at) {
      // Not confirmed, or the engine does not answer: what the store says is the best there is.
      standing.status = run.started_at ? RunStatus::kRunning : RunStatus::kQueued;
      return standing;
    } else {
      standing.status = RunStatus::kFailed;
      RunOutcome lost;
      lost.status = RunStatus::kFailed;
      lost.error_type = "NotFound";
      lost.error_message = "the engine does not know this run any more";
      standing.outcome = std::move(lost);
    }
  }
  standing.status = standing.outcome->status;
  return standing;
}

Json summary_json(const platform::RunRecord& run, const Standing& standing, bool waits) {
  Json out = {
      {"id", run.run},
      {"agent", run.agent},
      {"version", run.definition_hash},
      {"status", run_status_name(standing.status)},
      {"waiting_on", waits && !is_closed(standing.status) ? Json("approval") : Json(nullptr)},
      {"input", parse_or_string<Json>(run.input)},
      {"created_at", iso_time(run.created_at)},
      {"started_at", run.started_at ? Json(iso_time(*run.started_at)) : Json(nullptr)},
      {"closed_at", nullptr},
  };
  if (standing.outcome && standing.outcome->closed_at)
    out["closed_at"] = iso_time(*standing.outcome->closed_at);
  if (standing.outcome && standing.status != RunStatus::kCompleted) {
    out["error"] = {{"type", standing.outcome->error_type}, {"message", standing.outcome->error_message}};
  }
  return out;
}

// The agent's result is an object with `output`; a workflow of another kind may give anything.
Json output_of(const RunOutcome& outcome) {
  Json result = parse_or_string<Json>(outcome.result);
  if (result.is_object() && result.contains("output")) return result["output"];
  return result;
}

std::expected<std::vector<Approval>, Problem> approvals_of(ApiContext& context, const std::string& run) {
  platform::ApprovalFilter filter;
  filter.run = run;
  filter.limit = platform::kMaxPage;
  auto approvals = context.store().approvals(filter);
  if (!approvals) return std::unexpected(Problem::from(approvals.error()));
  return *std::move(approvals);
}

Json pending_activities_json(const RunState& state) {
  Json out = Json::array();
  for (const RunState::PendingActivity& activity : state.pending_activities) {
    Json row = {{"type", activity.type}, {"attempt", activity.attempt}};
    if (!activity.last_failure.empty()) row["last_failure"] = activity.last_failure;
    if (activity.next_attempt_at) row["next_attempt_at"] = iso_time(*activity.next_attempt_at);
    out.push_back(std::move(row));
  }
  return out;
}

std::expected<Json, Problem> run_json(ApiContext& context, const platform::RunRecord& run) {
  Standing standing = standing_of(context, run);
  auto approvals = approvals_of(context, run.run);
  if (!approvals) return std::unexpected(approvals.error());
  auto view = context.views->snapshot(run.run);
  if (!view) return std::unexpected(Problem::from(view.error()));
  auto usage = context.store().usage_of_run(run.run);
  if (!usage) return std::unexpected(Problem::from(usage.error()));

  bool waits = std::any_of(approvals->begin(), approvals->end(), [](const Approval& approval) {
    return approval.status == ApprovalStatus::kPending;
  });
  Json out = summary_json(run, standing, waits);
  bool completed = standing.outcome && standing.status == RunStatus::kCompleted;
  out["output"] = completed ? output_of(*standing.outcome) : Json(nullptr);
  out["partial_output"] = view->partial_output.empty() ? Json(nullptr) : Json(view->partial_output);
  out["approvals"] = Json::array();
  for (const Approval& approval : *approvals) out["approvals"].push_back(approval_json(approval));
  out["usage"] = {{"model_calls", usage->calls},
                  {"input_tokens", usage->input_tokens},
                  {"output_tokens", usage->output_tokens},
                  {"cached_input_tokens", usage->cached_input_tokens}};
  out["steps"] = parse_json<Json>(view->steps_json);
  if (standing.state) out["pending_activities"] = pending_activities_json(*standing.state);
  out["workflow"] = {
      {"namespace", context.info.namespace_name}, {"workflow_id", run.run}, {"run_id", run.engine_run_id}};
  out["events_cursor"] = view->cursor;
  return out;
}

// ---- POST /runs

// "refunds", or a definition: an object, or text with more than one line.
std::expected<std::string, Problem> agent_of(ApiContext& context, const Json& body) {
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
  auto deployed = context.deps.deploy({.text = text, .source = "agent"});
  if (!deployed) {
    return std::unexpected(Problem(deployed.error().code() == Code::kInvalidArgument ? 400 : 500,
                                   "invalid_definition", deployed.error().message()));
  }
  return deployed->name;
}

Problem unknown_agent(ApiContext& context, const std::string& name) {
  std::string names;
  if (auto all = context.store().definitions()) {
    for (const platform::Definition& one : *all) names += (names.empty() ? "" : ", ") + one.name;
  }
  return Problem(404, "agent_not_found", fmt::format("there is no agent '{}'", name))
      .hint(names.empty() ? "register one: PUT /api/v1/agents/NAME" : "registered are: " + names);
}

std::expected<platform::StartIntent, Problem> intent_of(ApiContext& context, const Request& request) {
  auto body = json_body(request, {"agent", "version", "input", "id"});
  if (!body) return std::unexpected(body.error());
  auto id = string_member(*body, "id", kMaxIdBytes);
  if (!id) return std::unexpected(id.error());
  if (body->contains("id") && !is_valid_id(*id)) {
    return std::unexpected(Problem(
        400, "invalid_id", "a run id has 1 to 200 letters, digits, and - _ . : @, and is not . or .."));
  }
  auto version = string_member(*body, "version", 100);
  if (!version) return std::unexpected(version.error());
  if (!body->contains("input")) {
    return std::unexpected(
        Problem(400, "missing_field", "'input' is missing").hint("give text, or any JSON value"));
  }
  auto agent = agent_of(context, *body);
  if (!agent) return std::unexpected(agent.error());
  auto definition = version->empty() ? context.store().current_definition(*agent)
                                     : context.store().definition(*agent, *version);
  if (!definition) {
    if (definition.error().code() == Code::kNotFound) {
      if (!version->empty() && context.store().current_definition(*agent)) {
        return std::unexpected(
            Problem(404, "version_not_found", fmt::format("agent '{}' has no version '{}'", *agent, *version))
                .hint("its versions are at /api/v1/agents/" + *agent));
      }
      return std::unexpected(unknown_agent(context, *agent));
    }
    return std::unexpected(Problem::from(definition.error()));
  }
  platform::StartIntent intent;
  intent.run = *id;
  intent.agent = *agent;
  intent.definition_hash = definition->hash;
  intent.input = dump_json((*body)["input"]);
  intent.idempotency_key = std::string(request.header("idempotency-key"));
  if (intent.idempotency_key.size() > kMaxIdBytes) {
    return std::unexpected(Problem(400, "invalid_header", "Idempotency-Key is longer than 200 bytes"));
  }
  return intent;
}

// The intent is durable before the answer, the workflow is started after it.
void start_run(ApiContext& context, Request& request, Responder responder) {
  auto intent = intent_of(context, request);
  if (!intent) return responder.reply(intent.error().response());
  auto started = context.store().start_run(*intent);
  if (!started) {
    Problem problem = Problem::from(started.error());
    if (started.error().code() == Code::kAlreadyExists) {
      problem = Problem(409, "run_exists", started.error().message())
                    .hint("the same request again gives the same run; another one needs another id or key");
    }
    return responder.reply(problem.response());
  }
  const platform::RunRecord& run = started->run;
  Json body = {{"id", run.run},
               {"agent", run.agent},
               {"version", run.definition_hash},
               {"status", started->created ? "queued" : run_status_name(standing_of(context, run).status)},
               {"created", started->created},
               {"created_at", iso_time(run.created_at)},
               {"links",
                {{"self", "/api/v1/runs/" + run.run},
                 {"events", "/api/v1/runs/" + run.run + "/events"},
                 {"page", "/#/runs/" + run.run}}}};
  Response response = json_response(body, started->created ? 202 : 200);
  response.headers.push_back({"Location", "/api/v1/runs/" + run.run});
  responder.reply(std::move(response));
  if (started->created) context.tracker->start(run);
}

// ---- GET /runs

std::expected<std::set<std::string>, Problem> runs_that_wait(ApiContext& context) {
  platform::ApprovalFilter filter;
  filter.status = ApprovalStatus::kPending;
  filter.limit = platform::kMaxPage;
  auto pending = context.store().approvals(filter);
  if (!pending) return std::unexpected(Problem::from(pending.error()));
  std::set<std::string> runs;
  for (const Approval& approval : *pending) runs.insert(approval.run);
  return runs;
}

// Status is the engine's to tell, so a filter looks at rows until the page is full or this many were seen.
constexpr std::size_t kMaxScanned = 1000;

Response list_runs(ApiContext& context, Request& request) {
  auto limit = number_parameter(request, "limit", 50, 1, kMaxPageRows);
  if (!limit) return limit.error().response();
  std::optional<RunStatus> wanted;
  if (auto name = request.query_value("status")) {
    wanted = run_status_by_name(*name);
    if (!wanted) {
      return Problem(400, "invalid_parameter", fmt::format("there is no status '{}'", *name))
          .hint("queued, running, completed, failed, canceled, terminated or timed_out")
          .response();
    }
  }
  platform::RunFilter filter;
  filter.agent = std::string(request.query_value("agent").value_or(""));
  if (auto cursor = request.query_value("cursor")) {
    auto after = from_base64url(*cursor);
    if (!after || after->empty())
      return Problem(400, "invalid_cursor", "the cursor is not one of ours").response();
    filter.after = *after;
  }
  auto waiting = runs_that_wait(context);
  if (!waiting) return waiting.error().response();

  Json rows = Json::array();
  std::size_t scanned = 0;
  bool more = true;
  while (rows.size() < *limit && scanned < kMaxScanned && more) {
    filter.limit = wanted ? kMaxPageRows : *limit;
    auto page = context.store().runs(filter);
    if (!page) {
      if (page.error().code() == Code::kInvalidArgument) {
        return Problem(400, "invalid_cursor", "the cursor's run does not exist").response();
      }
      return Problem::from(page.error()).response();
    }
    more = page->size() == filter.limit;
    for (const platform::RunRecord& run : *page) {
      if (rows.size() == *limit) {
        more = true;
        break;
      }
      ++scanned;
      filter.after = run.run;
      Standing standing = standing_of(context, run);
      if (!wanted || standing.status == *wanted) {
        rows.push_back(summary_json(run, standing, waiting->contains(run.run)));
      }
    }
  }
  Json next = more && !filter.after.empty() ? Json(base64url(filter.after)) : Json(nullptr);
  return json_response({{"runs", std::move(rows)}, {"next_cursor", std::move(next)}});
}

// ---- one run

// A sub-agent's run has a log but no row: its parent started it, not a person. The first event says what it
// is.
std::optional<platform::RunRecord> run_of_log(ApiContext& context, const std::string& id) {
  if (!is_valid_id(id)) return std::nullopt;
  auto page = context.deps.streams->read(id, "", 50);
  if (!page) return std::nullopt;
  for (const platform::Event& event : page->events) {
    if (event.type != "run.started") continue;
    Json data = parse_json<Json>(event.data);
    if (!data.is_object()) return std::nullopt;
    platform::RunRecord run;
    run.run = id;
    run.agent = data.value("agent", "");
    run.definition_hash = data.value("version", "");
    run.input = dump_json(data.value("input", Json("")));
    run.created_at = event.at;
    run.started_at = event.at;
    return run;
  }
  return std::nullopt;
}

std::expected<platform::RunRecord, Problem> find_run(ApiContext& context, const Request& request) {
  std::string id(request.param("id"));
  auto run = context.store().run(id);
  if (run) return *std::move(run);
  if (run.error().code() != Code::kNotFound) return std::unexpected(Problem::from(run.error()));
  if (auto child = run_of_log(context, id)) return *std::move(child);
  return std::unexpected(Problem(404, "run_not_found", fmt::format("there is no run '{}'", id))
                             .hint("GET /api/v1/runs lists them"));
}

Response show_run(ApiContext& context, Request& request) {
  auto run = find_run(context, request);
  if (!run) return run.error().response();
  auto json = run_json(context, *run);
  return json ? json_response(*json) : json.error().response();
}

Response stop_run(ApiContext& context, Request& request, bool terminate) {
  auto run = find_run(context, request);
  if (!run) return run.error().response();
  auto body = json_body(request, {"reason"}, true);
  if (!body) return body.error().response();
  auto reason = string_member(*body, "reason", 4000);
  if (!reason) return reason.error().response();

  Standing standing = standing_of(context, *run);
  if (is_closed(standing.status)) {
    return Problem(409, "run_closed",
                   fmt::format("run '{}' is over: {}", run->run, run_status_name(standing.status)))
        .member("run_status", dump_json(Json(run_status_name(standing.status))))
        .response();
  }
  Status done =
      terminate ? context.engine->terminate(run->run, *reason) : context.engine->cancel(run->run, *reason);
  if (!done.ok()) {
    if (done.code() == Code::kNotFound) {
      return Problem(409, "run_not_started", "the engine has not started this run, or it just ended")
          .hint("try again in a moment")
          .response();
    }
    return Problem::from(done).response();
  }
  return json_response({{"id", run->run}, {"requested", terminate ? "terminate" : "cancel"}}, 202);
}

}  // namespace

void add_run_routes(Router& router, ApiContext& context) {
  router.add("POST", "/api/v1/runs", context.blocking(start_run));
  router.add("GET", "/api/v1/runs", context.answering(list_runs), {"status", "agent", "limit", "cursor"});
  router.add("GET", "/api/v1/runs/{id}", context.answering(show_run));
  router.add("POST", "/api/v1/runs/{id}/cancel",
             context.answering([](ApiContext& c, Request& request) { return stop_run(c, request, false); }));
  router.add("POST", "/api/v1/runs/{id}/terminate",
             context.answering([](ApiContext& c, Request& request) { return stop_run(c, request, true); }));
}

}  // namespace holdfast::http
