#pragma once

// SpareMemory: gives pages that were freed back to the machine. The allocator keeps them for the next burst,
// which may never come: after a busy minute the process would hold its largest size for good.
//
// Owner: app, as long as the process serves. A thread of its own, which sleeps for seconds while there is
// nothing to give, and gives in pieces, because the allocator stands still meanwhile.

#include <array>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>

namespace holdfast::os {

// What this thread's allocator keeps at hand for it goes to the others, for a thread that has nothing to do.
void give_back_thread_memory();

// How much of the spare memory to keep: what somebody took at one of the last looks may be wanted again, and
// to take it from the machine anew costs whoever needs it more than it is worth.
class SpareLooks {
 public:
  static constexpr std::size_t kLooks = 5;

  // At each look. What was spare at all of the last kLooks is not kept.
  std::size_t keep(std::size_t spare);

 private:
  std::array<std::size_t, kLooks> seen_{};  // as long as there were fewer: nothing spare
  std::size_t next_ = 0;
};

// Freed pages beyond `keep` bytes go back, `most` bytes of them at once. Returns how many bytes went.
std::size_t give_back_spare_memory(std::size_t keep, std::size_t most);

class SpareMemory {
 public:
  SpareMemory();
  ~SpareMemory();
  SpareMemory(const SpareMemory&) = delete;
  SpareMemory& operator=(const SpareMemory&) = delete;

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace holdfast::os
