#pragma once

// A file system for RocksDB on which a SIGKILL is a power cut. The kernel keeps what a killed process wrote;
// this layer does not: appended bytes stay in the process until their file is synced, and created, renamed
// and deleted names until their directory is. What lies in the real directory at any moment is what a power
// cut at that moment would leave.
//
// For tests of the real server; app puts it under the store when asked to. Thread-safe. Costs memory for what
// is never synced, and reads of unsynced files are copies.

#include <cstdint>
#include <memory>

namespace rocksdb {
class FileSystem;
}

namespace holdfast::faults {

struct UnsyncedLossOptions {
  // 0: nothing unsynced survives. Else the seed by which some prefixes of unsynced bytes reach the disk all
  // the same, as a kernel that writes back early does: log tails are then torn at any byte.
  std::uint64_t early_writeback_seed = 0;
};

std::shared_ptr<rocksdb::FileSystem> make_unsynced_loss_fs(const UnsyncedLossOptions& options = {});

}  // namespace holdfast::faults
