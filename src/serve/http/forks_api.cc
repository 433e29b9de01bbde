// /api/v1/runs/{id}/fork, its forks, and what two runs have in common.

#include <fmt/format.h>

#include <charconv>

#include "base/json.h"
#include "http/api_context.h"
#include "http/fork_json.h"
#include "http/problems.h"
#include "http/run_json.h"

namespace holdfast::http {

namespace {

constexpr std::size_t kMaxReason = 4000;
constexpr std::size_t kMaxVersion = 200;

Problem wrong_place(const std::string& why) {
  return Problem(400, "invalid_field", "'at': " + why)
      .hint(R"(one of "start", "failed", {"message": 3}, {"turn": 1}, {"step": 4})");
}

std::expected<runs::ForkPlace, Problem> place_of(const Json& body) {
  runs::ForkPlace out;
  const auto at = body.find("at");
  if (at == body.end() || at->is_null()) return out;
  if (*at == "start" || *at == "failed") {
    (*at == "start" ? out.start : out.failed) = true;
    return out;
  }
  if (!at->is_object() || at->size() != 1) return std::unexpected(wrong_place("one place is said"));
  const std::string& name = at->begin().key();
  const Json& number = at->begin().value();
  if (!number.is_number_unsigned()) return std::unexpected(wrong_place("the place is a number from 0 on"));
  if (name == "message") {
    out.message = number.get<std::uint64_t>();
  } else if (name == "turn") {
    out.turn = number.get<std::uint64_t>();
  } else if (name == "step") {
    out.step = number.get<std::uint64_t>();
  } else {
    return std::unexpected(wrong_place(fmt::format("'{}' is no place", name)));
  }
  return out;
}

Problem wrong_edit(const std::string& why) {
  return Problem(400, "invalid_field", "'edit': " + why)
      .hint(
          R"(one of {"prompt": "..."}, {"message": "..."}, {"tool_result": {"call": "...", "text": "..."}})");
}

std::expected<protocol::EditedAnswer, Problem> answer_of(const Json& value) {
  if (!value.is_object()) return std::unexpected(wrong_edit("'tool_result' must be an object"));
  protocol::EditedAnswer out;
  for (const auto& [name, member] : value.items()) {
    if (name == "call" && member.is_string()) {
      out.call = member.get<std::string>();
    } else if (name == "text") {
      out.text = member.is_string() ? member.get<std::string>() : dump_json(member);
    } else if (name == "is_error" && member.is_boolean()) {
      out.is_error = member.get<bool>();
    } else {
      return std::unexpected(wrong_edit(fmt::format("'tool_result' takes no such '{}'", name)));
    }
  }
  if (out.call.empty() || !value.contains("text"))
    return std::unexpected(wrong_edit("'tool_result' needs `call` and `text`"));
  return out;
}

std::expected<void, Problem> read_edit(const Json& body, runs::ForkRequest& out) {
  const auto edit = body.find("edit");
  if (edit == body.end() || edit->is_null()) return {};
  if (!edit->is_object() || edit->size() != 1) return std::unexpected(wrong_edit("one edit is said"));
  const std::string& name = edit->begin().key();
  const Json& value = edit->begin().value();
  if (name == "tool_result") {
    auto answer = answer_of(value);
    if (!answer) return std::unexpected(answer.error());
    out.answer = *std::move(answer);
    return {};
  }
  if (name != "prompt" && name != "message")
    return std::unexpected(wrong_edit(fmt::format("'{}' is no edit", name)));
  const bool said = value.is_object() || (value.is_string() && !value.get_ref<const std::string&>().empty());
  if (!said) return std::unexpected(wrong_edit("text is missing, or a message in parts"));
  (name == "prompt" ? out.prompt : out.message) =
      value.is_string() ? value.get<std::string>() : dump_json(value);
  return {};
}

struct Wanted {
  runs::ForkRequest fork;
  bool dry_run = false;
};

std::expected<Wanted, Problem> wanted_of(const Request& request) {
  auto body = json_body(request, {"at", "edit", "version", "id", "reason", "by", "dry_run"}, true);
  if (!body) return std::unexpected(body.error());
  Wanted out;
  runs::ForkRequest& fork = out.fork;
  fork.run = std::string(request.param("id"));
  auto at = place_of(*body);
  if (!at) return std::unexpected(at.error());
  fork.at = *at;
  if (auto edit = read_edit(*body, fork); !edit) return std::unexpected(edit.error());
  for (const auto& [name, most, to] :
       std::initializer_list<std::tuple<const char*, std::size_t, std::string*>>{
           {"id", runs::kMaxIdBytes, &fork.id},
           {"version", kMaxVersion, &fork.version},
           {"reason", kMaxReason, &fork.reason},
           {"by", runs::kMaxIdBytes, &fork.by}}) {
    auto text = string_member(*body, name, most);
    if (!text) return std::unexpected(text.error());
    *to = *std::move(text);
  }
  fork.by = actor_of(request, fork.by);
  fork.idempotency_key = std::string(request.header("idempotency-key"));
  const auto dry = body->find("dry_run");
  if (dry != body->end() && !dry->is_boolean())
    return std::unexpected(Problem(400, "invalid_field", "'dry_run' must be true or false"));
  out.dry_run = dry != body->end() && dry->get<bool>();
  return out;
}

Response fork_run(ApiContext& context, Request& request) {
  auto wanted = wanted_of(request);
  if (!wanted) return wanted.error().response();
  if (wanted->dry_run) {
    auto plan = context.deps.forks->plan(wanted->fork);
    return plan ? json_response(fork_plan_json(*plan)) : fork_problem(plan.error()).response();
  }
  auto started = context.deps.forks->fork(wanted->fork);
  if (!started) return fork_problem(started.error()).response();
  Json out = started_json(*started);
  auto settings = context.store().run_settings(started->run.run);
  if (!settings) return fork_problem(settings.error()).response();
  if (const auto fork = protocol::fork_in(*settings)) {
    out["forked_from"] = forked_from_json(*fork);
    out["inherited"] = inherited_json(*fork);
  }
  Response response = json_response(out, started->created ? 202 : 200);
  response.headers.push_back({"Location", "/api/v1/runs/" + started->run.run});
  return response;
}

Response list_forks(ApiContext& context, Request& request) {
  auto limit = number_parameter(request, "limit", 50, 1, runs::kMaxRunsPage);
  if (!limit) return limit.error().response();
  auto after = cursor_parameter(request);
  if (!after) return after.error().response();
  auto rows = context.deps.forks->descendants(std::string(request.param("id")), *after, *limit);
  if (!rows) return fork_problem(rows.error()).response();
  Json out = Json::array();
  for (const runs::ForkDescendant& one : *rows) {
    const char* how = one.fork ? "fork" : one.undoes ? "undo" : "retry";
    Json row = {{"run", one.run}, {"how", how}, {"at", iso_time(one.at)}};
    if (!one.by.empty()) row["by"] = one.by;
    if (one.fork) row["forked_from"] = forked_from_json(*one.fork);
    out.push_back(std::move(row));
  }
  const bool more = rows->size() == *limit;
  return json_response({{"run", request.param("id")},
                        {"forks", std::move(out)},
                        {"next_cursor", next_cursor(request.path, more ? rows->back().run : "")}});
}

Response diff_runs(ApiContext& context, Request& request) {
  runs::DiffQuery query;
  query.a = std::string(request.param("id"));
  query.b = std::string(request.param("other"));
  auto limit = number_parameter(request, "limit", query.limit, 1, runs::kMaxDiffMessages);
  if (!limit) return limit.error().response();
  query.limit = *limit;
  auto cursor = cursor_parameter(request);
  if (!cursor) return cursor.error().response();
  const auto [end, error] = std::from_chars(cursor->data(), cursor->data() + cursor->size(), query.after);
  const bool sound = cursor->empty() || (error == std::errc() && end == cursor->data() + cursor->size());
  if (!sound || query.after > (std::uint64_t{1} << 40))
    return Problem(400, "invalid_cursor", "the cursor is not one of ours").response();
  auto diff = context.deps.forks->diff(query);
  if (!diff) return fork_problem(diff.error()).response();
  Json out = diff_json(*diff, context.deps.namespace_name);
  out["next_cursor"] = next_cursor(request.path, diff->next == 0 ? "" : std::to_string(diff->next));
  return json_response(out);
}

}  // namespace

void add_fork_routes(Router& router, ApiContext& context) {
  router.add("POST", "/api/v1/runs/{id}/fork", Permission::kRun, context.answering(fork_run));
  router.add("GET", "/api/v1/runs/{id}/forks", Permission::kRead, context.answering(list_forks),
             {"limit", "cursor"});
  router.add("GET", "/api/v1/runs/{id}/diff/{other}", Permission::kRead, context.answering(diff_runs),
             {"limit", "cursor"});
}

}  // namespace holdfast::http
