// Loaded into a program (LD_PRELOAD) to kill it at one of its syncs: what is durable changes there and
// nowhere else, so these are all the moments that differ for whoever comes after. KILL_AT_SYNC names a file
// of three 64-bit numbers that program and test share: how many syncs there were, at which of them to die (0:
// at none), and whether behind it.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>

namespace {

struct Switch {
  std::atomic<std::int64_t> seen, die_at, behind;
};

Switch* shared() {
  static Switch* const found = [] {
    const char* path = std::getenv("KILL_AT_SYNC");
    const int file = path == nullptr ? -1 : open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return static_cast<Switch*>(nullptr);
    void* memory = mmap(nullptr, sizeof(Switch), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    return memory == MAP_FAILED ? nullptr : static_cast<Switch*>(memory);
  }();
  return found;
}

int synced(const char* name, int file) {
  using Sync = int (*)(int);
  const auto real = reinterpret_cast<Sync>(dlsym(RTLD_NEXT, name));
  Switch* const kill_switch = shared();
  if (kill_switch == nullptr) return real(file);
  const bool dies = kill_switch->seen.fetch_add(1) + 1 == kill_switch->die_at.load();
  const bool behind = kill_switch->behind.load() != 0;
  if (dies && !behind) kill(getpid(), SIGKILL);
  const int result = real(file);
  if (dies && behind) kill(getpid(), SIGKILL);
  return result;
}

}  // namespace

extern "C" int fsync(int file) {
  return synced("fsync", file);
}
extern "C" int fdatasync(int file) {
  return synced("fdatasync", file);
}
