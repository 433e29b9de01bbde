// Queries: never in the history. They travel with the next workflow task when one is coming, alone otherwise.

#include "engine/core_impl.h"

namespace holdfast::engine {

Status EngineCore::Impl::check_query(const ws::QueryWorkflowRequest& request) const {
  if (request.query().query_type().empty()) return errors::invalid("QueryType is not set on request.");
  return Status();
}

void EngineCore::Impl::query(Call& call, const ws::QueryWorkflowRequest& request,
                             const stored::NamespaceRecord&, Run& run) {
  MutableState& ms = *run.ms;
  const auto& state = ms.s();
  const auto condition = request.query_reject_condition();
  const bool rejected = (condition == enums::QUERY_REJECT_CONDITION_NOT_OPEN && !ms.running()) ||
                        (condition == enums::QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY && !ms.running() &&
                         state.status() != enums::WORKFLOW_EXECUTION_STATUS_COMPLETED);
  if (rejected) {
    auto response = std::make_unique<ws::QueryWorkflowResponse>();
    response->mutable_query_rejected()->set_status(state.status());
    return reply(call, std::move(response));
  }
  const Ns deadline = call_deadline(call, 10 * history::kSecond);
  if (ms.running() && state.first_task_backoff_until_ns() > deadline) {
    return reply(call, errors::workflow_not_ready("Workflow task is not scheduled yet."));
  }
  if (ms.running() && state.workflow_task().attempt() >= 3) {
    return reply(
        call,
        errors::workflow_not_ready(
            "Unable to query workflow due to Workflow Task in failed state: look at the worker's log."));
  }
  // Without one completed workflow task there is no state to ask about.
  const bool started = state.last_completed_task_event_id() != 0;
  const bool direct = started && (!ms.running() || !ms.workflow_task_pending());
  if (!ms.running() && !started) {
    return reply(call, errors::workflow_not_ready("The workflow closed before its first workflow task."));
  }
  if (parked_.size() >= options_.limits.parked_polls) {
    return reply(call, errors::exhausted("Too many calls wait; try again later.",
                                         enums::RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT));
  }
  if (!direct) {
    std::int64_t waiting = 0;
    for (const auto& [id, other] : run.queries) waiting += other.state != Query::State::kDirect ? 1 : 0;
    if (waiting >= options_.limits.execution.buffered_queries) {
      return reply(call, errors::exhausted("The workflow has as many waiting queries as it may; try again.",
                                           enums::RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW));
    }
  }
  const std::string id = new_id();
  Query& entry = run.queries[id];
  entry.call = call.id;
  entry.query = request.query();
  Parked parked;
  parked.kind = Parked::Kind::kQuery;
  parked.run = run.key;
  parked.query_id = id;
  parked.deadline_ns = deadline;
  parked.call = std::move(call);
  park(std::move(parked));
  if (direct) dispatch_query(run, id);
}

void EngineCore::Impl::end_query(Run& run, const std::string& query_id, Result<api::MessagePtr> result) {
  const auto found = run.queries.find(query_id);
  if (found == run.queries.end()) return;
  const CallId call = found->second.call;
  unpark(call, [&](Parked& parked) { reply_result(parked.call, std::move(result)); });
  run.queries.erase(query_id);
}

void EngineCore::Impl::query_completed(Call& call, ws::RespondQueryTaskCompletedRequest& request) {
  stored::TaskToken token;
  auto found = run_of_token(request.task_token(), &token,
                            errors::not_found("query task not found, or already expired"));
  if (!found) return reply(call, std::move(found.error()));
  Run& run = **found;
  if (token.query_id().empty()) return reply(call, errors::invalid("Invalid TaskToken: not one of a query."));
  if (!run.queries.contains(token.query_id())) {
    return reply(call, errors::not_found("query task not found, or already expired"));
  }
  if (request.completed_type() == enums::QUERY_RESULT_TYPE_ANSWERED) {
    auto response = std::make_unique<ws::QueryWorkflowResponse>();
    response->mutable_query_result()->Swap(request.mutable_query_result());
    end_query(run, token.query_id(), api::MessagePtr(std::move(response)));
  } else if (request.completed_type() == enums::QUERY_RESULT_TYPE_FAILED) {
    end_query(run, token.query_id(),
              fail(errors::query_failed(request.error_message(),
                                        request.has_failure() ? &request.failure() : nullptr)));
  } else {
    return reply(call, errors::invalid("CompletedType is not set on request."));
  }
  reply(call, std::make_unique<ws::RespondQueryTaskCompletedResponse>());
}

}  // namespace holdfast::engine
