// /api/v1/runs/{id}/messages, pause, resume, fail, retry and undo, and /api/v1/runs/bulk: runs that are
// steered.

#include <fmt/format.h>

#include <map>
#include <utility>

#include "base/json.h"
#include "http/api_context.h"
#include "http/problems.h"
#include "http/run_json.h"
#include "http/steering.h"

namespace holdfast::http {

namespace {

using runs::SteerKind;
using runs::SteerRequest;

constexpr std::size_t kMaxReason = 4000;
constexpr std::size_t kMaxVersion = 100;

// ---- one run

std::expected<SteerRequest, Problem> message_of(const Request& request) {
  auto body = json_body(request, {"input", "id", "by"});
  if (!body) return std::unexpected(body.error());
  return read_message(*body, request);
}

std::expected<SteerRequest, Problem> steering_of(const Request& request, SteerKind kind) {
  if (kind == SteerKind::kMessage) return message_of(request);
  const bool resumes = kind == SteerKind::kResume;
  auto body =
      resumes ? json_body(request, {"by", "version"}, true) : json_body(request, {"by", "reason"}, true);
  if (!body) return std::unexpected(body.error());
  SteerRequest out;
  out.kind = kind;
  auto by = string_member(*body, "by", runs::kMaxIdBytes);
  if (!by) return std::unexpected(by.error());
  out.by = actor_of(request, *by);
  auto reason = string_member(*body, "reason", kMaxReason);
  if (!reason) return std::unexpected(reason.error());
  out.reason = *reason;
  auto version = string_member(*body, "version", kMaxVersion);
  if (!version) return std::unexpected(version.error());
  out.version = *version;
  out.id = std::string(request.header("idempotency-key"));
  return out;
}

std::string_view state_of(SteerKind kind) {
  switch (kind) {
    case SteerKind::kMessage: return "queued";
    case SteerKind::kPause: return "paused";
    case SteerKind::kResume: return "running";
    case SteerKind::kGiveUp: return "failing";
  }
  return "";
}

void steer(ApiContext& context, Request& request, Responder responder, SteerKind kind) {
  auto steered = steering_of(request, kind);
  if (!steered) return responder.reply(steered.error().response());
  steered->run = std::string(request.param("id"));
  context.runs().steer(
      *steered, kAnswerWithin,
      [responder = std::move(responder), steered = *steered](Result<std::string> answer) mutable {
        responder.reply(steered_response(steered, answer));
      });
}

Response retry_run(ApiContext& context, Request& request) {
  auto body = json_body(request, {"id", "version", "by"}, true);
  if (!body) return body.error().response();
  runs::RetryRequest retried;
  retried.run = std::string(request.param("id"));
  auto id = string_member(*body, "id", runs::kMaxIdBytes);
  if (!id) return id.error().response();
  retried.id = *id;
  auto version = string_member(*body, "version", kMaxVersion);
  if (!version) return version.error().response();
  retried.version = *version;
  auto by = string_member(*body, "by", runs::kMaxIdBytes);
  if (!by) return by.error().response();
  retried.by = actor_of(request, *by);
  auto started = context.runs().retry(retried);
  if (!started) return problem_of(started.error()).response();
  Json out = started_json(*started);
  // Of a run that takes effects back it is the run that had them.
  const auto origin = context.store().origin(started->run.run);
  out["origin"] = origin && *origin ? (*origin)->origin : retried.run;
  Response response = json_response(out, started->created ? 202 : 200);
  response.headers.push_back({"Location", "/api/v1/runs/" + started->run.run});
  return response;
}

Response undo_plan(const std::string& run, const Result<runs::UndoPlan>& plan) {
  if (!plan) return problem_of(plan.error()).response();
  Json effects = Json::array();
  for (const runs::UndoRow& row : plan->effects) {
    effects.push_back({{"agent", row.agent},
                       {"tool", row.tool},
                       {"step", row.step},
                       {"key", row.key},
                       {"would", to_string(row.would)}});
    if (row.item) effects.back()["item"] = *row.item;
  }
  return json_response({{"dry_run", true},
                        {"origin", run},
                        {"agent", plan->agent},
                        {"version", plan->version},
                        {"effects", std::move(effects)},
                        {"more_effects", plan->more}});
}

Response undo_run(ApiContext& context, Request& request) {
  auto body = json_body(request, {"by", "reason", "dry_run"}, true);
  if (!body) return body.error().response();
  runs::UndoRequest undone;
  undone.run = std::string(request.param("id"));
  auto by = string_member(*body, "by", runs::kMaxIdBytes);
  if (!by) return by.error().response();
  undone.by = actor_of(request, *by);
  auto reason = string_member(*body, "reason", kMaxReason);
  if (!reason) return reason.error().response();
  undone.reason = *reason;
  const auto dry = body->find("dry_run");
  if (dry != body->end() && !dry->is_boolean())
    return Problem(400, "invalid_field", "'dry_run' must be true or false").response();
  if (dry != body->end() && dry->get<bool>())
    return undo_plan(undone.run, context.runs().plan_undo(undone.run));
  auto started = context.runs().undo(undone);
  if (!started) return problem_of(started.error()).response();
  Json out = started_json(*started);
  out["origin"] = undone.run;
  Response response = json_response(out, started->created ? 202 : 200);
  response.headers.push_back({"Location", "/api/v1/runs/" + started->run.run});
  return response;
}

// ---- many

std::expected<runs::BulkRequest, Problem> bulk_of(const Request& request) {
  auto body = json_body(request, {"action", "status", "agent", "from", "to", "limit", "cursor", "dry_run",
                                  "by", "reason", "version"});
  if (!body) return std::unexpected(body.error());
  std::map<std::string, std::string> texts;
  for (const auto& [name, most] :
       std::initializer_list<std::pair<const char*, std::size_t>>{{"action", 20},
                                                                  {"status", 20},
                                                                  {"agent", 200},
                                                                  {"from", 100},
                                                                  {"to", 100},
                                                                  {"cursor", 1000},
                                                                  {"by", runs::kMaxIdBytes},
                                                                  {"reason", kMaxReason},
                                                                  {"version", kMaxVersion}}) {
    auto text = string_member(*body, name, most);
    if (!text) return std::unexpected(text.error());
    texts[name] = *text;
  }
  runs::BulkRequest out;
  const auto action = runs::bulk_action_by_name(texts["action"]);
  if (!action) {
    return std::unexpected(Problem(400, "invalid_field", fmt::format("'action' is '{}'", texts["action"]))
                               .hint("pause, resume, fail, cancel or retry"));
  }
  out.action = *action;
  out.status = runs::run_status_by_name(texts["status"]);
  if (!out.status) out.held = protocol::hold_kind_by_name(texts["status"]);
  if (!out.status && !out.held) {
    return std::unexpected(
        Problem(400, texts["status"].empty() ? "missing_field" : "invalid_field",
                fmt::format("'status' is '{}': which runs are meant is always said", texts["status"]))
            .hint("queued, running, paused, parked, completed, failed, canceled, terminated or timed_out"));
  }
  const auto moment = [&](const char* name) {
    const auto found = body->find(name);
    const bool said = found != body->end() && !found->is_null();
    return said ? std::optional<std::string_view>(texts[name]) : std::nullopt;
  };
  auto range = range_of(moment("from"), moment("to"), "invalid_field");
  if (!range) return std::unexpected(range.error());
  out.range = *range;
  const auto limit = body->find("limit");
  if (limit != body->end()) {
    if (!limit->is_number_integer() || *limit < 1 || *limit > runs::kMaxBulk)
      return std::unexpected(
          Problem(400, "invalid_field", fmt::format("'limit' is 1 to {}", runs::kMaxBulk)));
    out.limit = limit->get<std::uint32_t>();
  }
  const auto dry = body->find("dry_run");
  if (dry != body->end() && !dry->is_boolean())
    return std::unexpected(Problem(400, "invalid_field", "'dry_run' must be true or false"));
  out.dry_run = dry != body->end() && dry->get<bool>();
  if (const std::string& cursor = texts["cursor"]; !cursor.empty()) {
    auto after = place_of_cursor(request, cursor);
    if (!after) return std::unexpected(after.error());
    out.after = *after;
  }
  out.agent = texts["agent"];
  out.by = actor_of(request, texts["by"]);
  out.reason = texts["reason"];
  out.version = texts["version"];
  return out;
}

Response bulk_response(std::string_view path, const runs::BulkRequest& bulk,
                       const Result<runs::BulkPage>& page) {
  if (!page) return problem_of(page.error()).response();
  Json rows = Json::array();
  for (const runs::BulkRow& row : page->rows) {
    Json one = {{"run", row.run}, {"agent", row.agent}, {"status", row.status}, {"ok", row.done}};
    if (!row.detail.empty()) one[row.done ? "started" : "why"] = row.detail;
    rows.push_back(std::move(one));
  }
  return json_response({{"action", to_string(bulk.action)},
                        {"dry_run", bulk.dry_run},
                        {"runs", std::move(rows)},
                        {"next_cursor", next_cursor(path, page->next)}});
}

void bulk(ApiContext& context, Request& request, Responder responder) {
  auto wanted = bulk_of(request);
  if (!wanted) return responder.reply(wanted.error().response());
  context.runs().bulk(
      *wanted, kAnswerWithin,
      [responder = std::move(responder), wanted = *wanted, path = request.path](
          Result<runs::BulkPage> page) mutable { responder.reply(bulk_response(path, wanted, page)); });
}

Handler steering(ApiContext& context, SteerKind kind) {
  return context.blocking([kind](ApiContext& c, Request& request, Responder responder) {
    steer(c, request, std::move(responder), kind);
  });
}

}  // namespace

std::expected<SteerRequest, Problem> read_message(const Json& body, const Request& request) {
  SteerRequest out;
  auto input = body.find("input");
  if (input == body.end() || input->is_null() || (input->is_string() && input->get<std::string>().empty())) {
    return std::unexpected(
        Problem(400, "missing_field", "'input' is missing").hint("give text, or a message in parts"));
  }
  out.text = input->is_string() ? input->get<std::string>() : dump_json(*input);
  auto id = string_member(body, "id", runs::kMaxIdBytes);
  if (!id) return std::unexpected(id.error());
  const std::string key(request.header("idempotency-key"));
  if (key.size() > runs::kMaxIdBytes)
    return std::unexpected(Problem(400, "invalid_header", "Idempotency-Key is longer than 200 bytes"));
  out.id = id->empty() ? key : *id;
  auto by = string_member(body, "by", runs::kMaxIdBytes);
  if (!by) return std::unexpected(by.error());
  out.by = actor_of(request, *by);
  return out;
}

Response steered_response(const SteerRequest& steered, const Result<std::string>& answer) {
  if (!answer) return problem_of(answer.error()).response();
  const Json said = parse_json<Json>(*answer);
  Json out = {{"run", steered.run}, {"state", state_of(steered.kind)}};
  if (said.is_object()) {
    for (const char* name : {"id", "state", "version"}) {
      if (said.contains(name)) out[name] = said[name];
    }
  }
  return json_response(out, steered.kind == SteerKind::kMessage ? 202 : 200);
}

void add_steering_routes(Router& router, ApiContext& context) {
  router.add("POST", "/api/v1/runs/bulk", Permission::kRun, context.blocking(bulk));
  router.add("POST", "/api/v1/runs/{id}/messages", Permission::kRun, steering(context, SteerKind::kMessage));
  router.add("POST", "/api/v1/runs/{id}/pause", Permission::kRun, steering(context, SteerKind::kPause));
  router.add("POST", "/api/v1/runs/{id}/resume", Permission::kRun, steering(context, SteerKind::kResume));
  router.add("POST", "/api/v1/runs/{id}/fail", Permission::kRun, steering(context, SteerKind::kGiveUp));
  router.add("POST", "/api/v1/runs/{id}/retry", Permission::kRun, context.answering(retry_run));
  router.add("POST", "/api/v1/runs/{id}/undo", Permission::kRun, context.answering(undo_run));
}

}  // namespace holdfast::http
