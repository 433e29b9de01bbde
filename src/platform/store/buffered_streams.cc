#include "platform/buffered_streams.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/json.h"
#include "platform/stream_rules.h"
#include "platform/stream_tail.h"

namespace holdfast::platform {

// ---- writing

// One attempt's pen. Its entry in `pending_` grows until somebody takes it to the disk.
class BufferedStreams::Writer : public StreamWriter {
 public:
  Writer(BufferedStreams& streams, std::string run, std::string step, std::string opening,
         std::shared_ptr<std::uint32_t> opened, std::shared_ptr<std::atomic<bool>> is_open)
      : streams_(streams),
        run_(std::move(run)),
        step_(std::move(step)),
        opening_(std::move(opening)),
        opened_(std::move(opened)),
        is_open_(std::move(is_open)) {}

  Status append(std::string_view text) override { return streams_.add_delta(*this, text); }
  Status flush() override { return streams_.commit(); }

 private:
  friend class BufferedStreams;
  BufferedStreams& streams_;
  const std::string run_;
  const std::string step_;
  const std::string opening_;                    // LogEntry::opening
  const std::shared_ptr<std::uint32_t> opened_;  // LogEntry::opened; the leader's until is_open_
  const std::shared_ptr<std::atomic<bool>> is_open_;
  std::uint64_t offset_ = 0;
  std::uint64_t entry_generation_ =
      0;  // when our entry was added; it may grow while this is still the generation
  std::size_t entry_index_ = 0;
};

// Of an entry in memory; one without text is not free either.
std::size_t BufferedStreams::bytes_of(const Pending& entry) {
  return sizeof entry + entry.data.size() + entry.key.size() + entry.opening.size();
}

BufferedStreams::BufferedStreams(std::unique_ptr<EventLog> log, const Clock& clock, Executor& flusher)
    : log_(std::move(log)), clock_(clock), flusher_(flusher), generation_(1) {}

BufferedStreams::~BufferedStreams() {
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
    wake_.wait(lock, [this] { return !flush_scheduled_; });
  }
  (void)commit();  // a failure here is that of the disk; every writer that asked was told
}

Status BufferedStreams::add_delta(Writer& writer, std::string_view text) {
  if (text.empty()) return {};
  if (Status status = rules::check_delta(text); !status.ok()) return status;
  if (Status status = make_room(); !status.ok()) return status;
  const std::uint64_t start = writer.offset_;
  {
    std::lock_guard lock(mutex_);
    buffer(writer, text);
  }
  show(writer, start, text);
  return {};
}

// Under mutex_.
void BufferedStreams::buffer(Writer& writer, std::string_view text) {
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
    entry.opened = writer.opened_;
    entry.opening = writer.opening_;
    entry.start = writer.offset_;
    entry.at = clock_.now();
    writer.entry_generation_ = generation_;
    writer.entry_index_ = pending_.size();
    push(std::move(entry));
  }
  writer.offset_ += text.size();
  pending_bytes_ += grows ? text.size() : bytes_of(pending_.back());
  schedule_flush();
}

// What cannot be written is not taken either, or a log that is away would be kept in memory.
Status BufferedStreams::make_room() {
  {
    std::lock_guard lock(mutex_);
    if (pending_bytes_ <= kMaxBufferedBytes) return {};
  }
  return commit();
}

Status BufferedStreams::add(Pending entry) {
  if (Status status = make_room(); !status.ok()) return status;
  entry.at = clock_.now();
  std::lock_guard lock(mutex_);
  ++generation_;  // no delta may grow past this entry
  pending_bytes_ += bytes_of(entry);
  push(std::move(entry));
  schedule_flush();
  return {};
}

// Under mutex_.
void BufferedStreams::schedule_flush() {
  if (flush_scheduled_) return;
  flush_scheduled_ = true;
  flusher_.post([this] { flush_later(); });
}

