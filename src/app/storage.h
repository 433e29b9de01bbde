#pragma once

// Storage: what lies under the databases of this process. main() hands it in; by default it is the machine's
// own file system, synced as the databases ask for it. No option, variable or file changes that: whoever
// wants another disk writes another main() (tests/crash/holdfast_lossy.cc). Plain values, copied; read once,
// when a server opens its data directory.

#include <memory>
#include <string>

namespace rocksdb {
class FileSystem;
}

namespace holdfast::app {

struct Storage {
  std::shared_ptr<rocksdb::FileSystem> file_system{};  // under RocksDB; none: the machine's own
  std::string sqlite_vfs{};                            // name of a registered VFS; empty: SQLite's own
};

}  // namespace holdfast::app
