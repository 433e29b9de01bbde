#pragma once

// A live tail of one run's log. While the reader keeps up, events reach it through a bounded queue; when the
// queue is full, and at the start, it reads the log itself. Private to this module.

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "platform/buffered_streams.h"
#include "platform/shown_text.h"

namespace holdfast::platform {

class BufferedStreams::Tail {
 public:
  Tail(BufferedStreams& streams, std::string run, std::string cursor, Deltas deltas,
       std::move_only_function<void()> on_ready)
      : streams_(streams),
        run_(std::move(run)),
        deltas_(deltas),
        cursor_(std::move(cursor)),
        on_ready_(std::move(on_ready)) {}

  const std::string& run() const { return run_; }
  // From the committing thread. Wakes the reader if it was told that there is nothing.
  void deliver(const Event& event, const std::optional<Piece>& piece);
  // Whether it is to be shown text that is not committed yet.
  bool wants_text() const { return deltas_ == Deltas::kAtOnce; }
  // From the thread that appended it. For a reader that keeps up and wants it; whoever does not is given it
  // when it is committed.
  void show(const Event& event, const Piece& piece);
  Result<EventPage> take();
  // Calls the reader, for which the log has something or was replaced.
  void read_log();

 private:
  // Under mutex_.
  void add(const Event& event, const std::optional<Piece>& piece);
  void wake();
  Result<EventPage> take_from_log();
  EventPage take_from_queue();

  struct Queued {
    Event event;
    std::optional<Piece> piece;
  };

  BufferedStreams& streams_;
  const std::string run_;
  const Deltas deltas_;

  std::mutex mutex_;
  std::string cursor_;        // guarded by mutex_
  std::uint64_t taken_ = 0;   // guarded by mutex_; the sequence of cursor_ once it was resolved
  std::deque<Queued> queue_;  // guarded by mutex_; continues behind cursor_ unless lagging_
  ShownText given_;           // guarded by mutex_; what take() gave; of kAtOnce alone
  ShownText queued_;          // guarded by mutex_; and what is in queue_
  bool lagging_ = true;       // guarded by mutex_; events may be in the log that are not in queue_
  bool asleep_ = true;        // guarded by mutex_; the reader waits for on_ready_
  std::move_only_function<void()> on_ready_;  // guarded by mutex_
};

}  // namespace holdfast::platform
