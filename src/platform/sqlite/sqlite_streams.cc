#include "platform_sqlite/sqlite_streams.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "platform/store.h"
#include "platform_sqlite/stream_tail.h"

namespace holdfast::platform {

namespace {

using Json = nlohmann::ordered_json;

std::string delta_json(std::string_view step, std::uint32_t attempt, std::uint64_t offset,
                       std::string_view text, bool opens) {
  Json out = {{"step", step}, {"attempt", attempt}, {"offset", offset}, {"text", text}};
  if (opens) out["reset"] = true;
  return dump_json(out);
}

#define EVENT_COLUMNS "seq, type, data, at, step, attempt, start"

}  // namespace

// ---- writing

// One attempt's pen. Its entry in `pending_` grows until somebody takes it to the disk.
class SqliteStreams::Writer : public StreamWriter {
 public:
  Writer(SqliteStreams& streams, std::string run, std::string step, std::uint32_t attempt)
      : streams_(streams), run_(std::move(run)), step_(std::move(step)), attempt_(attempt) {}

  std::uint32_t attempt() const override { return attempt_; }
  Status append(std::string_view text) override { return streams_.add_delta(*this, text); }
  Status flush() override { return streams_.commit(); }

 private:
  friend class SqliteStreams;
  SqliteStreams& streams_;
  const std::string run_;
  const std::string step_;
  const std::uint32_t attempt_;
  std::uint64_t offset_ = 0;
  std::uint64_t entry_generation_ =
      0;  // when our entry was added; it may grow while this is still the generation
  std::size_t entry_index_ = 0;
};

SqliteStreams::SqliteStreams(std::unique_ptr<Database> db, std::filesystem::path path, std::string vfs,
                             std::string epoch, Fatal fatal, const Clock& clock, Executor& flusher)
    : db_(std::move(db)),
      readers_(std::move(path), std::move(vfs)),
      epoch_(std::move(epoch)),
      fatal_(std::move(fatal)),
      clock_(clock),
      flusher_(flusher),
      generation_(1) {}

SqliteStreams::~SqliteStreams() {
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
    wake_.wait(lock, [this] { return !flush_scheduled_; });
  }
  (void)commit();  // a failure here is that of the disk; every writer that asked was told
}

Status SqliteStreams::add_delta(Writer& writer, std::string_view text) {
  if (text.empty()) return {};
  if (text.size() > kMaxEventBytes) {
    return Status(Code::kInvalidArgument,
                  fmt::format("{} bytes in one delta; at most {}", text.size(), kMaxEventBytes));
  }
  bool full = false;
  {
    std::lock_guard lock(mutex_);
    const bool grows = writer.entry_generation_ == generation_ &&
                       pending_[writer.entry_index_].data.size() + text.size() <= kMaxEventBytes;
    if (grows) {
      pending_[writer.entry_index_].data += text;
    } else {
      Pending entry;
      entry.run = writer.run_;
      entry.type = kDeltaEvent;
      entry.data = std::string(text);
      entry.step = writer.step_;
      entry.attempt = writer.attempt_;
      entry.start = writer.offset_;
      entry.at = clock_.now();
      writer.entry_generation_ = generation_;
      writer.entry_index_ = pending_.size();
      pending_.push_back(std::move(entry));
    }
    writer.offset_ += text.size();
    pending_bytes_ += text.size();
    full = pending_bytes_ > kMaxBufferedBytes;
    if (!full) schedule_flush();
  }
  return full ? commit() : Status();
}

// Under mutex_.
void SqliteStreams::schedule_flush() {
  if (flush_scheduled_) return;
  flush_scheduled_ = true;
  flusher_.post([this] { flush_later(); });
}

