#include "engine/transitions.h"

#include "engine/core_clock.h"
#include "engine/errors.h"
#include "engine/history_waiters.h"
#include "engine/offers.h"
#include "engine/options.h"
#include "engine/outbox.h"
#include "engine/queries.h"
#include "engine/run_cache.h"
#include "engine/task_dispatch.h"
#include "engine/update_waiters.h"
#include "history/lifecycle.h"
#include "history/update.h"
#include "history/workflow_task.h"

namespace holdfast::engine {

namespace lifecycle = history::lifecycle;
namespace wt = history::workflow_task;

void Transitions::finish(Run& run) {
  MutableState& ms = *run.ms;
  if (ms.running()) check_buffered(run);
  wt::finish_transition(ms, clock_.now());
  if (ms.running()) check_history_limits(run);
  auto effects = ms.take_effects();
  cache_.touch(run);
  run.feed_pending = run.feed_pending || effects.visibility;
  if (effects.closed) close(run, std::move(effects.successor));
  if (effects.owes()) outbox_.add(run.key, effects.outbox_from);
  if ((effects.updates || effects.closed) && !run.update_waiters.empty()) update_waiters_.notify(run);
  // What is over is in the history, or left no trace; of a closed run, everything is.
  if (!ms.running()) {
    ms.updates().all().clear();
  } else if (effects.updates) {
    ms.updates().forget_ended();
  }
  if (!run.history_waiters.empty()) history_waiters_.notify(run);
  // The deadline that it waited for is gone without having come: nothing else would let it go.
  const bool let_go = run.task_held && !run.is_due(clock_.now());
  if (let_go) run.task_held = false;
  if (effects.workflow_task || let_go) dispatch_.workflow_task(run);
  for (std::int64_t id : effects.ended_activities) dispatch_.activity_ended(run, id);
  if (!effects.activities.empty()) offers_.activities(run, effects.activities);
}

void Transitions::close(Run& run, std::shared_ptr<MutableState> successor) {
  MutableState& ms = *run.ms;
  const auto& [namespace_id, workflow_id, run_id] = run.key;
  if (successor) {
    Run& next = cache_.create(std::make_unique<MutableState>(std::move(*successor)));
    // Updates that no worker has seen move on with the chain.
    for (auto& [id, update] : ms.updates().waiting(true)) next.ms->updates().admit(update->request);
    update_waiters_.follow(run, next);
    finish(next);
  } else if (auto row = cache_.current(namespace_id, workflow_id);
             row && *row && (*row)->run_id() == run_id) {
    (*row)->set_status(ms.s().status());
    cache_.set_current(namespace_id, workflow_id, **std::move(row));
  }
  history::update::fail_all_at_close(ms);
  dispatch_.closed(run);
  queries_.task_ended(run);
}

// Too much waits for the running task: the task is over, and what waits gets its place.
void Transitions::check_buffered(Run& run) {
  MutableState& ms = *run.ms;
  const auto& limits = limits_.execution;
  const auto& buffered = ms.held().buffered_events;
  if (!ms.workflow_task_started() || buffered.empty()) return;
  if (buffered.size() <= limits.buffered_events && ms.buffered_bytes() <= limits.buffered_bytes) return;
  fail_workflow_task(run, enums::WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND, "Too many buffered events.",
                     nullptr, "history-service");
}

void Transitions::check_history_limits(Run& run) {
  MutableState& ms = *run.ms;
  const auto& limits = limits_.execution;
  if (ms.s().next_event_id() - 1 < limits.history_events && ms.s().history_bytes() < limits.history_bytes)
    return;
  history::lifecycle::terminate(ms, clock_.now(),
                                ms.s().history_bytes() >= limits.history_bytes
                                    ? "Workflow history size exceeds limit."
                                    : "Workflow history count exceeds limit.",
                                nullptr, "history-service");
  wt::finish_transition(ms, clock_.now());
}

void Transitions::terminate(Run& run, const std::string& reason, pb::common::v1::Payloads* details,
                            const std::string& identity, const history::Links& links) {
  lifecycle::terminate(*run.ms, clock_.now(), reason, details, identity, links);
  finish(run);
}

void Transitions::fail_workflow_task(Run& run, enums::WorkflowTaskFailedCause cause,
                                     const std::string& message, const pb::failure::v1::Failure* failure,
                                     const std::string& identity) {
  MutableState& ms = *run.ms;
  pb::failure::v1::Failure own;
  if (failure == nullptr) {
    own.set_message(errors::task_failed(cause, message));
    own.mutable_server_failure_info();
    failure = &own;
  }
  dispatch_.task_came_back(run);
  wt::fail(ms, clock_.now(), {.cause = cause, .failure = failure, .identity = identity});
  queries_.task_ended(run);
  wt::schedule_again(ms, clock_.now());
}

}  // namespace holdfast::engine
