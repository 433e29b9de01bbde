#include "engine/history_waiters.h"

#include <algorithm>

#include "engine/core_clock.h"
#include "engine/errors.h"
#include "engine/history_reader.h"
#include "engine/options.h"
#include "engine/parked_calls.h"
#include "engine/replies.h"
#include "engine/run_cache.h"
#include "history/workflow_task.h"

namespace holdfast::engine {

namespace wt = history::workflow_task;

namespace {

// Temporal's own tools show what is written, nothing else.
bool shows_unwritten(const api::CallOptions& options) {
  return options.client_name != "temporal-cli" && options.client_name != "temporal-ui";
}

}  // namespace

std::int64_t HistoryWaiters::page_events(std::int32_t wanted) const {
  const std::int64_t most = limits_.page_events;
  return wanted > 0 ? std::min<std::int64_t>(most, wanted) : most;
}

void HistoryWaiters::answer(Call& call, Run& run, const HistoryRead& read) {
  MutableState& ms = *run.ms;
  const auto& state = ms.s();
  const bool running = ms.running();
  const bool nothing_new = read.close_only ? running : running && read.next_event_id >= state.next_event_id();
  if (read.wait && nothing_new) {
    if (parked_.full_of_waits()) {
      return replies_.send(call, errors::exhausted("Too many long polls are open; try again later.",
                                                   enums::RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT));
    }
    Parked parked;
    parked.kind = Parked::Kind::kHistory;
    parked.run = run.key;
    parked.history = read;
    parked.deadline_ns = clock_.deadline_of(call.options, limits_.history_poll_ns);
    parked.call = std::move(call);
    run.history_waiters.emplace(read.awaited_event_id(), parked_.park(std::move(parked)));
    return;
  }
  auto response = std::make_unique<ws::GetWorkflowExecutionHistoryResponse>();
  History* events = response->mutable_history();
  if (read.close_only) {
    // The closing event, which an open execution does not have yet.
    const std::int64_t last = state.close_event_id();
    if (!running && reader_.read(run, last, last + 1, 1, events) == last)
      return replies_.send(call, errors::event_is_missing(run.key.run_id, last));
    return replies_.send(call, std::move(response));
  }
  const std::int64_t end = state.next_event_id();
  const std::int64_t next = reader_.read(run, read.next_event_id, end, read.page_events, events);
  if (next == read.next_event_id && next < end) {
    return replies_.send(call, errors::event_is_missing(run.key.run_id, next));
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
  replies_.send(call, std::move(response));
}

void HistoryWaiters::notify(Run& run) {
  const auto answered = [&] {
    return !run.history_waiters.empty() &&
           (!run.ms->running() || run.history_waiters.begin()->first < run.ms->s().next_event_id());
  };
  for (int at_once = 0; answered(); ++at_once) {
    const CallId id = run.history_waiters.begin()->second;
    run.history_waiters.erase(run.history_waiters.begin());
    if (at_once >= kAtOnce) {
      woken_.push_back(id);
    } else if (auto ready = parked_.take(id)) {
      answer(ready->call, run, ready->history);
    }
  }
}

int HistoryWaiters::answer_woken(int most, RunCache& cache) {
  int done = 0;
  for (; done < most && !woken_.empty(); ++done) {
    auto ready = parked_.take(woken_.front());
    woken_.pop_front();
    if (!ready) continue;  // its time was up
    if (Run* run = cache.find(ready->run)) {
      answer(ready->call, *run, ready->history);
    } else {
      replies_.send(ready->call, errors::execution_not_found(ready->run.workflow_id, ready->run.run_id));
    }
  }
  return done;
}

void HistoryWaiters::timed_out(Parked& parked) {
  auto response = std::make_unique<ws::GetWorkflowExecutionHistoryResponse>();
  response->mutable_history();
  stored::HistoryToken token;
  token.set_run_id(parked.run.run_id);
  token.set_next_event_id(parked.history.next_event_id);
  token.set_waiting(true);
  response->set_next_page_token(history::serialize(token));
  replies_.send(parked.call, std::move(response));
}

}  // namespace holdfast::engine
