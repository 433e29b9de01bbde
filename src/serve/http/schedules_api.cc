// /api/v1/schedules: make, list, show, pause, resume, trigger, delete.

#include <fmt/format.h>

#include <span>

#include "base/json.h"
#include "http/api_context.h"
#include "http/problems.h"

namespace holdfast::http {

namespace {

using protocol::ScheduleSpec;
using runs::ScheduleView;

constexpr std::int64_t kDefaultCatchUpMs = 60 * 60 * 1000;

Json view_json(const ScheduleView& view) {
  const ScheduleSpec& spec = view.spec;
  Json out = {{"name", spec.name},
              {"agent", spec.agent},
              {"version", spec.version.empty() ? Json(nullptr) : Json(spec.version)},
              {"input", parse_json<Json>(dump_json(spec.input))},
              {"conversation", spec.conversation.empty() ? Json(nullptr) : Json(spec.conversation)},
              {"cron", spec.cron},
              {"time_zone", spec.time_zone},
              {"overlap", protocol::to_string(spec.overlap)},
              {"catch_up_seconds", static_cast<double>(spec.catch_up_ms) / 1000},
              {"created_at", iso_time(view.created_at)},
              {"next_at", view.next_at ? Json(iso_time(*view.next_at)) : Json(nullptr)}};
  if (!view.state) return out;
  const protocol::ScheduleState& state = *view.state;
  out["paused"] = state.paused;
  if (!state.note.empty()) out["note"] = state.note;
  out["last_run"] = state.last_run.empty() ? Json(nullptr) : Json(state.last_run);
  out["runs"] = {{"started", state.started}, {"skipped", state.skipped}, {"failed", state.failed}};
  if (!state.last_error.empty()) out["last_error"] = state.last_error;
  return out;
}

std::expected<void, Problem> read_texts(const Json& body, ScheduleSpec& out) {
  const std::pair<const char*, std::string*> members[] = {{"name", &out.name},
                                                          {"agent", &out.agent},
                                                          {"cron", &out.cron},
                                                          {"version", &out.version},
                                                          {"conversation", &out.conversation},
                                                          {"time_zone", &out.time_zone}};
  for (const auto& [name, target] : members) {
    auto text = string_member(body, name, runs::kMaxIdBytes);
    if (!text) return std::unexpected(text.error());
    *target = std::move(*text);
  }
  for (const auto& [name, target] : std::span(members).first(3)) {
    if (target->empty())
      return std::unexpected(Problem(400, "missing_field", fmt::format("'{}' is missing", name)));
  }
  if (out.time_zone.empty()) out.time_zone = "UTC";
  return {};
}

std::expected<void, Problem> read_policy(const Json& body, ScheduleSpec& out) {
  auto overlap = string_member(body, "overlap", 20);
  if (!overlap) return std::unexpected(overlap.error());
  if (!overlap->empty()) {
    const auto known = protocol::overlap_by_name(*overlap);
    if (!known)
      return std::unexpected(Problem(400, "invalid_field", "'overlap' is skip, buffer_one or allow"));
    out.overlap = *known;
  }
  out.catch_up_ms = kDefaultCatchUpMs;
  const auto seconds = body.find("catch_up_seconds");
  if (seconds == body.end()) return {};
  if (!seconds->is_number() || seconds->get<double>() < 0 || seconds->get<double>() > 1e9)
    return std::unexpected(Problem(400, "invalid_field", "'catch_up_seconds' must be a number of seconds"));
  out.catch_up_ms = static_cast<std::int64_t>(seconds->get<double>() * 1000);
  return {};
}

std::expected<ScheduleSpec, Problem> spec_of(const Request& request) {
  auto body = json_body(request, {"name", "agent", "version", "input", "conversation", "cron", "time_zone",
                                  "overlap", "catch_up_seconds"});
  if (!body) return std::unexpected(body.error());
  ScheduleSpec out;
  if (auto texts = read_texts(*body, out); !texts) return std::unexpected(texts.error());
  if (!body->contains("input")) {
    return std::unexpected(
        Problem(400, "missing_field", "'input' is missing").hint("give text, or any JSON value"));
  }
  out.input = protocol::Json::parse(dump_json((*body)["input"]));
  if (auto policy = read_policy(*body, out); !policy) return std::unexpected(policy.error());
  return out;
}

Response create_schedule(ApiContext& context, Request& request) {
  auto spec = spec_of(request);
  if (!spec) return spec.error().response();
  auto created = context.runs().schedules().create(*spec, std::string(request.header("idempotency-key")));
  if (!created) return problem_of(created.error()).response();
  Response response = json_response(view_json(*created), 201);
  response.headers.push_back({"Location", "/api/v1/schedules/" + spec->name});
  return response;
}

Response list_schedules(ApiContext& context, Request& request) {
  auto limit = number_parameter(request, "limit", 50, 1, runs::kMaxRunsPage);
  if (!limit) return limit.error().response();
  auto after = cursor_parameter(request);
  if (!after) return after.error().response();
  auto page = context.runs().schedules().list(*after, *limit);
  if (!page) return problem_of(page.error()).response();
  Json rows = Json::array();
  for (const ScheduleView& view : page->schedules) rows.push_back(view_json(view));
  Json next = next_cursor(request.path, page->next);
  return json_response({{"schedules", std::move(rows)}, {"next_cursor", std::move(next)}});
}

Response show_schedule(ApiContext& context, Request& request) {
  auto view = context.runs().schedules().show(std::string(request.param("name")));
  if (!view) return problem_of(view.error()).response();
  return json_response(view_json(*view));
}

Response asked(const std::string& name, std::string_view what, const Status& status) {
  if (!status.ok()) return problem_of(status).response();
  return json_response({{"name", name}, {"requested", what}}, 202);
}

Response delete_schedule(ApiContext& context, Request& request) {
  const std::string name(request.param("name"));
  return asked(name, "delete", context.runs().schedules().erase(name));
}

Response pause_schedule(ApiContext& context, Request& request) {
  const std::string name(request.param("name"));
  auto body = json_body(request, {"note"}, true);
  if (!body) return body.error().response();
  auto note = string_member(*body, "note", 4000);
  if (!note) return note.error().response();
  return asked(name, "pause", context.runs().schedules().pause(name, *note));
}

Response resume_schedule(ApiContext& context, Request& request) {
  const std::string name(request.param("name"));
  return asked(name, "resume", context.runs().schedules().resume(name));
}

Response trigger_schedule(ApiContext& context, Request& request) {
  const std::string name(request.param("name"));
  const std::string key(request.header("idempotency-key"));
  return asked(name, "trigger", context.runs().schedules().trigger(name, key));
}

}  // namespace

void add_schedule_routes(Router& router, ApiContext& context) {
  router.add("POST", "/api/v1/schedules", Permission::kRun, context.answering(create_schedule));
  router.add("GET", "/api/v1/schedules", Permission::kRead, context.answering(list_schedules),
             {"limit", "cursor"});
  router.add("GET", "/api/v1/schedules/{name}", Permission::kRead, context.answering(show_schedule));
  router.add("DELETE", "/api/v1/schedules/{name}", Permission::kRun, context.answering(delete_schedule));
  router.add("POST", "/api/v1/schedules/{name}/pause", Permission::kRun, context.answering(pause_schedule));
  router.add("POST", "/api/v1/schedules/{name}/resume", Permission::kRun, context.answering(resume_schedule));
  router.add("POST", "/api/v1/schedules/{name}/trigger", Permission::kRun,
             context.answering(trigger_schedule));
}

}  // namespace holdfast::http
