#pragma once

// DueRuns: lets the time of executions pass: timers fire, tasks and activities time out, what was held back
// begins. The core owns it; its thread only.

#include "engine/run.h"

namespace holdfast::engine {

class CoreClock;
struct EngineLimits;
class HistoryReader;
class NewIds;
class Queries;
class RunCache;
class TaskDispatch;
class Transitions;
class WakeTimes;

class DueRuns {
 public:
  DueRuns(const EngineLimits& limits, const CoreClock& clock, NewIds& ids, WakeTimes& wakes, RunCache& cache,
          const HistoryReader& reader, TaskDispatch& dispatch, Queries& queries, Transitions& transitions)
      : limits_(limits),
        clock_(clock),
        ids_(ids),
        wakes_(wakes),
        cache_(cache),
        reader_(reader),
        dispatch_(dispatch),
        queries_(queries),
        transitions_(transitions) {}

  // A deadline of the execution has come, or several: so many of them are taken at once, and the execution
  // stays due while there are more. How many it were, at least 1.
  static constexpr int kAtOnce = 64;
  int fire(const RunKey& key);

 private:
  // The run would end and be followed, and what the next one starts with cannot be read.
  bool cannot_follow(const Run& run, const history::Deadline& deadline) const;
  bool fire_one(Run& run, const history::Deadline& deadline);
  void workflow_task_deadline(Run& run);

  const EngineLimits& limits_;
  const CoreClock& clock_;
  NewIds& ids_;
  WakeTimes& wakes_;
  RunCache& cache_;
  const HistoryReader& reader_;
  TaskDispatch& dispatch_;
  Queries& queries_;
  Transitions& transitions_;
};

}  // namespace holdfast::engine
