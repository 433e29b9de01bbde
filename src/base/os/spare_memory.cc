#include "os/spare_memory.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>

// tcmalloc's, where it is linked (docs/adr/0019): our executables have it, the sanitizers bring their own.
extern "C" {
[[gnu::weak]] int MallocExtension_GetNumericProperty(const char* property, std::size_t* value);
[[gnu::weak]] void MallocExtension_ReleaseToSystem(std::size_t bytes);
}

namespace holdfast::os {

namespace {

using namespace std::chrono_literals;

// What a steady load frees and takes again all the time.
constexpr std::size_t kKeepBytes = 32 << 20;
// About a millisecond of the allocator's time.
constexpr std::size_t kPieceBytes = 8 << 20;
constexpr auto kBetweenPieces = 20ms;
constexpr auto kBetweenLooks = 2s;

}  // namespace

std::size_t give_back_spare_memory(std::size_t keep, std::size_t most) {
  std::size_t spare = 0;
  if (MallocExtension_GetNumericProperty == nullptr || MallocExtension_ReleaseToSystem == nullptr ||
      MallocExtension_GetNumericProperty("tcmalloc.pageheap_free_bytes", &spare) == 0 || spare <= keep) {
    return 0;
  }
  const std::size_t bytes = std::min(spare - keep, most);
  MallocExtension_ReleaseToSystem(bytes);
  return bytes;
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
  while (!wake_.wait_for(lock, pause, [this] { return stopping_; })) {
    lock.unlock();
    pause = give_back_spare_memory(kKeepBytes, kPieceBytes) > 0 ? kBetweenPieces : kBetweenLooks;
    lock.lock();
  }
}

}  // namespace holdfast::os
