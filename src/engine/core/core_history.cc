// Reading histories: pages, waiting for news, the closing event only, newest first.

#include <algorithm>

#include "engine/core_impl.h"
#include "history/workflow_task.h"

namespace holdfast::engine {

namespace wt = history::workflow_task;

namespace {

// Temporal's own tools show what is written, nothing else.
bool shows_unwritten(const api::CallOptions& options) {
  return options.client_name != "temporal-cli" && options.client_name != "temporal-ui";
}

// Without it the caller would page for ever.
Status event_is_missing(const Run& run, std::int64_t event_id) {
  return Status(Code::kDataLoss, "The stored history of run " + run.key.run_id + " lacks event " +
                                     std::to_string(event_id) +
                                     "; restore the data directory from a backup.");
}

}  // namespace

std::int64_t EngineCore::Impl::page_events(std::int32_t wanted) const {
  const std::int64_t most = options_.limits.page_events;
  return wanted > 0 ? std::min<std::int64_t>(most, wanted) : most;
}

// Answers, or parks when there is nothing yet and the caller waits.
void EngineCore::Impl::answer_history(Call& call, Run& run, const HistoryRead& read) {
  MutableState& ms = *run.ms;
  const auto& state = ms.s();
  const bool running = ms.running();
  const bool nothing_new = read.close_only ? running : running && read.next_event_id >= state.next_event_id();
  if (read.wait && nothing_new) {
    if (parked_.size() >= options_.limits.parked_polls) {
      return reply(call, errors::exhausted("Too many long polls are open; try again later.",
                                           enums::RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT));
    }
    Parked parked;
    parked.kind = Parked::Kind::kHistory;
    parked.run = run.key;
    parked.history = read;
    parked.deadline_ns = call_deadline(call, options_.limits.history_poll_ns);
    parked.call = std::move(call);
    run.history_waiters.insert(park(std::move(parked)));
    return;
  }
  auto response = std::make_unique<ws::GetWorkflowExecutionHistoryResponse>();
  History* events = response->mutable_history();
  if (read.close_only) {
    // The last event there is; of a closed execution, the closing one.
    const std::int64_t last = running ? state.next_event_id() - 1 : state.close_event_id();
    read_events(run, last, last + 1, 1, events);
    return reply(call, std::move(response));
  }
  const std::int64_t end = state.next_event_id();
  const std::int64_t next = read_events(run, read.next_event_id, end, read.page_events, events);
  if (next == read.next_event_id && next < end) {
    return reply(call, event_is_missing(run, next));
  }
  stored::HistoryToken more;
  more.set_run_id(run.key.run_id);
  more.set_next_event_id(next);
  more.set_waiting(read.wait || read.waited);
  if (next < end || (read.wait && running)) {
    response->set_next_page_token(history::serialize(more));
  } else if (running && shows_unwritten(call.options)) {
    wt::append_unwritten(ms, events);
  }
  reply(call, std::move(response));
}

void EngineCore::Impl::get_history(Call& call, const ws::GetWorkflowExecutionHistoryRequest& request,
                                   const stored::NamespaceRecord& record) {
  stored::HistoryToken token;
  pb::common::v1::WorkflowExecution execution = request.execution();
  if (!request.next_page_token().empty()) {
    if (!token.ParseFromString(request.next_page_token()) || token.next_event_id() < 1 ||
        token.run_id().empty()) {
      return reply(call,
                   errors::invalid("Invalid NextPageToken; leave it empty to start from the first event."));
    }
    if (!execution.run_id().empty() && execution.run_id() != token.run_id()) {
      return reply(call, errors::invalid("RunId and NextPageToken belong to different runs."));
    }
    execution.set_run_id(token.run_id());
  } else {
    token.set_next_event_id(1);
  }
  auto found = resolve(record.id(), named(execution));
  if (!found) return reply(call, std::move(found.error()));
  answer_history(
      call, **found,
      {.next_event_id = token.next_event_id(),
       .page_events = page_events(request.maximum_page_size()),
       .close_only = request.history_event_filter_type() == enums::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
       .wait = request.wait_new_event(),
       .waited = token.waiting()});
}

void EngineCore::Impl::answer_history_waiters(Run& run) {
  const auto waiters = run.history_waiters;
  for (CallId id : waiters) {
    const auto found = parked_.find(id);
    if (found == parked_.end()) {
      run.history_waiters.erase(id);
      continue;
    }
    const auto& parked = found->second;
    const bool news = parked.history.close_only
                          ? !run.ms->running()
                          : !run.ms->running() || parked.history.next_event_id < run.ms->s().next_event_id();
    if (!news) continue;
    unpark(id, [&](Parked& ready) { answer_history(ready.call, run, ready.history); });
  }
}

// Events before `end`, newest first, up to the limits; returns the id of the last one.
std::int64_t EngineCore::Impl::read_events_before(Run& run, std::int64_t end, std::int64_t max_events,
                                                  History* newest_first) {
  std::int64_t begin = end;
  std::size_t bytes = 0;
  // Sizes are known only forward: a window that is too large for the rest of the page is halved. One event
  // always fits.
  for (std::int64_t window = max_events; window > 0 && begin > 1 && end - begin < max_events;) {
    const std::int64_t from = std::max({std::int64_t{1}, begin - window, end - max_events});
    History part;
    const std::int64_t next = read_events(run, from, begin, window, &part);
    std::size_t size = 0;
    for (const Event& event : part.events()) size += event.ByteSizeLong();
    if (next < begin || (begin < end && bytes + size > options_.limits.page_bytes)) {
      window /= 2;
      continue;
    }
    for (int i = part.events_size() - 1; i >= 0; --i)
      newest_first->add_events()->Swap(part.mutable_events(i));
    bytes += size;
    begin = from;
  }
  return begin;
}

void EngineCore::Impl::get_history_reverse(Call& call,
                                           const ws::GetWorkflowExecutionHistoryReverseRequest& request,
                                           const stored::NamespaceRecord& record) {
  stored::HistoryToken token;
  pb::common::v1::WorkflowExecution execution = request.execution();
  if (!request.next_page_token().empty()) {
    if (!token.ParseFromString(request.next_page_token()) || token.next_event_id() < 1) {
      return reply(call,
                   errors::invalid("Invalid NextPageToken; leave it empty to start from the last event."));
    }
    execution.set_run_id(token.run_id());
  }
  auto found = resolve(record.id(), named(execution));
  if (!found) return reply(call, std::move(found.error()));
  Run& run = **found;
  std::int64_t end = run.ms->s().next_event_id();
  if (token.next_event_id() != 0) end = std::min(end, token.next_event_id());
  auto response = std::make_unique<ws::GetWorkflowExecutionHistoryReverseResponse>();
  const std::int64_t begin =
      read_events_before(run, end, page_events(request.maximum_page_size()), response->mutable_history());
  if (begin == end && end > 1) return reply(call, event_is_missing(run, end - 1));
  if (begin > 1) {
    stored::HistoryToken more;
    more.set_run_id(run.key.run_id);
    more.set_next_event_id(begin);
    response->set_next_page_token(history::serialize(more));
  }
  reply(call, std::move(response));
}

}  // namespace holdfast::engine
