#pragma once

// BufferedStreams: streams over the log of any database (platform/event_log.h). It gathers deltas and events,
// has them written together, and tells who watches.
//
// One caller at a time leads: it writes everything that waits in `pending_`, so concurrent publishers share
// one sync. The leader alone writes to the log, and it delivers in the order of its commits. Locks are taken
// in this order, and none is held while the leader writes: mutex_ (what waits), subscribers_mutex_, a
// subscriber's own. Thread-safe.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "platform/event_log.h"
#include "platform/streams.h"

namespace holdfast::platform {

class BufferedStreams : public Streams {
 public:
  // `flusher` must serve nothing else: it blocks up to kFlushInterval at a time while deltas are buffered.
  BufferedStreams(std::unique_ptr<EventLog> log, const Clock& clock, Executor& flusher);
  ~BufferedStreams() override;

  Result<std::unique_ptr<StreamWriter>> open(std::string_view run, std::string_view step,
                                             std::uint32_t attempt) override;
  Result<Event> publish(std::string_view run, std::string_view type, std::string_view json,
                        std::string_view key) override;
  Status publish_soon(std::string_view run, std::string_view type, std::string_view json,
                      std::string_view key) override;
  Result<EventPage> read(std::string_view run, std::string_view cursor, std::size_t limit) override;
  Result<std::string> end(std::string_view run) override;
  Result<ChunkPage> read_chunks(std::string_view run, std::string_view step, std::uint32_t attempt,
                                std::uint64_t offset, std::size_t limit) override;
  Result<std::unique_ptr<Subscription>> subscribe(std::string_view run, std::string_view cursor,
                                                  Deltas deltas,
                                                  std::move_only_function<void()> on_ready) override;
  Result<std::optional<Event>> find(std::string_view run, std::string_view key) override;
  Result<std::vector<std::string>> logs(std::string_view after, std::uint32_t limit) override;
  Status erase(const std::vector<std::string>& runs) override;

  // Calls `meanwhile` while nothing is written. What waits in memory waits longer.
  void hold(const std::function<void()>& meanwhile);

  // For the outbox (platform/outbox.h). What the run has told and the log does not have yet, but for what is
  // waited for, or has no key and may be lost.
  std::vector<LogEntry> unwritten(std::string_view run);
  // Writes what a crash may have taken, in its order; of that, what the log has stays as it is.
  Status tell_again(std::vector<LogEntry> entries);
  // Returns when everything that was told is durable.
  Status flush() { return commit(); }
  // Counts what was told. What had been counted when a number up to written() was told is durable.
  std::uint64_t told();
  std::uint64_t written();

 private:
  class Writer;
  class Tail;
  class TailHandle;

  // Somebody waits for the commit of one entry. The leader fills it in before it sets `done`, under mutex_.
  struct Waiter {
    bool done = false;
    bool closed = false;  // the log was: nothing was written
    Status status;
    Event event;
  };
  struct Pending : LogEntry {
    Waiter* waiter = nullptr;
    std::uint32_t asked = 0;  // of an entry that opens: `attempt` before it was written
    std::shared_ptr<std::atomic<bool>>
        is_open;  // of such an entry: set once the log has it, and `opened` stays
  };

  static std::size_t bytes_of(const Pending& entry);
  Status add_delta(Writer& writer, std::string_view text);
  void buffer(Writer& writer, std::string_view text);
  // To those who want it at once.
  void show(const Writer& writer, std::uint64_t start, std::string_view text);
  // Adds the entry, which is durable within kFlushInterval.
  Status add(Pending entry);
  // Writes what waits when it is too much.
  Status make_room();
  // Adds the entry and returns when it is durable.
  void add_and_commit(Pending entry, Waiter& waiter);
  // Leads, and writes everything that waits.
  Status commit();
  // For the leader.
  Status commit_pending();
  // Waits until nobody leads, then leads.
  void lead(std::unique_lock<std::mutex>& lock);
  void stop_leading();
  void put_back(std::deque<Pending> batch);
  // Under mutex_.
  void push(Pending entry);
  std::string new_opening(std::string_view step);
  // Where the text of that attempt ends in the log; none: another attempt has taken its place.
  Result<std::optional<std::uint64_t>> end_of_text(const LogEntry& entry, std::uint32_t attempt);
  Result<std::shared_ptr<std::uint32_t>> opened_by(const std::string& run, const std::string& key);
  void schedule_flush();
  void flush_later();
  void deliver(const std::vector<LogEntry*>& entries, const std::vector<EventLog::Written>& written);
  void forget(const Tail& tail);

  const std::unique_ptr<EventLog> log_;
  const Clock& clock_;
  Executor& flusher_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable led_;  // a batch is done, and somebody else may lead
  bool leading_ = false;         // guarded by mutex_
  std::deque<Pending> pending_;  // guarded by mutex_
  // What the leader is writing: guarded by mutex_, but for `attempt` and `opened`, which are the leader's.
  std::deque<Pending> writing_;
  std::uint64_t told_ = 0;         // guarded by mutex_
  std::uint64_t written_ = 0;      // guarded by mutex_
  std::uint64_t openings_ = 0;     // guarded by mutex_
  std::size_t pending_bytes_ = 0;  // guarded by mutex_
  std::uint64_t generation_ = 0;   // guarded by mutex_; grows when pending_ may no longer be merged into
  bool flush_scheduled_ = false;   // guarded by mutex_
  bool stopping_ = false;          // guarded by mutex_

  std::mutex subscribers_mutex_;
  std::multimap<std::string, std::shared_ptr<Tail>, std::less<>> tails_;  // guarded by subscribers_mutex_
};

}  // namespace holdfast::platform
