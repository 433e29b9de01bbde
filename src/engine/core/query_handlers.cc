#include "engine/query_handlers.h"

#include "engine/core_clock.h"
#include "engine/errors.h"
#include "engine/new_ids.h"
#include "engine/options.h"
#include "engine/parked_calls.h"
#include "engine/queries.h"
#include "engine/replies.h"
#include "engine/task_dispatch.h"
#include "engine/task_tokens.h"
#include "engine/unserved.h"

namespace holdfast::engine {

Status QueryHandlers::check(const ws::QueryWorkflowRequest& request) {
  if (request.query().query_type().empty()) return errors::invalid("QueryType is not set on request.");
  if (!enums::QueryRejectCondition_IsValid(request.query_reject_condition()))
    return unserved::unknown_value("QueryRejectCondition", request.query_reject_condition());
  return Status();
}

void QueryHandlers::query(Call& call, ws::QueryWorkflowRequest& request, const stored::NamespaceRecord&,
                          Run& run) {
  MutableState& ms = *run.ms;
  const auto& state = ms.s();
  const auto condition = request.query_reject_condition();
  const bool rejected = (condition == enums::QUERY_REJECT_CONDITION_NOT_OPEN && !ms.running()) ||
                        (condition == enums::QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY && !ms.running() &&
                         state.status() != enums::WORKFLOW_EXECUTION_STATUS_COMPLETED);
  if (rejected) {
    auto response = std::make_unique<ws::QueryWorkflowResponse>();
    response->mutable_query_rejected()->set_status(state.status());
    return replies_.send(call, std::move(response));
  }
  const Ns deadline = clock_.deadline_of(call.options, 10 * history::kSecond);
  if (ms.running() && state.first_task_backoff_until_ns() > deadline) {
    return replies_.send(call, errors::workflow_not_ready("Workflow task is not scheduled yet."));
  }
  if (ms.running() && state.workflow_task().attempt() >= 3) {
    return replies_.send(
        call,
        errors::workflow_not_ready(
            "Unable to query workflow due to Workflow Task in failed state. Look at the worker's log."));
  }
  // Without one completed workflow task there is no state to ask about.
  const bool started = state.last_completed_task_event_id() != 0;
  const bool direct = started && (!ms.running() || !ms.workflow_task_pending());
  if (!ms.running() && !started) {
    return replies_.send(
        call, errors::workflow_not_ready("Workflow execution closed before WorkflowTaskStarted event"));
  }
  if (parked_.full_of_waits()) {
    return replies_.send(call, errors::exhausted("Too many calls wait; try again later.",
                                                 enums::RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT));
  }
  if (!direct) {
    std::int64_t waiting = 0;
    for (const auto& [id, other] : run.queries) waiting += other.state != Query::State::kDirect ? 1 : 0;
    if (waiting >= limits_.execution.buffered_queries) {
      return replies_.send(call,
                           errors::exhausted("The workflow has as many waiting queries as it may; try again.",
                                             enums::RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW));
    }
  }
  const std::string id = ids_.next();
  Query& entry = run.queries[id];
  entry.call = call.id;
  entry.query.Swap(request.mutable_query());  // the call keeps no second one while it waits
  Parked parked;
  parked.kind = Parked::Kind::kQuery;
  parked.run = run.key;
  parked.query_id = id;
  parked.deadline_ns = deadline;
  parked.call = std::move(call);
  parked_.park(std::move(parked));
  if (direct) dispatch_.query(run, id);
}

void QueryHandlers::completed(Call& call, ws::RespondQueryTaskCompletedRequest& request) {
  stored::TaskToken token;
  auto found = tokens_.run_of(request.task_token(), request.namespace_(), &token,
                              errors::not_found("query task not found, or already expired"));
  if (!found) return replies_.send(call, std::move(found.error()));
  Run& run = **found;
  if (token.query_id().empty())
    return replies_.send(call, errors::invalid("Invalid TaskToken: not one of a query."));
  if (!run.queries.contains(token.query_id())) {
    return replies_.send(call, errors::not_found("query task not found, or already expired"));
  }
  if (request.completed_type() == enums::QUERY_RESULT_TYPE_ANSWERED) {
    if (is_too_large(request.query_result(), limits_.execution)) {
      queries_.end(run, token.query_id(), fail(errors::query_failed(kResultTooLarge, nullptr)));
    } else {
      auto response = std::make_unique<ws::QueryWorkflowResponse>();
      response->mutable_query_result()->Swap(request.mutable_query_result());
      queries_.end(run, token.query_id(), api::MessagePtr(std::move(response)));
    }
  } else if (request.completed_type() == enums::QUERY_RESULT_TYPE_FAILED) {
    queries_.end(run, token.query_id(),
                 fail(errors::query_failed(request.error_message(),
                                           request.has_failure() ? &request.failure() : nullptr)));
  } else {
    return replies_.send(call, errors::invalid("CompletedType is not set on request."));
  }
  replies_.send(call, std::make_unique<ws::RespondQueryTaskCompletedResponse>());
}

}  // namespace holdfast::engine
