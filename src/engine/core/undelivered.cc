#include "engine/undelivered.h"

#include "engine/core_clock.h"
#include "engine/errors.h"
#include "engine/task_dispatch.h"
#include "engine/task_tokens.h"
#include "engine/transitions.h"
#include "history/activity.h"
#include "history/workflow_task.h"

namespace holdfast::engine {

using matching::Place;

void Undelivered::take_back(api::Method method, const api::Message& answer) {
  using M = api::Method;
  switch (method) {
    case M::kPollWorkflowTaskQueue:
      return workflow_task(static_cast<const ws::PollWorkflowTaskQueueResponse&>(answer));
    case M::kPollActivityTaskQueue:
      return activity(static_cast<const ws::PollActivityTaskQueueResponse&>(answer).task_token());
    case M::kStartWorkflowExecution:
      return workflow_task(
          static_cast<const ws::StartWorkflowExecutionResponse&>(answer).eager_workflow_task());
    case M::kRespondWorkflowTaskCompleted: {
      const auto& completed = static_cast<const ws::RespondWorkflowTaskCompletedResponse&>(answer);
      workflow_task(completed.workflow_task());
      for (const auto& task : completed.activity_tasks()) activity(task.task_token());
      return;
    }
    default: return;
  }
}

void Undelivered::workflow_task(const ws::PollWorkflowTaskQueueResponse& task) {
  stored::TaskToken token;
  auto found = tokens_.run_of(task.task_token(), {}, &token, errors::task_not_found());
  if (!found) return;
  Run& run = **found;
  if (!token.query_id().empty()) {
    // Somebody may still wait for its result.
    if (run.queries.contains(token.query_id())) dispatch_.query(run, token.query_id(), Place::kFirst);
  } else if (tokens_.holds_workflow_task(run, token)) {
    dispatch_.take_back_workflow_task(run);
  }
}

void Undelivered::activity(const std::string& bytes) {
  stored::TaskToken token;
  auto found = tokens_.run_of(bytes, {}, &token, errors::activity_not_found());
  if (!found) return;
  Run& run = **found;
  const auto* info = tokens_.held_activity(run, token);
  if (info == nullptr) return;
  history::activity::take_back(*run.ms, clock_.now(), info);
  transitions_.finish(run);
  dispatch_.activity(run, token.scheduled_event_id(), Place::kFirst);
}

}  // namespace holdfast::engine
