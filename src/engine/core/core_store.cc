// Executions in memory and on disk: the cache, history pages, what goes into a batch, and the wake index.

#include <algorithm>

#include "base/check.h"
#include "base/ids.h"
#include "engine/core_impl.h"
#include "history/lifecycle.h"
#include "history/update.h"
#include "history/workflow_task.h"
#include "store/keys.h"

namespace holdfast::engine {

namespace keys = store::keys;
namespace wt = history::workflow_task;

namespace {

// Never while a transaction is half way: a store that cannot be read is as bad as one that cannot be written.
void check_read(const Status& status) {
  HF_CHECK(status.ok());
}

}  // namespace

std::optional<std::string> EngineCore::Impl::get(const std::string& key) {
  if (const auto found = changes_.find(key); found != changes_.end()) return found->second;
  for (auto batch = in_flight_.rbegin(); batch != in_flight_.rend(); ++batch) {
    if (const auto found = batch->second.find(key); found != batch->second.end()) return found->second;
  }
  auto value = store_.get(key);
  HF_CHECK(value.has_value());
  return *std::move(value);
}

Run* EngineCore::Impl::find(const RunKey& key) {
  if (const auto found = runs_.find(key); found != runs_.end()) {
    lru_.splice(lru_.begin(), lru_, found->second->lru);
    return found->second.get();
  }
  const auto bytes = get(keys::execution_state(key.namespace_id, key.workflow_id, key.run_id));
  if (!bytes) return nullptr;
  stored::ExecutionState state;
  HF_CHECK(state.ParseFromString(*bytes));
  auto run = std::make_unique<Run>(key, std::make_unique<MutableState>(std::move(state)));
  Run* result = run.get();
  lru_.push_front(result);
  result->lru = lru_.begin();
  runs_.emplace(key, std::move(run));
  if (result->ms->running()) arm(key, result->ms->next_deadline().at);
  return result;
}

std::optional<stored::CurrentRun> EngineCore::Impl::current(const std::string& namespace_id,
                                                            const std::string& workflow_id) {
  if (const auto found = currents_.find({namespace_id, workflow_id}); found != currents_.end())
    return found->second;
  const auto bytes = get(keys::current_run(namespace_id, workflow_id));
  if (!bytes) return std::nullopt;
  stored::CurrentRun row;
  HF_CHECK(row.ParseFromString(*bytes));
  if (runs_.contains({namespace_id, workflow_id, row.run_id()})) currents_[{namespace_id, workflow_id}] = row;
  return row;
}

void EngineCore::Impl::set_current(const std::string& namespace_id, const std::string& workflow_id,
                                   stored::CurrentRun row) {
  put(keys::current_run(namespace_id, workflow_id), history::serialize(row));
  currents_[{namespace_id, workflow_id}] = std::move(row);
}

Result<Run*> EngineCore::Impl::resolve(const std::string& namespace_id, const RunName& name) {
  if (name.workflow_id.empty()) return fail(errors::invalid("WorkflowId is not set on request."));
  if (name.workflow_id.size() > static_cast<std::size_t>(options_.limits.execution.id_bytes)) {
    return fail(errors::invalid("WorkflowId length exceeds limit of 1000 bytes."));
  }
  std::string run_id = name.run_id;
  if (run_id.empty()) {
    const auto row = current(namespace_id, name.workflow_id);
    if (!row) return fail(errors::execution_not_found(name.workflow_id, ""));
    run_id = row->run_id();
  } else if (!is_uuid(run_id)) {
    return fail(errors::invalid("Invalid RunId."));
  }
  Run* run = find({namespace_id, name.workflow_id, run_id});
  if (run == nullptr) return fail(errors::execution_not_found(name.workflow_id, run_id));
  if (!name.first_run_id.empty() && run->ms->s().first_run_id() != name.first_run_id) {
    return fail(errors::execution_not_found(name.workflow_id, name.first_run_id));
  }
  return run;
}

Run& EngineCore::Impl::create(std::unique_ptr<MutableState> ms, bool make_current) {
  const auto& state = ms->s();
  RunKey key{state.namespace_id(), state.workflow_id(), state.run_id()};
  if (make_current) {
    stored::CurrentRun row;
    row.set_run_id(state.run_id());
    row.set_create_request_id(state.create_request_id());
    row.set_status(state.status());
    row.set_first_run_id(state.first_run_id());
    row.set_start_ns(state.start_ns());
    set_current(state.namespace_id(), state.workflow_id(), std::move(row));
  }
  auto run = std::make_unique<Run>(key, std::move(ms));
  Run* result = run.get();
  result->created = true;
  lru_.push_front(result);
  result->lru = lru_.begin();
  const bool inserted = runs_.emplace(std::move(key), std::move(run)).second;
  HF_CHECK(inserted);
  return *result;
}

void EngineCore::Impl::touch(Run& run) {
  if (!run.dirty) {
    run.dirty = true;
    dirty_.push_back(&run);
  }
  arm(run.key, run.ms->running() ? run.ms->next_deadline().at : 0);
}

void EngineCore::Impl::arm(const RunKey& key, Ns at) {
  const auto found = armed_.find(key);
  if (found != armed_.end()) {
    if (found->second == at) return;
    wakes_.erase({found->second, key});
    if (at == 0) {
      armed_.erase(found);
      return;
    }
    found->second = at;
  } else if (at == 0) {
    return;
  } else {
    armed_.emplace(key, at);
  }
  wakes_.emplace(at, key);
}

void EngineCore::Impl::finish(Run& run) {
  MutableState& ms = *run.ms;
  if (ms.running()) check_buffered(run);
  wt::finish_transition(ms, now_);
  if (ms.running()) check_history_limits(run);
  auto effects = ms.take_effects();
  touch(run);
  run.feed_pending = run.feed_pending || effects.visibility;
  if (effects.closed) {
    auto row = current(run.key.namespace_id, run.key.workflow_id);
    if (effects.successor) {
      Run& next = create(std::make_unique<MutableState>(std::move(*effects.successor)), true);
      // Updates that no worker has seen move on with the chain.
      for (auto& [id, update] : ms.updates().waiting(true)) next.ms->updates().admit(update->request);
      for (CallId id : run.update_waiters) {
        const auto found = parked_.find(id);
        if (found == parked_.end()) continue;
        const auto* update = ms.updates().find(found->second.update_id);
        if (update == nullptr || update->stage > history::UpdateStage::kSent) continue;
        found->second.run = next.key;
        next.update_waiters.insert(id);
      }
      for (CallId id : next.update_waiters) run.update_waiters.erase(id);
      finish(next);
    } else if (row && row->run_id() == run.key.run_id) {
      row->set_status(ms.s().status());
      set_current(run.key.namespace_id, run.key.workflow_id, *std::move(row));
    }
    history::update::fail_all_at_close(ms);
    task_came_back(run);
    queries_at_end_of_task(run);
  }
  if (effects.outbox) send_outbox(run);
  if (!run.update_waiters.empty()) answer_update_waiters(run);
  // What is over is in the history, or left no trace; of a closed run, everything is.
  if (!ms.running()) {
    ms.updates().all().clear();
  } else if (effects.updates) {
    ms.updates().forget_ended();
  }
  if (!run.history_waiters.empty()) answer_history_waiters(run);
  if (effects.workflow_task) dispatch_workflow_task(run);
  for (std::int64_t id : effects.activities) dispatch_activity(run, id);
}

// Too much waits for the running task: the task is over, and what waits gets its place.
void EngineCore::Impl::check_buffered(Run& run) {
  MutableState& ms = *run.ms;
  const auto& limits = options_.limits.execution;
  if (!ms.workflow_task_started() || ms.s().buffered_events().empty()) return;
  if (ms.s().buffered_events_size() <= limits.buffered_events && ms.buffered_bytes() <= limits.buffered_bytes)
    return;
  fail_workflow_task(run, enums::WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND, "Too many buffered events.",
                     nullptr, "history-service");
}

void EngineCore::Impl::check_history_limits(Run& run) {
  MutableState& ms = *run.ms;
  const auto& limits = options_.limits.execution;
  if (ms.s().next_event_id() - 1 < limits.history_events && ms.s().history_bytes() < limits.history_bytes)
    return;
  history::lifecycle::terminate(ms, now_,
                                ms.s().history_bytes() >= limits.history_bytes
                                    ? "Workflow history size exceeds limit."
                                    : "Workflow history count exceeds limit.",
                                nullptr, "history-service");
  wt::finish_transition(ms, now_);
}

void EngineCore::Impl::flush(Run& run, std::map<std::string, std::optional<std::string>>& changes,
                             Output& output) {
  MutableState& ms = *run.ms;
  const auto& state = ms.s();
  const auto& [ns, workflow, run_id] = run.key;
  run.dirty = false;
  run.last_batch = output.sequence;
  if (ms.unsaved().events_size() > 0) {
    Page page;
    auto events = std::make_shared<History>(ms.take_unsaved());
    page.first_event_id = events->events(0).event_id();
    std::string bytes = history::serialize(*events);
    page.bytes = bytes.size();
    page.batch = output.sequence;
    page.events = std::move(events);
    changes[keys::history_page(ns, workflow, run_id, page.first_event_id)] = std::move(bytes);
    run.page_bytes += page.bytes;
    cached_page_bytes_ += page.bytes;
    run.pages.push_back(std::move(page));
    while (run.page_bytes > options_.limits.cached_run_bytes && run.pages.front().batch <= committed_) {
      run.page_bytes -= run.pages.front().bytes;
      cached_page_bytes_ -= run.pages.front().bytes;
      run.pages.pop_front();
    }
  }
  // Busy executions keep one row at "now"; only one that waits for a moment gets that moment.
  Ns wake = -1;
  if (ms.running()) {
    const bool busy = ms.workflow_task_pending() || state.activities_size() > 0 ||
                      state.external_signals_size() > 0 || state.external_cancels_size() > 0 ||
                      state.buffered_events_size() > 0 ||
                      std::any_of(state.children().begin(), state.children().end(),
                                  [](const auto& child) { return child.start_pending(); });
    const Ns next = ms.next_deadline().at;
    wake = busy ? 0 : next == 0 ? -1 : next;
  } else {
    const auto& outbox = state.close_outbox();
    const bool pending = outbox.notify_parent() || outbox.children_size() > 0 ||
                         state.external_signals_size() > 0 || state.external_cancels_size() > 0 ||
                         state.children_size() > 0;
    wake = pending ? 0 : -1;
  }
  if (wake != state.wake_row_ns()) {
    if (state.wake_row_ns() >= 0)
      changes[keys::wake(state.wake_row_ns(), ns, workflow, run_id)] = std::nullopt;
    if (wake >= 0) changes[keys::wake(wake, ns, workflow, run_id)] = std::string();
    ms.set_wake_row(wake);
  }
  run.created = false;
  changes[keys::execution_state(ns, workflow, run_id)] = ms.serialize_state();
  if (run.feed_pending && options_.feed) {
    run.feed_pending = false;
    pb::workflow::v1::WorkflowExecutionInfo info;
    history::lifecycle::fill_info(state, &info);
    stored::VisibilityFeed row;
    row.set_namespace_id(ns);
    row.set_workflow_id(workflow);
    row.set_run_id(run_id);
    row.set_info(history::serialize(info));
    changes[keys::visibility_feed(static_cast<std::int64_t>(next_feed_))] = history::serialize(row);
    output.feed.push_back({next_feed_, ns, std::move(*row.mutable_info())});
    ++next_feed_;
  }
}

void EngineCore::Impl::evict() {
  const auto over = [this] {
    return runs_.size() > options_.limits.cached_executions ||
           cached_page_bytes_ > options_.limits.cached_history_bytes;
  };
  // Bounded work: the next commit goes on where this one stopped.
  const std::size_t looks = std::min<std::size_t>(lru_.size(), 1024);
  for (std::size_t looked = 0; looked < looks && over(); ++looked) {
    Run& run = *lru_.back();
    if (run.dirty || run.last_batch > committed_ || run.waited_for() || run.early_out ||
        !run.ms->updates().empty() || run.ms->speculative()) {
      // Accepted updates are in the state: they need no memory of their own.
      if (!run.dirty && !run.ms->updates().has_waiting() && run.update_waiters.empty())
        run.ms->updates().all().clear();
      // In use, though nobody asked for it: it may not stand before those that can go.
      lru_.splice(lru_.begin(), lru_, run.lru);
      continue;
    }
    cached_page_bytes_ -= run.page_bytes;
    const auto row = currents_.find({run.key.namespace_id, run.key.workflow_id});
    if (row != currents_.end() && row->second.run_id() == run.key.run_id) currents_.erase(row);
    const RunKey key = run.key;
    lru_.pop_back();
    runs_.erase(key);
  }
}

std::int64_t EngineCore::Impl::read_events(Run& run, std::int64_t from, std::int64_t to,
                                           std::int64_t max_events, History* out) {
  std::size_t bytes = 0;
  std::int64_t next = from;
  const auto take = [&](const Event& event) {
    if (event.event_id() < next || event.event_id() >= to) return true;
    if (out->events_size() >= max_events) return false;
    const std::size_t size = event.ByteSizeLong();
    if (bytes > 0 && bytes + size > options_.limits.page_bytes) return false;
    bytes += size;
    *out->add_events() = event;
    next = event.event_id() + 1;
    return next < to;
  };
  const auto& [ns, workflow, run_id] = run.key;
  const std::int64_t in_memory = !run.pages.empty() ? run.pages.front().first_event_id
                                 : run.ms->unsaved().events_size() > 0
                                     ? run.ms->unsaved().events(0).event_id()
                                     : run.ms->s().next_event_id();
  if (from < in_memory) {
    std::string begin = keys::history_page(ns, workflow, run_id, from);
    check_read(store_.scan_reverse(keys::history_page(ns, workflow, run_id, 0),
                                   keys::history_page(ns, workflow, run_id, from + 1),
                                   [&begin](std::string_view key, std::string_view) {
                                     begin = std::string(key);
                                     return false;
                                   }));
    bool more = true;
    check_read(store_.scan(begin, keys::history_page(ns, workflow, run_id, in_memory),
                           [&](std::string_view, std::string_view value) {
                             History page;
                             HF_CHECK(page.ParseFromArray(value.data(), static_cast<int>(value.size())));
                             for (const Event& event : page.events()) {
                               if (!(more = take(event))) return false;
                             }
                             return true;
                           }));
    if (!more) return next;
  }
  auto page = std::upper_bound(run.pages.begin(), run.pages.end(), from,
                               [](std::int64_t id, const Page& p) { return id < p.first_event_id; });
  if (page != run.pages.begin()) --page;
  for (; page != run.pages.end(); ++page) {
    for (const Event& event : page->events->events()) {
      if (event.event_id() >= next && !take(event)) return next;
    }
  }
  for (const Event& event : run.ms->unsaved().events()) {
    if (event.event_id() >= next && !take(event)) return next;
  }
  return next;
}

const Event* EngineCore::Impl::find_cached_event(Run& run, std::int64_t id) {
  const auto in = [id](const History& history) -> const Event* {
    if (history.events_size() == 0) return nullptr;
    const std::int64_t index = id - history.events(0).event_id();
    if (index < 0 || index >= history.events_size()) return nullptr;
    return &history.events(static_cast<int>(index));
  };
  if (const Event* event = in(run.ms->unsaved())) return event;
  auto page = std::upper_bound(run.pages.begin(), run.pages.end(), id,
                               [](std::int64_t wanted, const Page& p) { return wanted < p.first_event_id; });
  if (page == run.pages.begin()) return nullptr;
  return in(*std::prev(page)->events);
}

void EngineCore::Impl::visit_event(Run& run, std::int64_t id, const std::function<void(const Event&)>& with) {
  if (const Event* event = find_cached_event(run, id)) {
    with(*event);
    return;
  }
  History history;
  read_events(run, id, id + 1, 1, &history);
  HF_CHECK(history.events_size() == 1);
  with(history.events(0));
}

std::optional<Event> EngineCore::Impl::read_event(Run& run, std::int64_t id) {
  if (id <= 0 || id >= run.ms->s().next_event_id()) return std::nullopt;
  std::optional<Event> result;
  visit_event(run, id, [&result](const Event& event) { result = event; });
  return result;
}

std::function<const Event*()> EngineCore::Impl::first_event_of(Run& run, std::shared_ptr<Event> holder) {
  return [this, &run, holder = std::move(holder)]() -> const Event* {
    visit_event(run, 1, [&holder](const Event& event) { *holder = event; });
    return holder.get();
  };
}

}  // namespace holdfast::engine
