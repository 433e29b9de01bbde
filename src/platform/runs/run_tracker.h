#pragma once

// RunTracker: sees every stored start through to a started workflow, and every started run to its end: when
// the engine says that one closed, it writes the event `run.closed` into the run's log and the news into the
// feed of all runs. That also covers what no workflow can report itself: termination and time-outs, by us or
// by Temporal's own tools.
//
// Threads: calls come from any; its work runs on one executor. Failures: an engine that cannot be reached is
// asked again, with growing pauses, for as long as the process lives.

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "holdfast/client.h"
#include "platform/store.h"
#include "platform/streams.h"
#include "runs/background_work.h"
#include "runs/run_outcome.h"

namespace holdfast::runs {

class RunTracker final : public BackgroundWork {
 public:
  // Watches beyond it wait for a place; each place is passed on about once a minute.
  static constexpr std::size_t kMaxWatched = 512;
  // Newest runs that are looked at after a start.
  static constexpr std::size_t kMaxRecovered = 5000;

  // `on_closed` is called with a run whose end is written down, once or more often.
  RunTracker(Background dependencies, std::function<void(const std::string& run)> on_closed);

  // Finishes the starts that an earlier process left, and watches what is open.
  void recover();
  void stop();

  // The intent is stored: starts the workflow, now and until it has started. Blocks for the first attempt.
  // After stop(): nothing, since the next process finds the intent.
  void start(const platform::RunRecord& run);

  // Ends known from watching, so that lists need not ask the engine about runs that cannot change any more.
  std::optional<RunOutcome> known_outcome(const std::string& run) const;
  void remember(const std::string& run, const RunOutcome& outcome);

 private:
  void try_start(const platform::RunRecord& run, std::chrono::milliseconds pause);
  void recover_starts(WallTime before, const std::string& after);
  void recover_page(std::string after, std::size_t seen);
  void watch(const std::string& run);
  void watch_next();
  void on_watched(const std::string& run, const Result<std::optional<WorkflowClose>>& close);
  void closed(const std::string& run, const RunOutcome& outcome);
  void write_bill(const std::string& run, const RunOutcome& outcome);

  const std::function<void(const std::string&)> on_closed_;
  std::set<std::string> watched_;               // guarded by mutex_
  std::deque<std::string> waiting_;             // guarded by mutex_
  std::set<std::string> waiting_set_;           // guarded by mutex_
  std::map<std::string, RunOutcome> outcomes_;  // guarded by mutex_
  std::deque<std::string> outcome_order_;       // guarded by mutex_
  std::size_t outcome_bytes_ = 0;               // guarded by mutex_
};

}  // namespace holdfast::runs
