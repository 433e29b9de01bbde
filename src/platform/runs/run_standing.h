#pragma once

// Standing: where a run stands. The engine tells it, unless the end of the run is known already. Values;
// reading them blocks, from any thread.

#include <optional>
#include <vector>

#include "holdfast/client.h"
#include "platform/store.h"
#include "platform/streams.h"
#include "runs/run_outcome.h"
#include "runs/run_tracker.h"

namespace holdfast::runs {

struct Standing {
  RunStatus status = RunStatus::kQueued;
  std::optional<RunOutcome> outcome;  // closed, and how is known
  // What the run waits for; none: the engine was not asked, or did not say.
  std::optional<std::vector<PendingActivity>> pending_activities;
  // The engine has deleted the history of the run; how it ended is what was written down before.
  bool history_deleted = false;
  std::optional<WallTime> history_deleted_at;
};

// An engine that does not answer is no failure: what the store says is the best there is then.
Standing standing_of(const platform::RunRecord& run, const Client& client, RunTracker& tracker,
                     platform::Store& store, platform::Streams& streams);

// An answer of the engine says that it has no such workflow. That there is no such namespace says nothing.
bool is_gone(const Status& error);

// What the run's log says of its end.
platform::GoneHistory last_words(platform::Streams& streams, const std::string& run);

}  // namespace holdfast::runs
