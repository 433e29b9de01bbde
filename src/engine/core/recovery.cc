#include "engine/recovery.h"

#include <algorithm>
#include <string>
#include <vector>

#include "engine/batches.h"
#include "engine/core_clock.h"
#include "engine/namespaces.h"
#include "engine/new_ids.h"
#include "engine/options.h"
#include "engine/outbox.h"
#include "engine/rows.h"
#include "engine/run_cache.h"
#include "engine/transitions.h"
#include "engine/wake_times.h"
#include "history/activity.h"
#include "history/workflow_task.h"
#include "store/keys.h"

namespace holdfast::engine {

namespace keys = store::keys;
namespace wt = history::workflow_task;

namespace {

constexpr std::int32_t kFormatVersion = 3;

Status unreadable_wakes(const std::string& why) {
  return Status(Code::kDataLoss,
                "The table of the executions that wait for something cannot be read (" + why +
                    "); without it they would wait for ever. Restore the data directory from a backup.");
}

}  // namespace

Status Recovery::load_meta() {
  const auto stored_meta = store_.get(keys::store_meta());
  if (!stored_meta) return stored_meta.error();
  if (*stored_meta) {
    if (!meta_.ParseFromString(**stored_meta)) {
      return Status(Code::kDataLoss,
                    "The store's meta row cannot be read; restore the data directory from a backup.");
    }
    if (meta_.format_version() > kFormatVersion) {
      return Status(Code::kFailedPrecondition,
                    "The data was written by a newer version of Holdfast (format " +
                        std::to_string(meta_.format_version()) + ", this one knows " +
                        std::to_string(kFormatVersion) +
                        "); start that version or use another data directory.");
    }
    if (meta_.shard_count() != keys::kShardCount) {
      return Status(Code::kFailedPrecondition, "The data has " + std::to_string(meta_.shard_count()) +
                                                   " shards; this version needs " +
                                                   std::to_string(keys::kShardCount) + ".");
    }
  } else {
    meta_.set_shard_count(keys::kShardCount);
    meta_.set_cluster_id(ids_.next());
  }
  if (meta_.token_key().empty()) {
    meta_.set_token_key(ids_.secret());
    meta_.set_token_key_ns(clock_.now());
  }
  // In the batch that gives the tasks back: a crash before it finds both as they were.
  copied_ = meta_.copied();
  meta_.set_copied(false);
  meta_.set_format_version(kFormatVersion);
  meta_.set_epoch(meta_.epoch() + 1);
  rows_.put(keys::store_meta(), history::serialize(meta_));
  return Status();
}

Status Recovery::load_namespaces() {
  if (Status status = namespaces_.load(store_); !status.ok()) return status;
  if (namespaces_.find("default") != nullptr) return Status();
  Namespaces::Record record;
  record.set_id(ids_.next());
  record.set_name("default");
  record.set_retention_ns(72LL * 3600 * history::kSecond);
  record.set_retention_chosen(true);
  record.set_closed_runs_indexed(true);
  record.set_search_attributes_registered(true);
  namespaces_.add(std::move(record));
  return Status();
}

Status Recovery::register_used(const std::function<Result<UsedSearchAttributes>()>& used) {
  std::vector<Namespaces::Record> old;
  for (const auto& [name, record] : namespaces_.by_name()) {
    if (!record.search_attributes_registered()) old.push_back(record);
  }
  if (old.empty() || !used) return Status();
  const auto found = used();
  if (!found) return found.error();
  for (Namespaces::Record& record : old) {
    if (const auto names = found->find(record.id()); names != found->end()) {
      for (const auto& [name, type] : names->second) (*record.mutable_search_attributes())[name] = type;
    }
    record.set_search_attributes_registered(true);
    namespaces_.update(std::move(record));
  }
  return Status();
}

Status Recovery::open_feed(std::uint64_t applied) {
  const std::string begin = keys::table_begin(keys::kStoreWide, keys::kFeedTable);
  const std::string end = keys::table_end(keys::kStoreWide, keys::kFeedTable);
  std::uint64_t last = applied;
  Status scanned = store_.scan_reverse(begin, end, [&last](std::string_view key, std::string_view) {
    last = std::max(last, static_cast<std::uint64_t>(keys::history_page_event(key)));
    return false;
  });
  if (!scanned.ok()) return scanned;
  batches_.open_feed(last, std::min(applied, last == 0 ? 0 : last - 1));
  // What the index had when the server stopped, or was told by a rebuild.
  return store_.scan(begin, end, [&](std::string_view key, std::string_view) {
    const auto sequence = static_cast<std::uint64_t>(keys::history_page_event(key));
    if (sequence > applied || sequence == last) return false;
    batches_.erase_feed(sequence);
    return true;
  });
}

Status Recovery::open(std::uint64_t feed_applied, const std::function<Result<UsedSearchAttributes>()>& used) {
  if (Status status = load_meta(); !status.ok()) return status;
  if (Status status = load_namespaces(); !status.ok()) return status;
  if (Status status = register_used(used); !status.ok()) return status;

  if (Status status = open_feed(feed_applied); !status.ok()) return status;
  if (Status status = check_wakes(); !status.ok()) return status;

  shard_ = 0;
  next_row_ = keys::table_begin(0, keys::kWakeTable);
  // Of a copy nobody holds a task, whoever it names; once calls are served, somebody may.
  while (copied_ && !done()) go_on(1000);
  return broken_;
}

// Rows may be younger than this process: whoever is known needs no telling, and bringing one back that is
// busy already changes nothing.
int Recovery::go_on(int most) {
  int done = 0;
  for (; done < most && !this->done(); ++done) {
    if (ready_.empty()) {
      if (broken_ = read_rows(); !broken_.ok()) shard_ = keys::kShardCount;
    } else {
      recover(ready_.front());
      ready_.pop_front();
    }
  }
  return done;
}

Status Recovery::check_wakes() const {
  std::string wrong;
  for (std::uint16_t shard = 0; shard < keys::kShardCount; ++shard) {
    const Status scanned =
        store_.scan(keys::table_begin(shard, keys::kWakeTable), keys::table_end(shard, keys::kWakeTable),
                    [&wrong](std::string_view key, std::string_view) {
                      keys::WakeRow row;
                      if (!keys::parse_wake(key, row)) wrong = "a row of it names no run";
                      return wrong.empty();
                    });
    if (!scanned.ok()) return unreadable_wakes(scanned.message());
    if (!wrong.empty()) return unreadable_wakes(wrong);
  }
  return Status();
}

Status Recovery::read_rows() {
  constexpr int kRows = 64;
  int rows = 0;
  const std::string end = keys::table_end(shard_, keys::kWakeTable);
  const Status scanned = store_.scan(next_row_, end, [&](std::string_view key, std::string_view) {
    if (rows++ == kRows) {
      next_row_ = std::string(key);
      return false;
    }
    keys::WakeRow row;
    if (!keys::parse_wake(key, row)) return true;
    RunKey run{std::move(row.namespace_id), std::move(row.workflow_id), std::move(row.run_id)};
    if (row.wake_ns == 0) {
      ready_.push_back(std::move(run));
    } else {
      wakes_.arm_if_unknown(run, row.wake_ns);
    }
    return true;
  });
  if (!scanned.ok()) return unreadable_wakes(scanned.message());
  if (rows > kRows) return Status();
  ++shard_;
  if (shard_ < keys::kShardCount) next_row_ = keys::table_begin(shard_, keys::kWakeTable);
  return Status();
}

// Brings one execution back to where its tasks, its timers and its messages go on.
void Recovery::recover(const RunKey& key) {
  Run* run = cache_.find(key);
  if (run == nullptr) return;
  MutableState& ms = *run->ms;
  bool changed = ms.running() && give_back_tasks(ms);
  // Of what is left: a task that was given back took its own deadline along.
  run->task_held = run->is_due(clock_.now());
  if (!ms.held().buffered_events.empty() && !ms.workflow_task_started()) changed = true;
  outbox_.add(run->key);
  if (changed) {
    transitions_.finish(*run);
  } else {
    wakes_.arm(key, ms.next_deadline().at);
  }
}

// What a worker inside the last process held ended with it. Remote workers still have theirs, unless they got
// it from the store that this one was copied from: there they answer, not here.
bool Recovery::holder_is_gone(std::int64_t epoch) const {
  return copied_ || (epoch != 0 && epoch != meta_.epoch());
}

// True: something of them changed.
bool Recovery::give_back_tasks(MutableState& ms) {
  bool changed = false;
  if (ms.workflow_task_started() && holder_is_gone(ms.s().workflow_task().holder_epoch())) {
    wt::time_out(ms, clock_.now(), enums::TIMEOUT_TYPE_START_TO_CLOSE);
    wt::schedule_again(ms, clock_.now());
    changed = true;
  } else if (wt::waits_for_poll(ms)) {
    ms.effects().workflow_task = true;
    changed = true;
  }
  std::vector<std::int64_t> lost;
  for (const auto& info : ms.held().activities.infos()) {
    if (info.started_ns() != 0 && holder_is_gone(info.holder_epoch())) {
      lost.push_back(info.scheduled_event_id());
    } else if (info.started_ns() == 0 && !info.backing_off()) {
      ms.effects().activities.push_back(info.scheduled_event_id());
      changed = true;
    }
  }
  for (std::int64_t id : lost) {
    if (!ms.running()) break;
    if (auto* info = ms.activity(id)) {
      history::activity::lost_holder(ms, limits_.execution, clock_.now(), info);
      changed = true;
    }
  }
  return changed;
}

}  // namespace holdfast::engine
