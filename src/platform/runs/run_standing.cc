#include "runs/run_standing.h"

namespace holdfast::runs {

namespace {

Standing standing_of(RunOutcome outcome) {
  Standing standing;
  standing.status = outcome.status;
  standing.outcome = std::move(outcome);
  return standing;
}

}  // namespace

Standing standing_of(const platform::RunRecord& run, const Client& client, RunTracker& tracker) {
  if (auto known = tracker.known_outcome(run.run)) return standing_of(*std::move(known));
  const WorkflowHandle workflow = client.workflow(run.run);
  Result<WorkflowDescription> description = workflow.describe();
  if (!description && description.error().code() == Code::kNotFound && run.started_at) {
    RunOutcome lost;
    lost.status = RunStatus::kFailed;
    lost.error_type = "NotFound";
    lost.error_message = "the engine does not know this run any more";
    return standing_of(std::move(lost));
  }
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
