#include "engine/due_runs.h"

#include <algorithm>
#include <memory>

#include "engine/core_clock.h"
#include "engine/history_reader.h"
#include "engine/new_ids.h"
#include "engine/options.h"
#include "engine/queries.h"
#include "engine/run_cache.h"
#include "engine/task_dispatch.h"
#include "engine/transitions.h"
#include "engine/wake_times.h"
#include "history/activity.h"
#include "history/lifecycle.h"
#include "history/timer.h"
#include "history/workflow_task.h"

namespace holdfast::engine {

namespace wt = history::workflow_task;

int DueRuns::fire(const RunKey& key) {
  Run* run = cache_.find(key);
  if (run == nullptr || !run->ms->running()) {
    if (run != nullptr) run->task_held = false;
    wakes_.arm(key, 0);
    return 1;
  }
  bool changed = false;
  bool fired = false;
  bool stuck = false;
  int done = 0;
  // Each step removes or moves a deadline.
  for (; done < kAtOnce && run->is_due(clock_.now()); ++done) {
    const auto deadline = run->ms->next_deadline();
    stuck = cannot_follow(*run, deadline);
    if (stuck) break;
    fired = fired || deadline.kind == history::DeadlineKind::kTimer;
    changed = fire_one(*run, deadline) || changed;
  }
  if (fired) wt::schedule(*run->ms, clock_.now());  // one task for all timers of this moment
  // It is handed out when all of them have fired: what comes while a worker has it has to wait.
  const bool was_held = run->task_held;
  run->task_held = run->is_due(clock_.now()) && !stuck;
  if (changed) {
    transitions_.finish(*run);
  } else {
    wakes_.arm(key, run->ms->next_deadline().at);
  }
  if (stuck) wakes_.arm(key, 0);  // it stays as it is, and stops nobody else
  if (run->task_held) {
    dispatch_.withdraw_workflow_task(*run);
  } else if (was_held) {
    dispatch_.workflow_task(*run);
  }
  return std::max(done, 1);
}

bool DueRuns::cannot_follow(const Run& run, const history::Deadline& deadline) const {
  const bool ends = deadline.kind == history::DeadlineKind::kExecutionTimeout ||
                    deadline.kind == history::DeadlineKind::kRunTimeout;
  return ends && history::lifecycle::may_be_followed(run.ms->s()) && !reader_.find(run, 1);
}

bool DueRuns::fire_one(Run& run, const history::Deadline& deadline) {
  MutableState& ms = *run.ms;
  switch (deadline.kind) {
    case history::DeadlineKind::kExecutionTimeout:
    case history::DeadlineKind::kRunTimeout: {
      auto holder = std::make_shared<Event>();
      history::lifecycle::CloseContext context;
      if (history::lifecycle::may_be_followed(ms.s())) {
        context.new_run_id = ids_.next();
        context.first_event = reader_.first_event_of(run, holder)();
      }
      history::lifecycle::time_out(ms, limits_.execution, clock_.now(), context);
      return true;
    }
    case history::DeadlineKind::kFirstTask: history::lifecycle::first_task_due(ms, clock_.now()); return true;
    case history::DeadlineKind::kWorkflowTask: workflow_task_deadline(run); return true;
    case history::DeadlineKind::kActivity:
      history::activity::on_deadline(ms, limits_.execution, clock_.now(), deadline.id);
      return true;
    case history::DeadlineKind::kTimer: history::timer::fire(ms, clock_.now(), deadline.id); return true;
  }
  return false;
}

void DueRuns::workflow_task_deadline(Run& run) {
  MutableState& ms = *run.ms;
  dispatch_.task_came_back(run);
  if (ms.workflow_task_started()) {
    wt::time_out(ms, clock_.now(), enums::TIMEOUT_TYPE_START_TO_CLOSE);
    queries_.task_ended(run);
    wt::schedule_again(ms, clock_.now());
  } else if (ms.speculative() && !ms.s().workflow_task().sticky()) {
    // Nobody polls: the updates wait in an ordinary task, which survives a crash of the queue, if not of the
    // updates.
    wt::offer_as_ordinary(ms);
  } else {
    wt::time_out(ms, clock_.now(), enums::TIMEOUT_TYPE_SCHEDULE_TO_START);
    wt::schedule(ms, clock_.now());
  }
}

}  // namespace holdfast::engine
