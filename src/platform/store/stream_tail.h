#pragma once

// A live tail of one run's log. While the reader keeps up, events reach it through a bounded queue; when the
// queue is full, and at the start, it reads the log itself. Private to this module.

#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "platform/buffered_streams.h"

namespace holdfast::platform {

class BufferedStreams::Tail {
 public:
  Tail(BufferedStreams& streams, std::string run, std::string cursor,
       std::move_only_function<void()> on_ready)
      : streams_(streams), run_(std::move(run)), cursor_(std::move(cursor)), on_ready_(std::move(on_ready)) {}

  const std::string& run() const { return run_; }
  // From the committing thread. Wakes the reader if it was told that there is nothing.
  void deliver(const Event& event);
  Result<EventPage> take();
  // Calls the reader, for which the log has something or was replaced.
  void read_log();

 private:
  void wake();

  BufferedStreams& streams_;
  const std::string run_;

  std::mutex mutex_;
  std::string cursor_;       // guarded by mutex_
  std::uint64_t taken_ = 0;  // guarded by mutex_; the sequence of cursor_ once it was resolved
  std::deque<Event> queue_;  // guarded by mutex_; continues behind cursor_ unless lagging_
  bool lagging_ = true;      // guarded by mutex_; events may be in the log that are not in queue_
  bool asleep_ = true;       // guarded by mutex_; the reader waits for on_ready_
  std::move_only_function<void()> on_ready_;  // guarded by mutex_
};

}  // namespace holdfast::platform