void SqliteStreams::flush_later() {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, kFlushInterval, [this] { return stopping_ || pending_.empty(); });
  const bool stopping = stopping_;
  lock.unlock();
  // At the end the destructor writes what is left.
  const Status status = stopping ? Status() : commit();
  lock.lock();
  flush_scheduled_ = false;
  // What came in meanwhile, or could not be written (the disk is full), gets its turn.
  if (!stopping_ && !pending_.empty()) schedule_flush();
  wake_.notify_all();
}

void SqliteStreams::add_and_commit(Pending entry, Waiter& waiter) {
  entry.waiter = &waiter;
  entry.at = clock_.now();
  std::unique_lock lock(mutex_);
  ++generation_;  // no delta may grow past this entry
  pending_.push_back(std::move(entry));
  led_.wait(lock, [&] { return waiter.done || !leading_; });
  if (waiter.done) return;
  leading_ = true;
  lock.unlock();
  (void)commit_pending();  // the waiter has the status
  stop_leading();
}

void SqliteStreams::lead(std::unique_lock<std::mutex>& lock) {
  led_.wait(lock, [this] { return !leading_; });
  leading_ = true;
}

void SqliteStreams::stop_leading() {
  std::lock_guard lock(mutex_);
  leading_ = false;
  led_.notify_all();
}

Status SqliteStreams::commit() {
  {
    std::unique_lock lock(mutex_);
    lead(lock);
  }
  Status status = commit_pending();
  stop_leading();
  return status;
}

Status SqliteStreams::commit_pending() {
  std::deque<Pending> batch;
  {
    std::lock_guard lock(mutex_);
    batch.swap(pending_);
    pending_bytes_ = 0;
    ++generation_;
  }
  if (batch.empty()) return {};

  std::vector<Event> written;
  Status status = db_->execute("BEGIN IMMEDIATE");
  if (status.ok()) status = write_batch(batch, written);
  if (status.ok()) {
    status = commit_or_stop(*db_, fatal_);
  } else if (db_->in_transaction()) {
    (void)db_->execute("ROLLBACK");
  }
  if (status.ok()) deliver(written);
  std::lock_guard lock(mutex_);
  for (Pending& entry : batch) {
    if (entry.waiter == nullptr) continue;
    entry.waiter->status = status;
    entry.waiter->done = true;
  }
  if (!status.ok()) put_back(std::move(batch));
  return status;
}

// Under mutex_. Deltas of a batch that failed wait for the next one; whoever waited for an event was told.
void SqliteStreams::put_back(std::deque<Pending> batch) {
  ++generation_;
  for (auto entry = batch.rbegin(); entry != batch.rend(); ++entry) {
    if (entry->waiter != nullptr) continue;
    pending_bytes_ += entry->data.size();
    pending_.push_front(std::move(*entry));
  }
}

Status SqliteStreams::write_batch(std::deque<Pending>& batch, std::vector<Event>& written) {
  for (Pending& entry : batch) {
    if (entry.opens) {
      if (Status status = reserve_attempt(entry); !status.ok()) return status;
    }
    if (!entry.key.empty()) {
      Result<std::optional<Event>> before = by_key(entry);
      if (!before) return before.error();
      if (*before) {
        entry.waiter->event = std::move(**before);
        continue;
      }
    }
    const std::size_t before = written.size();
    if (Status status = write_entry(entry, written); !status.ok()) return status;
    if (entry.waiter == nullptr) continue;
    entry.waiter->closed = written.size() == before;
    if (!entry.waiter->closed) entry.waiter->event = written.back();
  }
  return {};
}

// An attempt whose number has been used gets the next one: text of two attempts never mixes.
Status SqliteStreams::reserve_attempt(Pending& entry) {
  Statement query(*db_, "SELECT coalesce(max(attempt), 0) FROM events WHERE run = ?1 AND step = ?2");
  if (!query.bind(entry.run, *entry.step).next()) return query.status();
  const auto used = static_cast<std::uint32_t>(query.integer(0));
  entry.attempt = std::max({entry.attempt, used + 1, 1u});
  entry.waiter->attempt = entry.attempt;
  return {};
}

