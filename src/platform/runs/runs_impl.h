#pragma once

// What the sources of Runs share. Internal to the room; constant after construction except where it says
// otherwise.

#include <atomic>
#include <memory>

#include "base/work_pool.h"
#include "holdfast/client.h"
#include "runs/completion_sender.h"
#include "runs/decision_sender.h"
#include "runs/history_sweep.h"
#include "runs/run_tracker.h"
#include "runs/runs.h"
#include "runs/steering_sender.h"
#include "runs/unkept_runs.h"

namespace holdfast::runs {

struct Runs::Impl {
  // Starts that may go on behind the answers to their requests. Beyond it a caller waits for its own.
  static constexpr std::size_t kMaxStarting = 64;
  // They share the store's syncs and the engine's batches.
  static constexpr std::size_t kStarters = 4;

  explicit Impl(RunsDependencies dependencies);
  ~Impl();

  platform::Store& store() { return *deps.store; }
  // Stores the intent, and begins what it made.
  Result<StartedRun> accept(const platform::StartIntent& intent);
  // INVALID_ARGUMENT: the run could only fail by its input.
  Status check_input(const platform::StartIntent& intent) const;
  // What is asked of a schedule's runs when it is made.
  Status may_begin(const platform::Definition& definition, const platform::StartIntent& intent) const;
  // Of a run that is there already.
  StartedRun same_again(platform::RunRecord run);
  // run_retry.cc: kRunOpen unless it is closed.
  static Status check_closed(const std::string& run, const Standing& standing);
  // What a run that comes behind a closed one has of that one.
  Result<platform::StartIntent> intent_behind(const platform::RunRecord& run, const platform::Origin& origin);
  // The intent is durable: the workflow next.
  void begin(const platform::RunRecord& run);
  Standing standing_of(const platform::RunRecord& run) {
    return runs::standing_of(run, client, *tracker, *deps.store, *deps.streams);
  }

  Result<platform::RunIndex*> index();
  // Of a run that stands so; `waits`: a person is asked, if it is open.
  Result<RunSummary> summary_of(platform::RunRecord run, Standing standing, bool waits);

  RunsDependencies deps;
  std::unique_ptr<Executor> engine_executor;  // of answers from the engine, and of retries
  Client client;
  std::shared_ptr<RunTracker> tracker;
  std::shared_ptr<DecisionSender> decisions;
  std::shared_ptr<HistorySweep> sweep;
  std::shared_ptr<UnkeptRuns> unkept;
  std::shared_ptr<SteeringSender> steering;
  std::shared_ptr<CompletionSender> completions;
  Schedules schedules;
  RunViews views;
  std::unique_ptr<WorkPool> starters;
  std::atomic<std::size_t> starting = 0;
};

}  // namespace holdfast::runs
