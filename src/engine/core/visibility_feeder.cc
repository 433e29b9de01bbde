#include "engine/visibility_feeder.h"

#include <pthread.h>

#include <chrono>

#include "api/messages.h"
#include "base/check.h"
#include "history/lifecycle.h"
#include "store/keys.h"

namespace holdfast::engine {

namespace keys = store::keys;
namespace stored = history::stored;

namespace {
// Entries applied in one transaction of the index.
constexpr std::size_t kApplyAtOnce = 512;
// Applied rows stay in the feed until the index is forced to the disk: after this many, or when things are
// quiet.
constexpr std::uint64_t kFlushEvery = 4096;
constexpr auto kQuiet = std::chrono::seconds(1);
// How long rows gather while nobody lists: one transaction then carries many.
constexpr auto kGather = std::chrono::milliseconds(20);
}  // namespace

VisibilityFeeder::VisibilityFeeder(visibility::Index& index, store::KvStore& store, const Clock& clock,
                                   VisibilityLists::Limits limits,
                                   std::function<void(std::uint64_t)> on_durable)
    : index_(index), store_(store), on_durable_(std::move(on_durable)), lists_(index, clock, limits) {}

VisibilityFeeder::~VisibilityFeeder() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  lists_.stop();
}

Result<std::uint64_t> VisibilityFeeder::open() {
  const auto feed = feed_rows();
  if (!feed) return fail(feed.error());
  if (!continues(*feed)) {
    if (Status status = rebuild(feed->last); !status.ok()) return fail(std::move(status));
  }
  if (Status status = catch_up(); !status.ok()) return fail(std::move(status));
  auto durable = index_.flush();
  if (!durable) return fail(std::move(durable.error()));
  lists_.start(index_.applied());
  thread_ = std::thread([this] { loop(); });
  pthread_setname_np(thread_.native_handle(), "visibility");
  return *durable;
}

Result<VisibilityFeeder::Rows> VisibilityFeeder::feed_rows() const {
  const std::string begin = keys::table_begin(keys::kStoreWide, keys::kFeedTable);
  const std::string end = keys::table_end(keys::kStoreWide, keys::kFeedTable);
  Rows rows;
  const auto note = [](std::uint64_t& sequence) {
    return [&sequence](std::string_view key, std::string_view) {
      sequence = static_cast<std::uint64_t>(keys::history_page_event(key));
      return false;
    };
  };
  if (Status status = store_.scan(begin, end, note(rows.first)); !status.ok()) return fail(std::move(status));
  Status status = store_.scan_reverse(begin, end, note(rows.last));
  if (!status.ok()) return fail(std::move(status));
  return rows;
}

// The newest row is never erased, so the feed shows whose index this is: one that stands before the first row
// or behind the last (a fresh one, an older copy, one that belongs to another store) cannot be led on.
bool VisibilityFeeder::continues(const Rows& rows) const {
  const std::uint64_t applied = index_.applied();
  if (applied == 0) return false;
  return rows.last == 0 ? applied == 1 : applied + 1 >= rows.first && applied <= rows.last;
}

// Applies what the store's feed holds; the index skips what it has.
Status VisibilityFeeder::catch_up() {
  std::vector<visibility::Entry> entries;
  Status applied;
  Status scanned = store_.scan(keys::table_begin(keys::kStoreWide, keys::kFeedTable),
                               keys::table_end(keys::kStoreWide, keys::kFeedTable),
                               [&](std::string_view key, std::string_view value) {
                                 stored::VisibilityFeed row;
                                 if (!row.ParseFromArray(value.data(), static_cast<int>(value.size())))
                                   return true;
                                 visibility::Entry entry;
                                 entry.sequence = static_cast<std::uint64_t>(keys::history_page_event(key));
                                 entry.record.namespace_id = row.namespace_id();
                                 entry.record.info = row.info();
                                 entry.record.run_id = row.run_id();
                                 entries.push_back(std::move(entry));
                                 if (entries.size() < kApplyAtOnce) return true;
                                 applied = index_.apply(entries);
                                 entries.clear();
                                 return applied.ok();
                               });
  if (!scanned.ok()) return scanned;
  if (applied.ok() && !entries.empty()) applied = index_.apply(entries);
  return applied;
}

