#include "http/fork_json.h"

#include <algorithm>

#include "base/json.h"
#include "http/problems.h"
#include "http/run_json.h"
#include "http/usage_json.h"
#include "runs/fork_points.h"

namespace holdfast::http {

namespace {

using runs::ForkFault;

struct Row {
  ForkFault fault;
  int status;
  const char* code;
  const char* hint;
};

constexpr Row kRows[] = {
    {ForkFault::kNoPlace, 409, "fork_place_unknown",
     "GET /api/v1/conversations/{id}/messages lists the messages; `nearest` is the last place there is"},
    {ForkFault::kInsideTurn, 409, "fork_inside_turn", "`nearest` is the place before these calls"},
    {ForkFault::kNothingToSay, 409, "fork_needs_message",
     "give `edit`: {\"message\": ...}, or fork at an earlier message"},
    {ForkFault::kNotThatMessage, 409, "fork_edit_mismatch",
     "`nearest` is the user's message before it; {\"message\": ...} adds one behind the place"},
    {ForkFault::kCallNotFound, 404, "call_not_found",
     "`call` is the id that the model gave the call: `tool_calls` of its message"},
    {ForkFault::kNotBegun, 409, "run_not_begun", "try again when it has said something"},
    {ForkFault::kNoConversation, 409, "no_conversation",
     "flows, and runs that take effects back, have none; POST .../retry takes up a run that failed"},
    {ForkFault::kHistoryDeleted, 409, "history_deleted",
     "its conversation is there: start a run that goes on in it"},
    {ForkFault::kNothingFailed, 409, "nothing_failed", "say from where: `at`"},
    {ForkFault::kSubAgent, 409, "sub_agent", ""},
    {ForkFault::kTooDeep, 409, "fork_too_deep", ""},
};

// What is too long for a page is left out, and how long it is said.
Json message_json(const platform::Message& message, std::size_t bytes) {
  Json out = {{"sequence", message.sequence}, {"branch", message.branch}, {"sha256", message.chain_sha256}};
  if (message.json.empty()) {
    out["omitted"] = true;
    out["bytes"] = bytes;
    return out;
  }
  const Json stored = parse_json<Json>(message.json);
  if (!stored.is_object()) return out;
  for (const auto& [name, value] : stored.items()) {
    if (!out.contains(name)) out[name] = value;
  }
  return out;
}

Json call_json(const runs::AskedCall& call) {
  return {{"message", call.message},
          {"call", call.id},
          {"tool", call.tool},
          {"arguments_sha256", call.arguments_sha256}};
}

Json side_json(const runs::DiffSide& side, const std::string& namespace_name) {
  const Json run = details_json(side.run, namespace_name);
  Json out = {{"run", run["id"]}};
  for (const char* name : {"agent", "version", "status", "reason", "output", "error", "spent", "usage",
                           "forked_from", "inherited", "origin"}) {
    if (run.contains(name)) out[name] = run[name];
  }
  out["conversation"] = side.head.conversation;
  out["branch"] = side.head.branch;
  out["head"] = side.head.sequence;
  out["messages"] = Json::array();
  out["tool_calls"] = Json::array();
  for (std::size_t i = 0; i < side.messages.size(); ++i) {
    out["messages"].push_back(message_json(side.messages[i], side.bytes[i]));
    for (const runs::AskedCall& call : runs::line_of(side.messages[i]).calls)
      out["tool_calls"].push_back(call_json(call));
  }
  return out;
}

}  // namespace

Json forked_from_json(const protocol::Fork& fork) {
  Json out = {{"run", fork.run},
              {"at",
               {{"message", fork.at.sequence},
                {"conversation", fork.at.conversation},
                {"branch", fork.at.branch},
                {"sha256", fork.at.sha256}}},
              {"edit", fork.edit.empty() ? Json(nullptr) : Json(fork.edit)},
              {"depth", fork.depth}};
  if (fork.edited) out["call"] = fork.edited->call;
  if (!fork.reason.empty()) out["reason"] = fork.reason;
  if (!fork.by.empty()) out["by"] = fork.by;
  return out;
}

Json inherited_json(const protocol::Fork& fork) {
  Json out = usage_json(runs::inherited_by(fork));
  out.erase("tool_calls");
  out["messages"] = fork.at.sequence;
  return out;
}

Json fork_plan_json(const runs::ForkPlan& plan) {
  Json effects = Json::array();
  for (const runs::RuledCall& ruled : plan.calls) {
    Json one = call_json(ruled.call);
    one["class"] = ruled.effect.empty() ? Json(nullptr) : Json(ruled.effect);
    one["would"] = to_string(ruled.fate);
    if (ruled.edited) one["edited"] = true;
    if (!ruled.reason.empty()) one["reason"] = ruled.reason;
    effects.push_back(std::move(one));
  }
  Json out = {{"dry_run", true},
              {"agent", plan.agent},
              {"version", plan.version},
              {"forked_from", forked_from_json(plan.fork)},
              {"inherited", inherited_json(plan.fork)},
              {"effects", std::move(effects)},
              {"more_effects", plan.more}};
  if (!plan.fork.undone.empty()) out["undone"] = plan.fork.undone;
  return out;
}

Json diff_json(const runs::RunDiff& diff, const std::string& namespace_name) {
  Json a = side_json(diff.a, namespace_name);
  Json b = side_json(diff.b, namespace_name);
  Json same = Json::object();
  for (const char* name : {"agent", "version", "status", "output"}) same[name] = a[name] == b[name];
  return {{"common", {{"messages", diff.common}, {"sha256", diff.common_sha256}}},
          {"same", std::move(same)},
          {"a", std::move(a)},
          {"b", std::move(b)}};
}

Problem fork_problem(const Status& status) {
  const ForkFault fault = runs::fork_fault(status);
  const auto* row = std::ranges::find(kRows, fault, &Row::fault);
  if (row == std::end(kRows)) return problem_of(status);
  Problem out = Problem(row->status, row->code, status.message()).hint(row->hint);
  const auto nearest = runs::nearest_place(status);
  return nearest ? std::move(out).member("nearest", std::to_string(*nearest)) : out;
}

}  // namespace holdfast::http
