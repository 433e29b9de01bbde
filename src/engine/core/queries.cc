#include "engine/queries.h"

#include <vector>

#include "engine/errors.h"
#include "engine/options.h"
#include "engine/parked_calls.h"
#include "engine/replies.h"
#include "engine/task_dispatch.h"

namespace holdfast::engine {

bool is_too_large(const pb::common::v1::Payloads& result, const history::Limits& limits) {
  return static_cast<std::int64_t>(result.ByteSizeLong()) > limits.blob_bytes;
}

void Queries::end(Run& run, const std::string& query_id, Result<api::MessagePtr> result) {
  const auto found = run.queries.find(query_id);
  if (found == run.queries.end()) return;
  if (auto parked = parked_.take(found->second.call)) replies_.send_result(parked->call, std::move(result));
  dispatch_.query_ended(run.key, query_id);
  run.queries.erase(found);
}

void Queries::take_results(Run& run, ws::RespondWorkflowTaskCompletedRequest* request) {
  for (auto& [id, result] : *request->mutable_query_results()) {
    const auto found = run.queries.find(id);
    if (found == run.queries.end() || found->second.state != Query::State::kWithTask) continue;
    if (is_too_large(result.answer(), limits_.execution)) {
      end(run, id, fail(errors::invalid(kResultTooLarge)));
    } else if (result.result_type() == enums::QUERY_RESULT_TYPE_ANSWERED) {
      auto response = std::make_unique<ws::QueryWorkflowResponse>();
      response->mutable_query_result()->Swap(result.mutable_answer());
      end(run, id, api::MessagePtr(std::move(response)));
    } else {
      end(run, id,
          fail(errors::query_failed(result.error_message(),
                                    result.has_failure() ? &result.failure() : nullptr)));
    }
  }
  // The others of this task wait for the next. Not those of a task that is handed out after this one.
  for (auto& [id, query] : run.queries) {
    if (query.state == Query::State::kWithTask) query.state = Query::State::kBuffered;
  }
}

void Queries::task_ended(Run& run) {
  for (auto& [id, query] : run.queries) {
    if (query.state == Query::State::kWithTask) query.state = Query::State::kBuffered;
  }
  if (!run.ms->running()) dispatch_buffered(run);
}

void Queries::dispatch_buffered(Run& run) {
  if (run.ms->running() && run.ms->workflow_task_pending()) return;
  std::vector<std::string> direct;
  for (auto& [id, query] : run.queries) {
    if (query.state == Query::State::kBuffered) direct.push_back(id);
  }
  for (const auto& id : direct) dispatch_.query(run, id);
}

void Queries::timed_out(Parked& parked) {
  replies_.send(parked.call,
                Status(Code::kDeadlineExceeded,
                       "No worker answered the query in time. Is a worker running that polls the "
                       "task queue of this workflow?"));
}

}  // namespace holdfast::engine
