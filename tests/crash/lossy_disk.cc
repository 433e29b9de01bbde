#include "lossy_disk.h"

#include <cstdio>
#include <cstdlib>

#include "faults/unsynced_loss_fs.h"
#include "faults/unsynced_loss_vfs.h"

namespace holdfast::crash {

LossyDisk lossy_disk() {
  const char* seed = std::getenv(kEarlyWriteback);
  LossyDisk disk;
  disk.file_system = faults::make_unsynced_loss_fs(
      {.early_writeback_seed = seed != nullptr ? std::strtoull(seed, nullptr, 10) : 0});
  disk.sqlite_vfs = faults::register_unsynced_loss_vfs();
  std::fprintf(stderr, "%s\n", kLossyNotice);
  return disk;
}

}  // namespace holdfast::crash
