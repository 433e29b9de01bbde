#pragma once

// Deletions: executions leave the engine, because their time is over or because somebody asked for it. The
// first batch takes a run's state, so that it is no more, its place as current run, its rows in the tables,
// and tells the index; its history goes with it or, when it is long, in later batches, and a row of the table
// of expiries says so until the last page is gone. A process that dies in between leaves one or the other.
//
// A run that still owes something to another (a close to its parent, an end to its children), or for which
// somebody waits, is left for a later round. The core owns it; its thread only.

#include <string>
#include <vector>

#include "api/messages.h"
#include "engine/core.h"
#include "engine/run.h"
#include "engine/sweep_slice.h"
#include "history/stored.h"

namespace holdfast::engine {

class Batches;
class CoreClock;
class LargeRows;
class Namespaces;
class Replies;
class Rows;
class RunCache;
class Transitions;

class Deletions {
 public:
  Deletions(const CoreClock& clock, Namespaces& namespaces, Rows& rows, RunCache& cache, Batches& batches,
            LargeRows& large, Transitions& transitions, Replies& replies)
      : clock_(clock),
        namespaces_(namespaces),
        rows_(rows),
        cache_(cache),
        batches_(batches),
        large_(large),
        transitions_(transitions),
        replies_(replies) {}

  // DeleteWorkflowExecution: a run that is open is terminated first.
  void erase(Call& call, const ws::DeleteWorkflowExecutionRequest&, const stored::NamespaceRecord&, Run& run);

  void sweep(SweepSlice slice);

  // What the next batch tells its host.
  bool pending() const { return asked_ || swept_; }
  void take(Output& output);

 private:
  bool may_go(const Run& run) const;
  bool is_over(const SweepSlice::Expired& expired) const;
  void forget(Run& run);
  void sweep_run(SweepSlice::Expired expired);

  const CoreClock& clock_;
  Namespaces& namespaces_;
  Rows& rows_;
  RunCache& cache_;
  Batches& batches_;
  LargeRows& large_;
  Transitions& transitions_;
  Replies& replies_;
  bool asked_ = false;
  bool swept_ = false;
  std::vector<DeletedRun> gone_;
};

}  // namespace holdfast::engine
