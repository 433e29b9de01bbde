#pragma once

// Sweeper: has what is over deleted, on a thread of its own: it looks for it in the store (expired_runs.h),
// hands it to the engine a slice at a time, and has the store give the room back when it was much. The next
// slice waits until the last one is durable and then for four times as long as that took, so that others get their turn.
// The engine owns it.
//
// Failures: a store that cannot be read is as bad as one that cannot be written: `on_fatal` does not return.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "engine/expired_runs.h"
#include "engine/sweep_slice.h"
#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "store/kv_store.h"

namespace holdfast::engine {

class Sweeper {
 public:
  struct Host {
    std::function<void(SweepSlice)> hand_over;  // to the engine thread; swept() answers
    std::function<void(const Status&)> on_fatal;
  };

  Sweeper(store::KvStore& store, const Clock& clock, const EngineLimits& limits, Host host);
  ~Sweeper();
  Sweeper(const Sweeper&) = delete;
  Sweeper& operator=(const Sweeper&) = delete;

  void start();
  void stop();

  // The slice is durable, or had nothing to change. Any thread.
  void swept();
  // Somebody asked for a deletion: it is looked for at once. Any thread.
  void look();

 private:
  void loop();
  // False: stopping.
  bool sweep_one(SweepSlice slice);
  void reclaim();

  store::KvStore& store_;
  const Clock& clock_;
  const EngineLimits& limits_;
  Host host_;
  ExpiredRuns expired_;
  std::uint64_t unreclaimed_ = 0;  // rows deleted since the store gave room back

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;   // guarded by mutex_
  bool looking_ = false;    // guarded by mutex_: somebody asked
  bool under_way_ = false;  // guarded by mutex_: a slice is with the engine
  std::thread thread_;
};

}  // namespace holdfast::engine