void BufferedStreams::flush_later() {
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

void BufferedStreams::add_and_commit(Pending entry, Waiter& waiter) {
  entry.waiter = &waiter;
  entry.at = clock_.now();
  std::unique_lock lock(mutex_);
  ++generation_;  // no delta may grow past this entry
  push(std::move(entry));
  led_.wait(lock, [&] { return waiter.done || !leading_; });
  if (waiter.done) return;
  leading_ = true;
  lock.unlock();
  (void)commit_pending();  // the waiter has the status
  stop_leading();
}

void BufferedStreams::lead(std::unique_lock<std::mutex>& lock) {
  led_.wait(lock, [this] { return !leading_; });
  leading_ = true;
}

void BufferedStreams::stop_leading() {
  std::lock_guard lock(mutex_);
  leading_ = false;
  led_.notify_all();
}

void BufferedStreams::hold(const std::function<void()>& meanwhile) {
  {
    std::unique_lock lock(mutex_);
    lead(lock);
  }
  meanwhile();
  stop_leading();
}

Status BufferedStreams::commit() {
  {
    std::unique_lock lock(mutex_);
    lead(lock);
  }
  Status status = commit_pending();
  stop_leading();
  return status;
}

Status BufferedStreams::commit_pending() {
  std::deque<Pending>& batch = writing_;
  std::vector<LogEntry*> entries;
  std::uint64_t told = 0;
  {
    std::lock_guard lock(mutex_);
    if (pending_.empty()) return {};
    batch.swap(pending_);
    pending_bytes_ = 0;
    ++generation_;
    told = told_;
    for (Pending& entry : batch) entries.push_back(&entry);
  }
  Result<std::vector<EventLog::Written>> written = log_->write(entries);
  const Status status = written ? Status() : written.error();
  if (written) deliver(entries, *written);
  std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (written && batch[i].is_open && (*written)[i].fate != EventLog::Fate::kClosed)
      *batch[i].is_open = true;
    Waiter* waiter = batch[i].waiter;
    if (waiter == nullptr) continue;
    if (written) {
      waiter->closed = (*written)[i].fate == EventLog::Fate::kClosed;
      waiter->event = std::move((*written)[i].event);
    }
    waiter->status = status;
    waiter->done = true;
  }
  if (status.ok()) {
    written_ = told;
    batch.clear();
  } else {
    put_back(std::exchange(batch, {}));
  }
  return status;
}

void BufferedStreams::push(Pending entry) {
  ++told_;
  pending_.push_back(std::move(entry));
}

// Under mutex_. What nobody waited for waits for the next batch; whoever waited for an event was told.
void BufferedStreams::put_back(std::deque<Pending> batch) {
  ++generation_;
  for (auto entry = batch.rbegin(); entry != batch.rend(); ++entry) {
    if (entry->waiter != nullptr) continue;
    pending_bytes_ += bytes_of(*entry);
    pending_.push_front(std::move(*entry));
  }
}

void BufferedStreams::deliver(const std::vector<LogEntry*>& entries,
                              const std::vector<EventLog::Written>& written) {
  std::lock_guard lock(subscribers_mutex_);
  if (tails_.empty()) return;
  for (std::size_t i = 0; i < written.size(); ++i) {
    if (written[i].fate != EventLog::Fate::kWritten) continue;
    auto [begin, end] = tails_.equal_range(written[i].event.run);
    if (begin == end) continue;
    const LogEntry& entry = *entries[i];
    std::optional<Piece> piece;
    if (entry.step) piece = Piece{*entry.step, entry.attempt, entry.start, entry.start + entry.data.size()};
    for (auto tail = begin; tail != end; ++tail) tail->second->deliver(written[i].event, piece);
  }
}

void BufferedStreams::show(const Writer& writer, std::uint64_t start, std::string_view text) {
  if (!*writer.is_open_) return;  // its attempt may get another number yet
  std::lock_guard lock(subscribers_mutex_);
  auto [begin, end] = tails_.equal_range(writer.run_);
  if (std::none_of(begin, end, [](const auto& tail) { return tail.second->wants_text(); })) return;
  Event event;
  event.run = writer.run_;
  event.type = kDeltaEvent;
  event.data = rules::delta_json(writer.step_, *writer.opened_, start, text, false);
  event.at = clock_.now();
  const Piece piece{writer.step_, *writer.opened_, start, start + text.size()};
  for (auto tail = begin; tail != end; ++tail) tail->second->show(event, piece);
}