// Every execution is told again. Their states were written with the rows of the feed or after them, so all
// rows up to `last` count as applied: replayed, they would bring back what is past.
Status VisibilityFeeder::rebuild(std::uint64_t last) {
  std::vector<visibility::Record> records;
  Status applied = index_.start_load();
  for (std::uint16_t shard = 0; shard < keys::kShardCount && applied.ok(); ++shard) {
    Status scanned = store_.scan(
        keys::table_begin(shard, keys::kExecutionTable), keys::table_end(shard, keys::kExecutionTable),
        [&](std::string_view key, std::string_view value) {
          keys::ExecutionRow row;
          if (!keys::parse_execution(key, row) || !row.state) return true;
          stored::ExecutionState state;
          if (!state.ParseFromArray(value.data(), static_cast<int>(value.size())) || state.run_id().empty())
            return true;
          if (key != keys::execution_state(state.namespace_id(), state.workflow_id(), state.run_id()))
            return true;
          pb::workflow::v1::WorkflowExecutionInfo info;
          history::lifecycle::fill_info(state, &info);
          visibility::Record record;
          record.namespace_id = state.namespace_id();
          record.info = history::serialize(info);
          records.push_back(std::move(record));
          if (records.size() < kApplyAtOnce) return true;
          applied = index_.load(records);
          records.clear();
          return applied.ok();
        });
    if (!scanned.ok()) return scanned;
  }
  if (applied.ok() && !records.empty()) applied = index_.load(records);
  return applied.ok() ? index_.finish_load(last) : applied;
}

void VisibilityFeeder::add(std::vector<Output::FeedRow> rows, std::uint64_t /*end*/) {
  if (rows.empty()) return;
  bool first = false;
  {
    std::lock_guard lock(mutex_);
    first = rows_.empty();
    for (auto& row : rows) rows_.push_back(std::move(row));
  }
  if (first) wake_.notify_one();
}

void VisibilityFeeder::answer(Output::VisibilityCall call, std::uint64_t end) {
  lists_.add(std::move(call), end);
  {
    std::lock_guard lock(mutex_);
    asked_ = true;
  }
  wake_.notify_one();
}

std::vector<visibility::Entry> VisibilityFeeder::take_rows() {
  std::vector<visibility::Entry> entries;
  while (!rows_.empty() && entries.size() < kApplyAtOnce) {
    visibility::Entry entry;
    entry.sequence = rows_.front().sequence;
    entry.record.namespace_id = std::move(rows_.front().namespace_id);
    entry.record.info = std::move(rows_.front().info);
    entry.record.run_id = std::move(rows_.front().run_id);
    entries.push_back(std::move(entry));
    rows_.pop_front();
  }
  return entries;
}

// Tells the lists how it went.
Status VisibilityFeeder::write(const std::vector<visibility::Entry>& entries, bool again) {
  lists_.feed_begins();
  Status status = again ? catch_up() : index_.apply(entries);
  if (status.ok()) {
    lists_.feed_applied(index_.applied());
  } else {
    lists_.feed_failed(status);
  }
  return status;
}

void VisibilityFeeder::loop() {
  std::uint64_t flushed = index_.applied();
  Status applied;
  while (true) {
    std::vector<visibility::Entry> entries;
    bool quiet = false;
    {
      std::unique_lock lock(mutex_);
      const auto work = [this] { return stopping_ || !rows_.empty(); };
      if (!applied.ok()) {
        // The index could not be written. A list asks for another try, else there is one a second.
        wake_.wait_for(lock, kQuiet, [this] { return stopping_ || asked_; });
        rows_.clear();  // they are in the store's feed, like the ones that failed
      } else if (index_.applied() > flushed) {
        quiet = !wake_.wait_for(lock, kQuiet, work);
      } else {
        wake_.wait(lock, work);
      }
      if (stopping_ && rows_.empty()) break;
      if (!rows_.empty()) wake_.wait_for(lock, kGather, [this] { return stopping_ || asked_; });
      entries = take_rows();
      asked_ = false;
    }
    if (!applied.ok() || !entries.empty()) applied = write(entries, !applied.ok());
    if (applied.ok() && (quiet || index_.applied() - flushed >= kFlushEvery)) {
      if (auto durable = index_.flush()) {
        flushed = *durable;
        on_durable_(flushed);
      }
    }
  }
  (void)index_.flush();
}

}  // namespace holdfast::engine
