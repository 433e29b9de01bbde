#include "os/spare_memory.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

// tcmalloc's, where it is linked (docs/adr/0019): our executables have it, the sanitizers bring their own.
extern "C" {
[[gnu::weak]] int MallocExtension_GetNumericProperty(const char* property, std::size_t* value);
[[gnu::weak]] void MallocExtension_ReleaseToSystem(std::size_t bytes);
[[gnu::weak]] void MallocExtension_MarkThreadIdle();
}

namespace holdfast::os {

namespace {

using namespace std::chrono_literals;

// About a millisecond of the allocator's time, or more: it gives a run of pages whole, however long.
constexpr std::size_t kPieceBytes = 8 << 20;
constexpr auto kBetweenPieces = 20ms;
constexpr auto kBetweenLooks = 2s;
std::size_t spare_memory() {
  std::size_t spare = 0;
  if (MallocExtension_GetNumericProperty == nullptr || MallocExtension_ReleaseToSystem == nullptr ||
      MallocExtension_GetNumericProperty("tcmalloc.pageheap_free_bytes", &spare) == 0) {
    return 0;
  }
  return spare;
}

}  // namespace

std::size_t give_back_spare_memory(std::size_t keep, std::size_t most) {
  const std::size_t spare = spare_memory();
  if (spare <= keep) return 0;
  const std::size_t bytes = std::min(spare - keep, most);
  MallocExtension_ReleaseToSystem(bytes);
  return bytes;
}

std::size_t SpareLooks::keep(std::size_t spare) {
  seen_[next_] = spare;
  next_ = (next_ + 1) % kLooks;
  return spare - *std::ranges::min_element(seen_);
}

void give_back_thread_memory() {
  if (MallocExtension_MarkThreadIdle != nullptr) MallocExtension_MarkThreadIdle();
}

SpareMemory::SpareMemory() : thread_([this] { run(); }) {
  ::pthread_setname_np(thread_.native_handle(), "spare-memory");
}

SpareMemory::~SpareMemory() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void SpareMemory::run() {
  std::unique_lock lock(mutex_);
  std::chrono::milliseconds pause = kBetweenLooks;
  SpareLooks looks;
  std::size_t keep = SIZE_MAX;
  while (!wake_.wait_for(lock, pause, [this] { return stopping_; })) {
    lock.unlock();
    if (give_back_spare_memory(keep, kPieceBytes) > 0) {
      pause = kBetweenPieces;
    } else {
      pause = kBetweenLooks;
      keep = looks.keep(spare_memory());
    }
    lock.lock();
  }
}

}  // namespace holdfast::os