Result<std::unique_ptr<StreamWriter>> BufferedStreams::open(std::string_view run, std::string_view step,
                                                            std::uint32_t attempt) {
  if (Status status = rules::check_stream(run, step); !status.ok()) return fail(status);
  Pending entry;
  entry.run = std::string(run);
  entry.type = kDeltaEvent;
  entry.step = std::string(step);
  entry.attempt = attempt;
  entry.asked = attempt;
  entry.opens = true;
  entry.opened = std::make_shared<std::uint32_t>(attempt);
  entry.is_open = std::make_shared<std::atomic<bool>>(false);
  const auto opened = entry.opened;
  const auto is_open = entry.is_open;
  entry.key = new_opening(step);
  entry.opening = entry.key;
  const std::string opening = entry.opening;
  if (Status status = add(std::move(entry)); !status.ok()) return fail(std::move(status));
  return std::make_unique<Writer>(*this, std::string(run), std::string(step), opening, opened, is_open);
}

// Of this opening alone: a crash may have taken it, and then it is told again.
std::string BufferedStreams::new_opening(std::string_view step) {
  std::lock_guard lock(mutex_);
  return fmt::format("opened/{}/{}/{}", step, clock_.now().time_since_epoch().count(), ++openings_);
}

Result<Event> BufferedStreams::publish(std::string_view run, std::string_view type, std::string_view json,
                                       std::string_view key) {
  if (Status status = rules::check_event(run, type, json); !status.ok()) return fail(status);
  Pending entry;
  entry.run = std::string(run);
  entry.type = std::string(type);
  entry.data = std::string(json);
  entry.key = std::string(key);
  Waiter waiter;
  add_and_commit(std::move(entry), waiter);
  if (!waiter.status.ok()) return fail(waiter.status);
  if (waiter.closed) return fail(rules::closed_log(run));
  return std::move(waiter.event);
}

Status BufferedStreams::publish_soon(std::string_view run, std::string_view type, std::string_view json,
                                     std::string_view key) {
  if (Status status = rules::check_event(run, type, json); !status.ok()) return status;
  Pending entry;
  entry.run = std::string(run);
  entry.type = std::string(type);
  entry.data = std::string(json);
  entry.key = std::string(key);
  return add(std::move(entry));
}

Status BufferedStreams::erase(const std::vector<std::string>& runs) {
  {
    std::unique_lock lock(mutex_);
    lead(lock);
  }
  Status status = commit_pending();
  if (status.ok()) status = log_->erase(runs);
  stop_leading();
  if (!status.ok()) return status;
  std::lock_guard lock(subscribers_mutex_);
  for (const std::string& run : runs) {
    auto [begin, end] = tails_.equal_range(run);
    for (auto tail = begin; tail != end; ++tail) tail->second->read_log();
  }
  return {};
}

// ---- what the outbox keeps, and tells again behind a crash

std::vector<LogEntry> BufferedStreams::unwritten(std::string_view run) {
  std::vector<LogEntry> out;
  std::lock_guard lock(mutex_);
  for (const std::deque<Pending>* entries : {&writing_, &pending_}) {
    for (const Pending& entry : *entries) {
      if (entry.run != run || entry.waiter != nullptr || (!entry.step && entry.key.empty())) continue;
      LogEntry& copy = out.emplace_back();
      copy.run = entry.run;
      copy.type = entry.type;
      copy.data = entry.data;
      copy.key = entry.key;
      copy.step = entry.step;
      copy.attempt = entry.asked;
      copy.start = entry.start;
      copy.opens = entry.opens;
      copy.opening = entry.opening;
      copy.at = entry.at;
    }
  }
  return out;
}

std::uint64_t BufferedStreams::told() {
  std::lock_guard lock(mutex_);
  return told_;
}

std::uint64_t BufferedStreams::written() {
  std::lock_guard lock(mutex_);
  return written_;
}

Result<std::shared_ptr<std::uint32_t>> BufferedStreams::opened_by(const std::string& run,
                                                                  const std::string& key) {
  Result<std::optional<Event>> opening = log_->find(run, key);
  if (!opening) return fail(opening.error());
  if (!*opening) return nullptr;
  const nlohmann::json told = parse_json<nlohmann::json>((*opening)->data);
  return std::make_shared<std::uint32_t>(told.is_object() ? told.value("attempt", 0U) : 0U);
}

Result<std::optional<std::uint64_t>> BufferedStreams::end_of_text(const LogEntry& entry,
                                                                  std::uint32_t attempt) {
  std::uint64_t end = 0;
  while (true) {
    Result<ChunkPage> page = log_->read_chunks(entry.run, *entry.step, attempt, end, kMaxQueuedEvents);
    if (!page) return fail(page.error());
    if (page->attempt != attempt) return std::nullopt;
    if (page->chunks.empty()) return end;
    end = page->offset;
  }
}

