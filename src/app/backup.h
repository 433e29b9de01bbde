#pragma once

// A backup of a data directory: the engine's executions and the platform store at one moment, in a folder of
// its own with a manifest (archive/manifest.h). The visibility index is not in it: it is made again from the
// executions. docs/adr/0035 says what a copy is and is not.
//
// A platform store on PostgreSQL is not in it, and belongs to a later moment than the executions: the server
// may know more of a step than the engine does, never less. The mark that names the store is in the backup.
//
// The moment lasts milliseconds: neither store commits while RocksDB links its files and SQLite's read
// transactions begin. All copying comes after, beside the running server. One backup at a time; any thread.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "archive/files.h"
#include "archive/manifest.h"
#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "platform_sqlite/snapshot.h"

namespace holdfast::store {
class RocksStore;
}

namespace holdfast::app {

struct BackupSources {
  store::RocksStore* engine = nullptr;      // none: the runs are on a Temporal server
  platform::Snapshots* platform = nullptr;  // none: the platform store is on PostgreSQL
  std::filesystem::path data{};             // the data directory
  std::filesystem::path scratch;            // in the data directory; links to the engine's files, for a while
  const Clock* clock = nullptr;
};

// Into `target`, an absolute path of a folder that is new or empty and not in the data directory. Without success nothing of it stays.
Result<archive::Manifest> take_backup(const BackupSources& sources, const std::filesystem::path& target,
                                      const archive::GiveUp& give_up);

}  // namespace holdfast::app
