#pragma once

// VisibilityLists: answers List and Count calls from the visibility index, each once the index has everything
// that was committed before the call. A call waits for that a bounded time, and looks through the index a
// bounded time; then it is refused (UNAVAILABLE, DEADLINE_EXCEEDED) with the reason. The feeder owns it.
//
// Threads of its own run the queries: a slow one holds up neither the feed nor, while fewer than kThreads are
// slow, other lists. The methods are called by any thread; completions run on the executor of their call, or
// here.

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>

#include "engine/core.h"
#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "visibility/index.h"

namespace holdfast::engine {

class VisibilityLists {
 public:
  static constexpr std::size_t kThreads = 4;

  struct Limits {
    std::int64_t wait_ns = 0;  // for the feed
    std::int64_t scan_ns = 0;  // for one query
  };

  VisibilityLists(const visibility::Index& index, const Clock& clock, Limits limits)
      : index_(index), clock_(clock), limits_(limits) {}
  ~VisibilityLists() { stop(); }
  VisibilityLists(const VisibilityLists&) = delete;
  VisibilityLists& operator=(const VisibilityLists&) = delete;

  void start(std::uint64_t applied);
  // Calls whose changes are not applied by now are refused, like those that come later.
  void stop();

  // `end`: the sequence behind the last row of the feed that the call has to see.
  void add(Output::VisibilityCall call, std::uint64_t end);

  // What the feed tells: that it is about to write; how far it came; or why it came no further, which answers
  // those who came before it began.
  void feed_begins();
  void feed_applied(std::uint64_t sequence);
  void feed_failed(const Status& status);

 private:
  struct Waiting {
    Output::VisibilityCall call;
    std::uint64_t end = 0;
    std::uint64_t attempt = 0;  // of the feed's, when the call came
    MonotonicTime since{};
  };

  void loop();
  // Why the first in the queue has to go without an answer; ok: it does not. Mutex held.
  Status refusal(const Waiting& waiting) const;
  Result<api::MessagePtr> evaluate(const Output::VisibilityCall& call) const;

  const visibility::Index& index_;
  const Clock& clock_;
  const Limits limits_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Waiting> queue_;           // guarded by mutex_; in the order of `end`
  std::uint64_t applied_ = 0;           // guarded by mutex_
  std::uint64_t attempt_ = 0;           // guarded by mutex_
  std::uint64_t failed_ = 0;            // guarded by mutex_: the attempt that failed last
  Status failure_;                      // guarded by mutex_: how
  std::atomic<bool> stopping_ = false;  // written under mutex_
  std::array<std::thread, kThreads> threads_;
};

}  // namespace holdfast::engine
