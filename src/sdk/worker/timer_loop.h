#pragma once

// Runs callbacks at a later time, on a thread of its own: retries of calls, throttled heartbeats. Sleeps
// until the next one is due; nothing polls. Thread-safe. Callbacks are short and do not block.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "holdfast/seams.h"

namespace holdfast::worker {

class TimerLoop {
 public:
  TimerLoop(const Clock& clock, std::unique_ptr<Executor> executor);
  // Callbacks that are not due yet never run.
  ~TimerLoop();
  TimerLoop(const TimerLoop&) = delete;
  TimerLoop& operator=(const TimerLoop&) = delete;

  using Callback = std::move_only_function<void()>;
  void at(MonotonicTime when, Callback callback);
  void after(std::chrono::nanoseconds delay, Callback callback) {
    at(clock_.monotonic() + delay, std::move(callback));
  }

 private:
  void run();

  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::multimap<MonotonicTime, Callback> due_;  // guarded by mutex_
  bool stopping_ = false;                       // guarded by mutex_
  std::unique_ptr<Executor> executor_;          // last: its thread uses the rest
};

}  // namespace holdfast::worker