Result<std::optional<Event>> SqliteStreams::by_key(const Pending& entry) {
  Statement query(*db_, "SELECT " EVENT_COLUMNS " FROM events WHERE run = ?1 AND key = ?2");
  return query.bind(entry.run, entry.key).one([&](const Statement& row) { return event_of(row, entry.run); });
}

Status SqliteStreams::write_entry(Pending& entry, std::vector<Event>& written) {
  Statement last(*db_, "SELECT seq, key FROM events WHERE run = ?1 ORDER BY seq DESC LIMIT 1");
  const bool begun = last.bind(entry.run).next();
  if (!last.status().ok()) return last.status();
  if (begun && last.text(1) == kClosingKey) return {};
  Event event;
  event.run = entry.run;
  event.seq = begun ? static_cast<std::uint64_t>(last.integer(0)) + 1 : 1;
  event.type = entry.type;
  event.data =
      entry.step ? delta_json(*entry.step, entry.attempt, entry.start, entry.data, entry.opens) : entry.data;
  event.cursor = cursor(event.seq);
  event.at = entry.at;

  Statement insert(*db_,
                   "INSERT INTO events (run, seq, type, data, at, key, step, attempt, start) "
                   "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
  insert.bind(entry.run, event.seq, entry.type, entry.data, entry.at);
  insert.bind(entry.key.empty() ? std::nullopt : std::optional(entry.key));
  if (entry.step) {
    insert.bind(*entry.step, entry.attempt, entry.start);
  } else {
    insert.bind(nullptr, nullptr, nullptr);
  }
  Status status = insert.run();
  if (status.ok()) written.push_back(std::move(event));
  return status;
}

void SqliteStreams::deliver(const std::vector<Event>& events) {
  std::lock_guard lock(subscribers_mutex_);
  if (tails_.empty()) return;
  for (const Event& event : events) {
    auto [begin, end] = tails_.equal_range(event.run);
    for (auto tail = begin; tail != end; ++tail) tail->second->deliver(event);
  }
}

Result<std::unique_ptr<StreamWriter>> SqliteStreams::open(std::string_view run, std::string_view step,
                                                          std::uint32_t attempt) {
  if (run.empty() || step.empty())
    return fail(Code::kInvalidArgument, "a token stream needs a run and a step");
  Pending entry;
  entry.run = std::string(run);
  entry.type = kDeltaEvent;
  entry.step = std::string(step);
  entry.attempt = attempt;
  entry.opens = true;
  Waiter waiter;
  add_and_commit(std::move(entry), waiter);
  if (!waiter.status.ok()) return fail(waiter.status);
  if (waiter.closed) return fail(Code::kFailedPrecondition, fmt::format("the run {} has ended", run));
  return std::make_unique<Writer>(*this, std::string(run), std::string(step), waiter.attempt);
}

Result<Event> SqliteStreams::publish(std::string_view run, std::string_view type, std::string_view json,
                                     std::string_view key) {
  if (run.empty() || type.empty()) return fail(Code::kInvalidArgument, "an event needs a run and a type");
  if (type == kDeltaEvent) return fail(Code::kInvalidArgument, "deltas are written through open()");
  if (json.size() > kMaxEventBytes) {
    return fail(Code::kInvalidArgument,
                fmt::format("an event has {} bytes; at most {}", json.size(), kMaxEventBytes));
  }
  Pending entry;
  entry.run = std::string(run);
  entry.type = std::string(type);
  entry.data = std::string(json);
  entry.key = std::string(key);
  Waiter waiter;
  add_and_commit(std::move(entry), waiter);
  if (!waiter.status.ok()) return fail(waiter.status);
  if (waiter.closed) return fail(Code::kFailedPrecondition, fmt::format("the run {} has ended", run));
  return std::move(waiter.event);
}

Status SqliteStreams::erase(std::string_view run) {
  {
    std::unique_lock lock(mutex_);
    lead(lock);
  }
  Status status = commit_pending();
  if (status.ok()) {
    Statement query(*db_, "DELETE FROM events WHERE run = ?1");
    status = query.bind(run).run();
  }
  stop_leading();
  if (!status.ok()) return status;
  std::lock_guard lock(subscribers_mutex_);
  auto [begin, end] = tails_.equal_range(run);
  for (auto tail = begin; tail != end; ++tail) tail->second->read_log();
  return {};
}

// ---- reading

std::string SqliteStreams::cursor(std::uint64_t seq) const {
  return fmt::format("{}-{}", epoch_, seq);
}

std::uint64_t SqliteStreams::sequence_of(std::string_view cursor) {
  const std::size_t dash = cursor.rfind('-');
  std::uint64_t seq = 0;
  if (dash != std::string_view::npos)
    std::from_chars(cursor.data() + dash + 1, cursor.data() + cursor.size(), seq);
  return seq;
}

Event SqliteStreams::event_of(const Statement& row, std::string_view run) const {
  Event event;
  event.run = std::string(run);
  event.seq = static_cast<std::uint64_t>(row.integer(0));
  event.type = row.text(1);
  event.cursor = cursor(event.seq);
  row.read_from(3, event.at);
  if (row.is_null(4)) {
    event.data = row.text(2);
  } else {
    const std::string text = row.text(2);
    event.data = delta_json(row.text(4), static_cast<std::uint32_t>(row.integer(5)),
                            static_cast<std::uint64_t>(row.integer(6)), text, text.empty());
  }
  return event;
}

Result<std::uint64_t> SqliteStreams::last_seq(Database& db, std::string_view run) {
  Statement query(db, "SELECT coalesce(max(seq), 0) FROM events WHERE run = ?1");
  if (!query.bind(run).next()) return fail(query.status());
  return static_cast<std::uint64_t>(query.integer(0));
}

Result<std::optional<std::uint64_t>> SqliteStreams::resolve(Database& db, std::string_view run,
                                                            std::string_view cursor_text) {
  const std::uint64_t seq = sequence_of(cursor_text);
  if (cursor(seq) != cursor_text) return std::nullopt;
  Result<std::uint64_t> last = last_seq(db, run);
  if (!last) return fail(last.error());
  if (seq > *last) return std::nullopt;
  return seq;
}

Result<EventPage> SqliteStreams::read_after(Database& db, std::string_view run, std::uint64_t after,
                                            std::size_t limit) {
  constexpr std::size_t kMaxPageBytes = 16 << 20;
  EventPage page;
  std::size_t bytes = 0;
  Statement query(db,
                  "SELECT " EVENT_COLUMNS " FROM events WHERE run = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3");
  query.bind(run, after, static_cast<std::int64_t>(std::min<std::size_t>(limit, kMaxQueuedEvents)));
  while (bytes < kMaxPageBytes && query.next()) {
    page.events.push_back(event_of(query, run));
    bytes += page.events.back().data.size();
  }
  if (!query.status().ok()) return fail(query.status());
  page.more = bytes >= kMaxPageBytes || page.events.size() >= limit || page.events.size() >= kMaxQueuedEvents;
  page.cursor = page.events.empty() ? cursor(after) : page.events.back().cursor;
  return page;
}

Result<EventPage> SqliteStreams::read(std::string_view run, std::string_view cursor_text, std::size_t limit) {
  Result<Readers::Lease> db = readers_.take();
  if (!db) return fail(db.error());
  std::uint64_t after = 0;
  bool reset = false;
  if (!cursor_text.empty()) {
    Result<std::optional<std::uint64_t>> known = resolve(**db, run, cursor_text);
    if (!known) return fail(known.error());
    reset = !known->has_value();
    after = known->value_or(0);
  }
  Result<EventPage> page = read_after(**db, run, after, limit);
  if (page) page->reset = reset;
  return page;
}

Result<std::string> SqliteStreams::end(std::string_view run) {
  Result<Readers::Lease> db = readers_.take();
  if (!db) return fail(db.error());
  Result<std::uint64_t> last = last_seq(**db, run);
  if (!last) return fail(last.error());
  return cursor(*last);
}

Result<ChunkPage> SqliteStreams::read_chunks(std::string_view run, std::string_view step,
                                             std::uint32_t attempt, std::uint64_t offset, std::size_t limit) {
  Result<Readers::Lease> db = readers_.take();
  if (!db) return fail(db.error());
  ChunkPage page;
  Statement newest(
      **db,
      "SELECT attempt, start + length(CAST(data AS BLOB)) FROM events WHERE run = ?1 AND step = ?2 "
      "ORDER BY attempt DESC, start DESC, seq DESC LIMIT 1");
  newest.bind(run, step);
  if (!newest.next()) {
    if (!newest.status().ok()) return fail(newest.status());
    page.reset = attempt != 0 || offset != 0;
    return page;
  }
  page.attempt = static_cast<std::uint32_t>(newest.integer(0));
  const auto end = static_cast<std::uint64_t>(newest.integer(1));
  page.reset = (attempt != 0 && attempt != page.attempt) || offset > end;
  page.offset = page.reset || attempt == 0 ? 0 : offset;

  // From the chunk in which the offset lies.
  Statement query(
      **db,
      "SELECT start, data FROM events WHERE run = ?1 AND step = ?2 AND attempt = ?3 AND data != '' "
      "AND start >= "
      "(SELECT coalesce(max(start), 0) FROM events WHERE run = ?1 AND step = ?2 AND attempt = ?3 AND "
      "start <= ?4) "
      "ORDER BY start LIMIT ?5");
  query.bind(run, step, page.attempt, page.offset,
             static_cast<std::int64_t>(std::min<std::size_t>(limit, kMaxQueuedEvents) + 1));
  while (query.next() && page.chunks.size() < limit) {
    Chunk chunk;
    chunk.attempt = page.attempt;
    chunk.offset = static_cast<std::uint64_t>(query.integer(0));
    chunk.text = query.text(1);
    if (chunk.offset + chunk.text.size() <= page.offset) continue;
    if (chunk.offset < page.offset) {
      chunk.text.erase(0, page.offset - chunk.offset);
      chunk.offset = page.offset;
    }
    page.offset = chunk.offset + chunk.text.size();
    page.chunks.push_back(std::move(chunk));
  }
  if (!query.status().ok()) return fail(query.status());
  return page;
}

// ---- live tails

class SqliteStreams::TailHandle : public Subscription {
 public:
  TailHandle(SqliteStreams& streams, std::shared_ptr<Tail> tail)
      : streams_(streams), tail_(std::move(tail)) {}
  ~TailHandle() override { streams_.forget(*tail_); }
  Result<EventPage> take() override { return tail_->take(); }

 private:
  SqliteStreams& streams_;
  std::shared_ptr<Tail> tail_;  // shared with the registry, whose deliveries may be under way
};

void SqliteStreams::forget(const Tail& tail) {
  std::lock_guard lock(subscribers_mutex_);
  auto [begin, end] = tails_.equal_range(tail.run());
  for (auto found = begin; found != end; ++found) {
    if (found->second.get() != &tail) continue;
    tails_.erase(found);
    return;
  }
}

Result<std::unique_ptr<Subscription>> SqliteStreams::subscribe(std::string_view run,
                                                               std::string_view cursor_text,
                                                               std::move_only_function<void()> on_ready) {
  auto tail = std::make_shared<Tail>(*this, std::string(run), std::string(cursor_text), std::move(on_ready));
  std::lock_guard lock(subscribers_mutex_);
  tails_.emplace(std::string(run), tail);
  // Whether the log has anything is for the first take() to find out.
  tail->read_log();
  return std::make_unique<TailHandle>(*this, std::move(tail));
}

}  // namespace holdfast::platform
