#include "platform/buffered_streams.h"

#include "platform/stream_rules.h"
#include "platform/stream_tail.h"

namespace holdfast::platform {

// ---- writing

// One attempt's pen. Its entry in `pending_` grows until somebody takes it to the disk.
class BufferedStreams::Writer : public StreamWriter {
 public:
  Writer(BufferedStreams& streams, std::string run, std::string step, std::shared_ptr<std::uint32_t> opened)
      : streams_(streams), run_(std::move(run)), step_(std::move(step)), opened_(std::move(opened)) {}

  Status append(std::string_view text) override { return streams_.add_delta(*this, text); }
  Status flush() override { return streams_.commit(); }

 private:
  friend class BufferedStreams;
  BufferedStreams& streams_;
  const std::string run_;
  const std::string step_;
  const std::shared_ptr<std::uint32_t> opened_;  // LogEntry::opened
  std::uint64_t offset_ = 0;
  std::uint64_t entry_generation_ =
      0;  // when our entry was added; it may grow while this is still the generation
  std::size_t entry_index_ = 0;
};

// Of an entry in memory; one without text is not free either.
std::size_t BufferedStreams::bytes_of(const Pending& entry) {
  return sizeof entry + entry.data.size() + entry.key.size();
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
    entry.opened = writer.opened_;
    entry.start = writer.offset_;
    entry.at = clock_.now();
    writer.entry_generation_ = generation_;
    writer.entry_index_ = pending_.size();
    pending_.push_back(std::move(entry));
  }
  writer.offset_ += text.size();
  pending_bytes_ += grows ? text.size() : bytes_of(pending_.back());
  schedule_flush();
  return {};
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
  pending_.push_back(std::move(entry));
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
  pending_.push_back(std::move(entry));
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
  std::deque<Pending> batch;
  {
    std::lock_guard lock(mutex_);
    batch.swap(pending_);
    pending_bytes_ = 0;
    ++generation_;
  }
  if (batch.empty()) return {};

  std::vector<LogEntry*> entries;
  for (Pending& entry : batch) entries.push_back(&entry);
  Result<std::vector<EventLog::Written>> written = log_->write(entries);
  const Status status = written ? Status() : written.error();
  if (written) deliver(*written);
  std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    Waiter* waiter = batch[i].waiter;
    if (waiter == nullptr) continue;
    if (written) {
      waiter->closed = (*written)[i].fate == EventLog::Fate::kClosed;
      waiter->event = std::move((*written)[i].event);
    }
    waiter->status = status;
    waiter->done = true;
  }
  if (!status.ok()) put_back(std::move(batch));
  return status;
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

void BufferedStreams::deliver(const std::vector<EventLog::Written>& written) {
  std::lock_guard lock(subscribers_mutex_);
  if (tails_.empty()) return;
  for (const EventLog::Written& one : written) {
    if (one.fate != EventLog::Fate::kWritten) continue;
    auto [begin, end] = tails_.equal_range(one.event.run);
    for (auto tail = begin; tail != end; ++tail) tail->second->deliver(one.event);
  }
}

Result<std::unique_ptr<StreamWriter>> BufferedStreams::open(std::string_view run, std::string_view step,
                                                            std::uint32_t attempt) {
  if (Status status = rules::check_stream(run, step); !status.ok()) return fail(status);
  Pending entry;
  entry.run = std::string(run);
  entry.type = kDeltaEvent;
  entry.step = std::string(step);
  entry.attempt = attempt;
  entry.opens = true;
  entry.opened = std::make_shared<std::uint32_t>(attempt);
  const auto opened = entry.opened;
  if (Status status = add(std::move(entry)); !status.ok()) return fail(std::move(status));
  return std::make_unique<Writer>(*this, std::string(run), std::string(step), opened);
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
