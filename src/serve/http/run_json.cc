#include "http/run_json.h"

#include "base/json.h"
#include "http/approval_json.h"
#include "http/fork_json.h"
#include "http/usage_json.h"
#include "runs/run_reason.h"

namespace holdfast::http {

namespace {

using runs::RunStatus;

// The agent's result is an object with `output`, which is left out when there is none: a model may be done
// without another word. A workflow of another kind may give anything.
Json output_of(const runs::RunOutcome& outcome) {
  Json result = parse_or_string<Json>(outcome.result);
  if (result.is_object() && result.contains("output")) return result["output"];
  if (result.is_object() && result.contains("iterations") && result.contains("usage")) return "";
  return result;
}

Json pending_activities_json(const std::vector<PendingActivity>& activities) {
  Json out = Json::array();
  for (const PendingActivity& activity : activities) {
    Json row = {{"type", activity.activity_type}, {"attempt", activity.attempt}};
    if (activity.last_failure && !activity.last_failure->message().empty()) {
      row["last_failure"] = activity.last_failure->message();
    }
    if (activity.next_attempt_at) row["next_attempt_at"] = iso_time(*activity.next_attempt_at);
    out.push_back(std::move(row));
  }
  return out;
}

// Nothing is under way but calls that somebody outside is to end.
bool waits_for_completion(const Json& steps, const runs::Standing& standing) {
  if (is_closed(standing.status) || !standing.pending_activities || !standing.pending_activities->empty())
    return false;
  for (const Json& step : steps) {
    if (step.contains("detached") && step.value("status", "") == "running") return true;
  }
  return false;
}

// Where it stands in the line of its key.
Json flow_json(const platform::FlowTurn& turn) {
  Json out = {{"key", turn.row.place.key}, {"state", to_string(turn.row.state)}};
  if (!turn.row.into.empty()) out["into"] = turn.row.into;
  if (!turn.stands_for.empty()) {
    out["stands_for"] = Json::array();
    for (const platform::FlowRow& other : turn.stands_for) out["stands_for"].push_back(other.place.run);
  }
  if (turn.row.state != platform::FlowState::kWaiting) return out;
  if (turn.wait != platform::FlowWait::kNothing) out["rule"] = to_string(turn.wait);
  out["ahead"] = turn.ahead;
  if (!turn.blockers.empty()) out["behind"] = turn.blockers.front();
  if (turn.until) out["until"] = iso_time(*turn.until);
  return out;
}

Json waiting_on(const runs::RunSummary& summary) {
  if (summary.waits_for_approval) return "approval";
  if (summary.waits_for_turn) return "conversation";
  if (summary.flow && summary.flow->row.state == platform::FlowState::kWaiting &&
      !is_closed(summary.standing.status))
    return "flow";
  const bool parked = summary.account && !summary.account->waiting_on.empty();
  return parked && !is_closed(summary.standing.status) ? Json("budget") : Json(nullptr);
}

}  // namespace

Json started_json(const runs::StartedRun& started) {
  const platform::RunRecord& run = started.run;
  return {{"id", run.run},
          {"agent", run.agent},
          {"version", run.definition_hash},
          {"status", to_string(started.status)},
          {"created", started.created},
          {"created_at", iso_time(run.created_at)},
          {"links",
           {{"self", "/api/v1/runs/" + run.run},
            {"events", "/api/v1/runs/" + run.run + "/events"},
            {"page", "/runs/" + run.run}}}};
}

// What a list shows of an input that it does not carry whole: its text as far as there is one. Of a JSON
// string, cut anywhere, the string; of anything else the JSON.
Json excerpt_of(const platform::RunRecord& run) {
  if (!run.input.starts_with('"')) return run.input;
  constexpr std::size_t kLongestEscape = 12;  // of a character beyond the basic plane
  for (std::size_t cut = 0; cut < kLongestEscape && cut < run.input.size(); ++cut) {
    Json text = parse_json<Json>(run.input.substr(0, run.input.size() - cut) + '"');
    if (text.is_string()) return text;
  }
  return run.input;
}

Json summary_json(const runs::RunSummary& summary) {
  const platform::RunRecord& run = summary.run;
  const runs::Standing& standing = summary.standing;
  const bool whole = run.input.size() == run.input_bytes;
  Json out = {
      {"id", run.run},
      {"agent", run.agent},
      {"version", run.definition_hash},
      {"status", to_string(standing.status)},
      {"waiting_on", waiting_on(summary)},
      {"conversation", summary.conversation},
      {"input", whole ? parse_or_string<Json>(run.input) : excerpt_of(run)},
      {"created_at", iso_time(run.created_at)},
      {"started_at", run.started_at ? Json(iso_time(*run.started_at)) : Json(nullptr)},
      {"closed_at", nullptr},
  };
  if (standing.history_deleted) {
    out["history_deleted"] = true;
    out["history_deleted_at"] =
        standing.history_deleted_at ? Json(iso_time(*standing.history_deleted_at)) : Json(nullptr);
  }
  if (summary.held) {
    const platform::HeldRun& held = *summary.held;
    const bool parked = held.kind == protocol::HoldKind::kParked;
    if (out["waiting_on"].is_null()) out["waiting_on"] = "resume";
    out["hold"] = {{"state", to_string(held.kind)},
                   {"reason", parked ? runs::failure_reason(held.reason) : held.reason},
                   {"since", iso_time(held.at)}};
    if (parked) out["hold"]["error"] = {{"type", held.reason}, {"message", held.detail}};
    if (!held.by.empty()) out["hold"]["by"] = held.by;
  }
  out["reason"] = standing.outcome ? Json(runs::stop_reason(*standing.outcome)) : Json(nullptr);
  if (summary.flow) {
    out["flow"] = flow_json(*summary.flow);
    const platform::FlowState state = summary.flow->row.state;
    if (standing.status == RunStatus::kCanceled &&
        (state == platform::FlowState::kSuperseded || state == platform::FlowState::kBatched))
      out["reason"] = to_string(state);
  }
  if (!whole) out["input_bytes"] = run.input_bytes;
  if (summary.account) out["spent"] = usage_json(summary.account->used);
  if (standing.outcome && standing.outcome->closed_at)
    out["closed_at"] = iso_time(*standing.outcome->closed_at);
  if (standing.outcome && standing.status != RunStatus::kCompleted) {
    out["error"] = {{"type", standing.outcome->error_type}, {"message", standing.outcome->error_message}};
  }
  return out;
}

Json details_json(const runs::RunDetails& details, const std::string& namespace_name) {
  const platform::RunRecord& run = details.summary.run;
  const runs::Standing& standing = details.summary.standing;
  Json out = summary_json(details.summary);
  const auto fork = protocol::fork_in(details.settings);
  if (fork) {
    out["forked_from"] = forked_from_json(*fork);
    out["inherited"] = inherited_json(*fork);
  } else if (!details.origin.empty()) {
    out["origin"] = details.origin;
  }
  bool completed = standing.outcome && standing.status == RunStatus::kCompleted;
  out["output"] = completed ? output_of(*standing.outcome) : Json(nullptr);
  const std::string& partial = details.progress.partial_output;
  out["partial_output"] = partial.empty() ? Json(nullptr) : Json(partial);
  out["approvals"] = Json::array();
  for (const platform::Approval& approval : details.approvals)
    out["approvals"].push_back(approval_json(approval));
  out["usage"] = usage_json(details.usage);
  if (details.summary.account) out["budgets"] = budgets_json(*details.summary.account);
  out["bill"] = details.bill ? bill_json(*details.bill) : Json(nullptr);
  out["steps"] = parse_json<Json>(details.progress.steps_json);
  if (out["waiting_on"].is_null() && waits_for_completion(out["steps"], standing))
    out["waiting_on"] = "completion";
  if (standing.pending_activities)
    out["pending_activities"] = pending_activities_json(*standing.pending_activities);
  out["workflow"] = {{"namespace", namespace_name}, {"workflow_id", run.run}, {"run_id", run.engine_run_id}};
  out["events_cursor"] = details.progress.cursor;
  const Json settings = details.settings.empty() ? Json::object() : parse_json<Json>(details.settings);
  if (settings.contains("context")) out["context"] = settings["context"];
  return out;
}

}  // namespace holdfast::http
