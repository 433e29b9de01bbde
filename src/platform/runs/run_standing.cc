#include "runs/run_standing.h"

#include <algorithm>

#include "base/json.h"

namespace holdfast::runs {

namespace {

Standing standing_of(RunOutcome outcome) {
  Standing standing;
  standing.status = outcome.status;
  standing.outcome = std::move(outcome);
  return standing;
}

// From what was written down of its end.
Standing without_history(const platform::GoneHistory& gone) {
  RunOutcome outcome;
  outcome.status = run_status_by_name(gone.status).value_or(RunStatus::kFailed);
  outcome.closed_at = gone.closed_at;
  if (outcome.status != RunStatus::kCompleted) {
    outcome.error_type = "HistoryDeleted";
    outcome.error_message = gone.status.empty()
                                ? "the history was deleted, and nobody wrote down how it ended"
                                : "the history was deleted";
  }
  Standing standing = standing_of(std::move(outcome));
  standing.history_deleted = true;
  if (gone.at != WallTime{}) standing.history_deleted_at = gone.at;
  return standing;
}

}  // namespace

bool is_gone(const Status& error) {
  if (error.code() != Code::kNotFound) return false;
  return std::ranges::any_of(error.details(), [](const StatusDetail& detail) {
    return detail.type_url.ends_with("/temporal.api.errordetails.v1.NotFoundFailure");
  });
}

platform::GoneHistory last_words(platform::Streams& streams, const std::string& run) {
  platform::GoneHistory out;
  out.run = run;
  auto end = streams.find(run, platform::kClosingKey);
  if (!end || !*end) return out;
  const auto data = parse_json<nlohmann::ordered_json>((*end)->data);
  if (const auto status = data.is_object() ? data.find("status") : data.end();
      status != data.end() && status->is_string()) {
    out.status = status->get<std::string>();
  }
  out.closed_at = (*end)->at;
  return out;
}

Standing standing_of(const platform::RunRecord& run, const Client& client, RunTracker& tracker,
                     platform::Store& store, platform::Streams& streams) {
  if (auto gone = store.gone_history(run.run); gone && *gone) return without_history(**gone);
  if (auto known = tracker.known_outcome(run.run)) return standing_of(*std::move(known));
  const WorkflowHandle workflow = client.workflow(run.run);
  Result<WorkflowDescription> description = workflow.describe();
  if (!description && is_gone(description.error()) && run.started_at)
    return without_history(last_words(streams, run.run));
  Standing standing;
  if (!description) {  // not confirmed, or the engine does not answer
    standing.status = run.started_at ? RunStatus::kRunning : RunStatus::kQueued;
    return standing;
  }
  standing.status = run_status(description->status);
  standing.pending_activities = std::move(description->pending_activities);
  if (!is_closed(standing.status)) return standing;
  auto close = workflow.find_close();
  if (!close || !*close) return standing;
  standing.outcome = outcome_of(**close);
  standing.status = standing.outcome->status;
  tracker.remember(run.run, *standing.outcome);
  return standing;
}

}  // namespace holdfast::runs
