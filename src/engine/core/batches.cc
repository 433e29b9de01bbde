#include "engine/batches.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "history/lifecycle.h"
#include "store/keys.h"

namespace holdfast::engine {

namespace keys = store::keys;

namespace {

// When the execution needs attention after a crash: at this moment, at once (0), or never (-1).
Ns wake_row_of(const MutableState& ms) {
  const auto& held = ms.held();
  // Busy executions keep one row at "now"; only one that waits for a moment gets that moment.
  if (ms.running()) {
    const bool busy = ms.workflow_task_pending() || !held.activities.empty() ||
                      !held.external_signals.empty() || !held.external_cancels.empty() ||
                      !held.buffered_events.empty() || !ms.children_to_start().empty();
    const Ns next = ms.next_deadline().at;
    return busy ? 0 : next == 0 ? -1 : next;
  }
  const bool pending = ms.s().close_outbox().notify_parent() || !held.parent_closes.empty() ||
                       !held.external_signals.empty() || !held.external_cancels.empty() ||
                       !held.children.empty();
  return pending ? 0 : -1;
}

}  // namespace

void Batches::take(Output& output) {
  output.sequence = next_sequence_++;
  output.feed_begin = next_feed_;
  RowChanges changes = rows_.take();
  for (Run* run : cache_.take_touched()) add_run(*run, changes, output);
  for (const RunKey& key : std::exchange(deleted_, {})) add_deletion(key, changes, output);
  output.feed_end = next_feed_;
  large_.note(&changes);
  for (const auto& [key, value] : changes) value ? output.batch.put(key, *value) : output.batch.erase(key);
  // Nothing reads them through the rows that run ahead of the disk.
  for (std::string& key : std::exchange(pages_, {})) output.batch.erase(std::move(key));
  rows_.send(output.sequence, std::move(changes));
}

void Batches::erase_feed(std::uint64_t sequence) {
  rows_.erase(keys::visibility_feed(static_cast<std::int64_t>(sequence)));
}

int Batches::erase_applied(int most) {
  constexpr int kRowsPerUnit = 32;
  int rows = 0;
  // The newest row stays: it tells how far the feed has got.
  for (; rows < most * kRowsPerUnit && has_applied(); ++rows) erase_feed(++feed_erased_);
  return (rows + kRowsPerUnit - 1) / kRowsPerUnit;
}

void Batches::add_run(Run& run, RowChanges& changes, Output& output) {
  run.last_batch = output.sequence;
  if (run.ms->unsaved().events_size() > 0) add_pages(run, changes, output.sequence);
  add_wake(run, changes);
  if (!run.ms->running()) add_expiry(run, changes);
  add_state(run, changes);
  cache_.weigh(run);
  if (!run.ms->running()) cache_.closed(run, output.sequence);
  if (run.feed_pending && feed_) add_feed(run, changes, output);
}

void Batches::add_state(Run& run, RowChanges& changes) {
  const auto& [ns, workflow, run_id] = run.key;
  history::StateRows rows = run.ms->take_rows();
  changes[keys::execution_state(ns, workflow, run_id)] = std::move(rows.state);
  for (history::PartRow& part : rows.parts) {
    changes[keys::state_part(ns, workflow, run_id, part.kind, part.n)] = std::move(part.value);
  }
}

// One event of a page cannot be read without the others: what a wide fan-out wrote at once is several pages.
void Batches::add_pages(Run& run, RowChanges& changes, std::uint64_t sequence) {
  constexpr int kMostEvents = 128;
  constexpr std::int64_t kMostBytes = std::int64_t{256} << 10;
  History unsaved = run.ms->take_unsaved();
  if (unsaved.events_size() == 1) {
    return add_page(run, std::make_shared<History>(std::move(unsaved)), changes, sequence);
  }
  auto page = std::make_shared<History>();
  std::int64_t bytes = 0;
  for (Event& event : *unsaved.mutable_events()) {
    const std::int64_t size = history::bytes_in_history(event);
    if (page->events_size() > 0 && (page->events_size() == kMostEvents || bytes + size > kMostBytes)) {
      add_page(run, std::exchange(page, std::make_shared<History>()), changes, sequence);
      bytes = 0;
    }
    bytes += size;
    page->add_events()->Swap(&event);
  }
  add_page(run, std::move(page), changes, sequence);
}

void Batches::add_page(Run& run, std::shared_ptr<const History> events, RowChanges& changes,
                       std::uint64_t sequence) {
  std::string bytes = history::serialize(*events);
  Page page;
  page.first_event_id = events->events(0).event_id();
  page.bytes = events->SpaceUsedLong();
  page.batch = sequence;
  page.events = std::move(events);
  const auto& [namespace_id, workflow_id, run_id] = run.key;
  changes[keys::history_page(namespace_id, workflow_id, run_id, page.first_event_id)] = std::move(bytes);
  cache_.add_page(run, std::move(page));
}

void Batches::add_wake(const Run& run, RowChanges& changes) {
  const auto& [ns, workflow, run_id] = run.key;
  const auto& state = run.ms->s();
  const Ns wake = wake_row_of(*run.ms);
  if (wake != state.wake_row_ns()) {
    if (state.wake_row_ns() >= 0)
      changes[keys::wake(state.wake_row_ns(), ns, workflow, run_id)] = std::nullopt;
    if (wake >= 0) changes[keys::wake(wake, ns, workflow, run_id)] = std::string();
    run.ms->set_wake_row(wake);
  }
}

// From its close on the retention runs. Written again whenever the closed run changes: the same row.
void Batches::add_expiry(const Run& run, RowChanges& changes) {
  const auto& [ns, workflow, run_id] = run.key;
  changes[keys::expiry(run.ms->s().close_ns(), ns, workflow, run_id)] = std::string();
}

void Batches::feed_deletion(const RunKey& key) {
  if (feed_) deleted_.push_back(key);
}

void Batches::erase_pages(std::vector<std::string> keys) {
  pages_.insert(pages_.end(), std::make_move_iterator(keys.begin()), std::make_move_iterator(keys.end()));
}

void Batches::add_deletion(const RunKey& key, RowChanges& changes, Output& output) {
  stored::VisibilityFeed row;
  row.set_namespace_id(key.namespace_id);
  row.set_workflow_id(key.workflow_id);
  row.set_run_id(key.run_id);
  changes[keys::visibility_feed(static_cast<std::int64_t>(next_feed_))] = history::serialize(row);
  output.feed.push_back({.sequence = next_feed_, .namespace_id = key.namespace_id, .run_id = key.run_id});
  ++next_feed_;
}

void Batches::add_feed(Run& run, RowChanges& changes, Output& output) {
  const auto& [ns, workflow, run_id] = run.key;
  run.feed_pending = false;
  pb::workflow::v1::WorkflowExecutionInfo info;
  history::lifecycle::fill_info(run.ms->s(), &info);
  stored::VisibilityFeed row;
  row.set_namespace_id(ns);
  row.set_workflow_id(workflow);
  row.set_run_id(run_id);
  row.set_info(history::serialize(info));
  changes[keys::visibility_feed(static_cast<std::int64_t>(next_feed_))] = history::serialize(row);
  output.feed.push_back({.sequence = next_feed_, .namespace_id = ns, .info = std::move(*row.mutable_info())});
  ++next_feed_;
}

}  // namespace holdfast::engine
