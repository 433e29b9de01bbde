#pragma once

// The disk of a server under test on which a SIGKILL is a power cut (faults/unsynced_loss_fs.h), as the crash
// loop asks for it through the environment. Says on standard error that it is there; the loop looks for that
// line in the server's log, so that a loop against a server which loses nothing is no proof of anything.

#include <memory>
#include <string>

namespace rocksdb {
class FileSystem;
}

namespace holdfast::crash {

inline constexpr const char* kLossyNotice = "unsynced bytes are lost when this process is killed";
// "1" asks crash_server for the lossy disk; holdfast_lossy has no other.
inline constexpr const char* kLoseUnsynced = "HOLDFAST_TEST_LOSE_UNSYNCED";
// The seed by which some unsynced bytes survive all the same; 0 or unset: none does.
inline constexpr const char* kEarlyWriteback = "HOLDFAST_TEST_EARLY_WRITEBACK";

struct LossyDisk {
  std::shared_ptr<rocksdb::FileSystem> file_system;
  std::string sqlite_vfs;
};

LossyDisk lossy_disk();

}  // namespace holdfast::crash
