#include "engine/history_handlers.h"

#include <algorithm>

#include "engine/errors.h"
#include "engine/history_reader.h"
#include "engine/history_waiters.h"
#include "engine/parked_calls.h"
#include "engine/replies.h"
#include "engine/run_cache.h"
#include "engine/unserved.h"

namespace holdfast::engine {

void HistoryHandlers::get(Call& call, const ws::GetWorkflowExecutionHistoryRequest& request,
                          const stored::NamespaceRecord& record) {
  if (!request.has_execution())
    return replies_.send(call, errors::invalid("Execution is not set on request."));
  if (const auto type = request.history_event_filter_type(); !enums::HistoryEventFilterType_IsValid(type))
    return replies_.send(call, unserved::unknown_value("HistoryEventFilterType", type));
  stored::HistoryToken token;
  pb::common::v1::WorkflowExecution execution = request.execution();
  if (!request.next_page_token().empty()) {
    if (!token.ParseFromString(request.next_page_token()) || token.next_event_id() < 1 ||
        token.run_id().empty()) {
      return replies_.send(
          call, errors::invalid("Invalid NextPageToken. Leave it empty to start from the first event."));
    }
    if (!execution.run_id().empty() && execution.run_id() != token.run_id()) {
      return replies_.send(call, errors::invalid("RunId in the request does not match the NextPageToken."));
    }
    execution.set_run_id(token.run_id());
  } else {
    token.set_next_event_id(1);
  }
  auto found = cache_.resolve(record.id(), named(execution));
  if (!found) return replies_.send(call, std::move(found.error()));
  history_waiters_.answer(
      call, **found,
      {.next_event_id = token.next_event_id(),
       .page_events = history_waiters_.page_events(request.maximum_page_size()),
       .close_only = request.history_event_filter_type() == enums::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
       .wait = request.wait_new_event(),
       .waited = token.waiting()});
}

void HistoryHandlers::get_reverse(Call& call, const ws::GetWorkflowExecutionHistoryReverseRequest& request,
                                  const stored::NamespaceRecord& record) {
  if (!request.has_execution())
    return replies_.send(call, errors::invalid("Execution is not set on request."));
  stored::HistoryToken token;
  pb::common::v1::WorkflowExecution execution = request.execution();
  if (!request.next_page_token().empty()) {
    if (!token.ParseFromString(request.next_page_token()) || token.next_event_id() < 1) {
      return replies_.send(
          call, errors::invalid("Invalid NextPageToken. Leave it empty to start from the last event."));
    }
    execution.set_run_id(token.run_id());
  }
  auto found = cache_.resolve(record.id(), named(execution));
  if (!found) return replies_.send(call, std::move(found.error()));
  Run& run = **found;
  std::int64_t end = run.ms->s().next_event_id();
  if (token.next_event_id() != 0) end = std::min(end, token.next_event_id());
  auto response = std::make_unique<ws::GetWorkflowExecutionHistoryReverseResponse>();
  const std::int64_t begin = reader_.read_before(
      run, end, history_waiters_.page_events(request.maximum_page_size()), response->mutable_history());
  if (begin == end && end > 1) return replies_.send(call, errors::event_is_missing(run.key.run_id, end - 1));
  if (begin > 1) {
    stored::HistoryToken more;
    more.set_run_id(run.key.run_id);
    more.set_next_event_id(begin);
    response->set_next_page_token(history::serialize(more));
  }
  replies_.send(call, std::move(response));
}

}  // namespace holdfast::engine
