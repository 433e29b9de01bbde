#include "engine/run_cache.h"

#include <algorithm>

#include "base/check.h"
#include "base/ids.h"
#include "engine/errors.h"
#include "engine/options.h"
#include "engine/rows.h"
#include "engine/wake_times.h"
#include "store/keys.h"

namespace holdfast::engine {

namespace keys = store::keys;

namespace {
// Beside the state itself: the run, its places in the tables, what its state machines keep.
constexpr std::size_t kRunBytes = 1024;
constexpr std::size_t kClosedAtHand = 64;
}  // namespace

Result<Run*> RunCache::load(const RunKey& key) {
  if (const auto found = runs_.find(key); found != runs_.end()) {
    use(*found->second);
    return found->second.get();
  }
  const auto bytes = rows_.get(keys::execution_state(key.namespace_id, key.workflow_id, key.run_id));
  if (bytes && !*bytes) return nullptr;
  history::StateReader reader;
  if (!bytes || !reader.state(**bytes) || reader.head().namespace_id() != key.namespace_id ||
      reader.head().workflow_id() != key.workflow_id || reader.head().run_id() != key.run_id ||
      !read_parts(key, reader)) {
    return fail(errors::unreadable(key.workflow_id, key.run_id));
  }
  Run& run = insert(std::make_unique<Run>(key, std::make_unique<MutableState>(std::move(reader))));
  weigh(run);
  if (run.ms->running()) wakes_.arm(key, run.ms->next_deadline().at);
  return &run;
}

// A run leaves memory when all that it changed is stored: the store has what its state counts.
bool RunCache::read_parts(const RunKey& key, history::StateReader& reader) const {
  if (reader.missing() == 0) return true;
  bool readable = true;
  const Status scanned = rows_.scan_stored(
      keys::state_parts_begin(key.namespace_id, key.workflow_id, key.run_id),
      keys::state_parts_end(key.namespace_id, key.workflow_id, key.run_id),
      [&](std::string_view row, std::string_view value) {
        keys::PartName part;
        readable = keys::parse_state_part(row, part) && reader.part(part.kind, part.n, value);
        return readable;
      });
  return scanned.ok() && readable && reader.missing() == 0;
}

Run& RunCache::insert(std::unique_ptr<Run> run) {
  Run& inserted = *run;
  lru_.push_front(&inserted);
  inserted.lru = lru_.begin();
  inserted.used = age_;
  const bool fresh = runs_.emplace(inserted.key, std::move(run)).second;
  HF_CHECK(fresh);
  return inserted;
}

Result<Run*> RunCache::resolve(const std::string& namespace_id, const RunName& name) {
  if (name.workflow_id.empty()) return fail(errors::invalid("WorkflowId is not set on request."));
  if (name.workflow_id.size() > static_cast<std::size_t>(limits_.execution.id_bytes)) {
    return fail(errors::invalid("WorkflowId length exceeds limit."));
  }
  std::string run_id = name.run_id;
  if (run_id.empty()) {
    const auto row = current(namespace_id, name.workflow_id);
    if (!row) return fail(row.error());
    if (!*row) return fail(errors::execution_not_found(name.workflow_id, ""));
    run_id = (*row)->run_id();
  } else if (!is_uuid(run_id)) {
    return fail(errors::invalid("Invalid RunId."));
  }
  const Result<Run*> loaded = load({namespace_id, name.workflow_id, run_id});
  if (!loaded) return loaded;
  Run* run = *loaded;
  if (run == nullptr) return fail(errors::execution_not_found(name.workflow_id, run_id));
  if (!name.first_run_id.empty() && run->ms->s().first_run_id() != name.first_run_id) {
    return fail(errors::not_found("workflow execution not found"));
  }
  return run;
}

Result<std::optional<stored::CurrentRun>> RunCache::current(const std::string& namespace_id,
                                                            const std::string& workflow_id) {
  if (const auto found = currents_.find({namespace_id, workflow_id}); found != currents_.end())
    return found->second;
  const auto bytes = rows_.get(keys::current_run(namespace_id, workflow_id));
  if (bytes && !*bytes) return std::nullopt;
  stored::CurrentRun row;
  if (!bytes || !row.ParseFromString(**bytes) || row.run_id().empty())
    return fail(errors::unreadable(workflow_id, ""));
  if (runs_.contains({namespace_id, workflow_id, row.run_id()})) currents_[{namespace_id, workflow_id}] = row;
  return row;
}

void RunCache::set_current(const std::string& namespace_id, const std::string& workflow_id,
                           stored::CurrentRun row) {
  rows_.put(keys::current_run(namespace_id, workflow_id), history::serialize(row));
  currents_[{namespace_id, workflow_id}] = std::move(row);
}

void RunCache::drop_current(const std::string& namespace_id, const std::string& workflow_id) {
  rows_.erase(keys::current_run(namespace_id, workflow_id));
  currents_.erase({namespace_id, workflow_id});
}

Run& RunCache::create(std::unique_ptr<MutableState> ms) {
  const auto& state = ms->s();
  stored::CurrentRun row;
  row.set_run_id(state.run_id());
  row.set_create_request_id(state.create_request_id());
  row.set_status(state.status());
  row.set_first_run_id(state.first_run_id());
  row.set_start_ns(state.start_ns());
  set_current(state.namespace_id(), state.workflow_id(), std::move(row));
  RunKey key{state.namespace_id(), state.workflow_id(), state.run_id()};
  return insert(std::make_unique<Run>(std::move(key), std::move(ms)));
}

void RunCache::touch(Run& run) {
  if (!run.dirty) {
    run.dirty = true;
    dirty_.push_back(&run);
  }
  wakes_.arm(run.key, run.ms->running() ? run.ms->next_deadline().at : 0);
}

std::vector<Run*> RunCache::take_touched() {
  for (Run* run : dirty_) run->dirty = false;
  return std::exchange(dirty_, {});
}

void RunCache::add_page(Run& run, Page page) {
  run.page_bytes += page.bytes;
  bytes_ += page.bytes;
  run.pages.push_back(std::move(page));
  while (run.page_bytes > limits_.cached_run_bytes && run.pages.front().batch <= committed_) {
    run.page_bytes -= run.pages.front().bytes;
    bytes_ -= run.pages.front().bytes;
    run.pages.pop_front();
  }
}

void RunCache::closed(const Run& run, std::uint64_t sequence) {
  closed_.emplace_back(sequence, run.key);
}

void RunCache::let_closed_go() {
  while (closed_.size() > kClosedAtHand && closed_.front().first <= committed_) {
    const auto found = runs_.find(closed_.front().second);
    closed_.pop_front();
    if (found != runs_.end() && !found->second->ms->running() && may_go(*found->second))
      forget(*found->second);
  }
}

void RunCache::weigh(Run& run) {
  const std::size_t bytes = kRunBytes + run.ms->in_memory();
  bytes_ += bytes - run.state_bytes;
  run.state_bytes = bytes;
}

bool RunCache::may_go(const Run& run) const {
  return !run.dirty && run.last_batch <= committed_ && !run.waited_for() && !run.early_out &&
         !run.task_held && run.ms->updates().empty() && !run.ms->speculative();
}

void RunCache::forget(Run& run) {
  bytes_ -= run.page_bytes + run.state_bytes;
  const auto row = currents_.find({run.key.namespace_id, run.key.workflow_id});
  if (row != currents_.end() && row->second.run_id() == run.key.run_id) currents_.erase(row);
  lru_.erase(run.lru);
  runs_.erase(RunKey(run.key));
}

void RunCache::committed(std::uint64_t sequence) {
  committed_ = std::max(committed_, sequence);
  let_closed_go();
  const std::size_t looks = std::min<std::size_t>(lru_.size(), 1024);
  for (std::size_t looked = 0; looked < looks; ++looked) {
    if (runs_.size() <= limits_.cached_executions && bytes_ <= limits_.cached_bytes) return;
    Run& run = *lru_.back();
    if (may_go(run)) {
      forget(run);
    } else {
      pass_over(run);
    }
  }
}

bool RunCache::let_idle_go(std::size_t most) {
  for (; !lru_.empty() && lru_.back()->used + kIdleAges <= age_; --most) {
    if (most == 0) return true;
    Run& run = *lru_.back();
    if (may_go(run)) {
      forget(run);
    } else {
      pass_over(run);
    }
  }
  return false;
}

void RunCache::use(Run& run) {
  lru_.splice(lru_.begin(), lru_, run.lru);
  run.used = age_;
}

// In use, though nobody asked for it: it may not stand before those that can go.
void RunCache::pass_over(Run& run) {
  // Accepted updates are in the state: they need no memory of their own.
  if (!run.dirty && !run.ms->updates().has_waiting() && run.update_waiters.empty())
    run.ms->updates().all().clear();
  use(run);
}

}  // namespace holdfast::engine
