#pragma once

// Standing: where a run stands. The engine tells it, unless the end of the run is known already. Values;
// reading them blocks, from any thread.

#include <optional>
#include <vector>

#include "holdfast/client.h"
#include "platform/records.h"
#include "runs/run_outcome.h"
#include "runs/run_tracker.h"

namespace holdfast::runs {

struct Standing {
  RunStatus status = RunStatus::kQueued;
  std::optional<RunOutcome> outcome;  // closed, and how is known
  // What the run waits for; none: the engine was not asked, or did not say.
  std::optional<std::vector<PendingActivity>> pending_activities;
};

// An engine that does not answer is no failure: what the store says is the best there is then.
Standing standing_of(const platform::RunRecord& run, const Client& client, RunTracker& tracker);

}  // namespace holdfast::runs