Status BufferedStreams::tell_again(std::vector<LogEntry> entries) {
  struct Attempt {
    std::shared_ptr<std::uint32_t> number;  // null: the log knows nothing of it
    std::optional<std::uint64_t> end;       // of its text in the log; none: there is nothing to add
  };
  std::map<std::pair<std::string, std::string>, Attempt> attempts;
  std::vector<LogEntry*> batch;
  for (LogEntry& entry : entries) {
    if (!entry.step) {
      batch.push_back(&entry);  // its key says whether the log has it
      continue;
    }
    auto [known, fresh] = attempts.try_emplace({entry.run, entry.opening});
    Attempt& attempt = known->second;
    if (fresh) {
      Result<std::shared_ptr<std::uint32_t>> number = opened_by(entry.run, entry.opening);
      if (!number) return number.error();
      attempt.number = *number;
      if (attempt.number != nullptr) {
        Result<std::optional<std::uint64_t>> end = end_of_text(entry, *attempt.number);
        if (!end) return end.error();
        attempt.end = *end;
      }
    }
    if (entry.opens && attempt.number == nullptr) {
      attempt = {std::make_shared<std::uint32_t>(entry.attempt), 0};
      entry.opened = attempt.number;
      batch.push_back(&entry);
      continue;
    }
    if (entry.opens || !attempt.end || *attempt.end < entry.start) continue;
    const std::uint64_t there = *attempt.end - entry.start;
    if (there >= entry.data.size()) continue;
    entry.data.erase(0, there);
    entry.start += there;
    entry.opened = attempt.number;
    attempt.end = entry.start + entry.data.size();
    batch.push_back(&entry);
  }
  if (batch.empty()) return {};
  {
    std::unique_lock lock(mutex_);
    lead(lock);
  }
  Result<std::vector<EventLog::Written>> written = log_->write(batch);
  if (written) deliver(batch, *written);
  stop_leading();
  return written ? Status() : written.error();
}

// ---- reading

Result<EventPage> BufferedStreams::read(std::string_view run, std::string_view cursor, std::size_t limit) {
  return log_->read(run, cursor, limit);
}

Result<std::optional<Event>> BufferedStreams::find(std::string_view run, std::string_view key) {
  return log_->find(run, key);
}

Result<std::vector<std::string>> BufferedStreams::logs(std::string_view after, std::uint32_t limit) {
  return log_->runs(after, limit);
}

Result<std::string> BufferedStreams::end(std::string_view run) {
  return log_->end(run);
}

Result<ChunkPage> BufferedStreams::read_chunks(std::string_view run, std::string_view step,
                                               std::uint32_t attempt, std::uint64_t offset,
                                               std::size_t limit) {
  return log_->read_chunks(run, step, attempt, offset, limit);
}

// ---- live tails

class BufferedStreams::TailHandle : public Subscription {
 public:
  TailHandle(BufferedStreams& streams, std::shared_ptr<Tail> tail)
      : streams_(streams), tail_(std::move(tail)) {}
  ~TailHandle() override { streams_.forget(*tail_); }
  Result<EventPage> take() override { return tail_->take(); }

 private:
  BufferedStreams& streams_;
  std::shared_ptr<Tail> tail_;  // shared with the registry, whose deliveries may be under way
};

void BufferedStreams::forget(const Tail& tail) {
  std::lock_guard lock(subscribers_mutex_);
  auto [begin, end] = tails_.equal_range(tail.run());
  for (auto found = begin; found != end; ++found) {
    if (found->second.get() != &tail) continue;
    tails_.erase(found);
    return;
  }
}

Result<std::unique_ptr<Subscription>> BufferedStreams::subscribe(std::string_view run,
                                                                 std::string_view cursor_text, Deltas deltas,
                                                                 std::move_only_function<void()> on_ready) {
  auto tail =
      std::make_shared<Tail>(*this, std::string(run), std::string(cursor_text), deltas, std::move(on_ready));
  std::lock_guard lock(subscribers_mutex_);
  tails_.emplace(std::string(run), tail);
  // Whether the log has anything is for the first take() to find out.
  tail->read_log();
  return std::make_unique<TailHandle>(*this, std::move(tail));
}

}  // namespace holdfast::platform
