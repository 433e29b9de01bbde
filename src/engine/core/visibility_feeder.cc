#include "engine/visibility_feeder.h"

#include <pthread.h>

#include <algorithm>
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
                                   std::int64_t wait_ns, std::function<void(std::uint64_t)> on_durable)
    : index_(index), store_(store), clock_(clock), wait_ns_(wait_ns), on_durable_(std::move(on_durable)) {}

VisibilityFeeder::~VisibilityFeeder() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
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
          if (!key.ends_with('s')) return true;  // a history page
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
  {
    std::lock_guard lock(mutex_);
    waiting_.push_back({std::move(call), end, clock_.monotonic()});
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
    entries.push_back(std::move(entry));
    rows_.pop_front();
  }
  return entries;
}

void VisibilityFeeder::answer_waiting(std::deque<Waiting> ready, const Status& applied) {
  for (Waiting& waiting : ready) {
    const auto waited =
        std::chrono::duration_cast<std::chrono::nanoseconds>(clock_.monotonic() - waiting.since);
    if (!applied.ok()) {
      Release release{std::move(waiting.call.call.done), waiting.call.call.options.executor, fail(applied)};
      release.run();
    } else if (waited.count() > wait_ns_) {
      Release release{std::move(waiting.call.call.done), waiting.call.call.options.executor,
                      fail(Code::kUnavailable, "The visibility index lags behind; try again in a moment.")};
      release.run();
    } else {
      run(waiting.call);
    }
  }
}

void VisibilityFeeder::loop() {
  std::uint64_t flushed = index_.applied();
  Status applied;
  while (true) {
    std::vector<visibility::Entry> entries;
    std::deque<Waiting> ready;
    bool quiet = false;
    {
      std::unique_lock lock(mutex_);
      const auto work = [this] { return stopping_ || !rows_.empty() || !waiting_.empty(); };
      if (!applied.ok()) {
        // The index could not be written. A list asks for another try, else there is one a second.
        wake_.wait_for(lock, kQuiet, [this] { return stopping_ || !waiting_.empty(); });
        rows_.clear();  // they are in the store's feed, like the ones that failed
        if (stopping_ && waiting_.empty()) break;
      } else if (index_.applied() > flushed) {
        quiet = !wake_.wait_for(lock, kQuiet, work);
      } else {
        wake_.wait(lock, work);
      }
      if (stopping_ && rows_.empty() && waiting_.empty()) break;
      if (!rows_.empty()) wake_.wait_for(lock, kGather, [this] { return stopping_ || !waiting_.empty(); });
      entries = take_rows();
      // Calls see everything that was committed before them: their rows came before them.
      if (rows_.empty()) ready.swap(waiting_);
    }
    if (!applied.ok()) {
      applied = catch_up();
    } else if (!entries.empty()) {
      applied = index_.apply(entries);
    }
    answer_waiting(std::move(ready), applied);
    if (applied.ok() && (quiet || index_.applied() - flushed >= kFlushEvery)) {
      if (auto durable = index_.flush()) {
        flushed = *durable;
        on_durable_(flushed);
      }
    }
  }
  (void)index_.flush();
}

void VisibilityFeeder::run(Output::VisibilityCall& call) {
  Release release;
  release.done = std::move(call.call.done);
  release.executor = call.call.options.executor;
  release.result = evaluate(call);
  release.run();
}

Result<api::MessagePtr> VisibilityFeeder::evaluate(const Output::VisibilityCall& call) const {
  visibility::ListRequest list;
  list.namespace_id = call.namespace_id;
  list.query = call.query;
  if (call.kind == Output::VisibilityCall::Kind::kList) {
    list.page_size = static_cast<std::uint32_t>(std::max(call.page_size, 0));
    list.page_token = call.page_token;
    auto found = index_.list(list);
    if (!found) return fail(std::move(found.error()));
    auto response = std::make_unique<ws::ListWorkflowExecutionsResponse>();
    for (auto& info : found->executions) response->add_executions()->Swap(&info);
    response->set_next_page_token(std::move(found->next_page_token));
    return api::MessagePtr(std::move(response));
  }
  auto counted = index_.count(list);
  if (!counted) return fail(std::move(counted.error()));
  auto response = std::make_unique<ws::CountWorkflowExecutionsResponse>();
  response->set_count(static_cast<std::int64_t>(counted->count));
  for (const auto& group : counted->groups) {
    auto& out = *response->add_groups();
    out.set_count(static_cast<std::int64_t>(group.count));
    auto& value = *out.add_group_values();
    (*value.mutable_metadata())["encoding"] = "json/plain";
    (*value.mutable_metadata())["type"] = "Keyword";
    value.set_data("\"" + group.value + "\"");
  }
  return api::MessagePtr(std::move(response));
}

}  // namespace holdfast::engine
