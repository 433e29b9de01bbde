#pragma once

// Snapshots: both files of the platform store as they are at one moment, for a backup. Thread-safe; must go
// before the stores do. A failure harms nothing in the store.

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "holdfast/seams.h"
#include "holdfast/status.h"

namespace holdfast::platform {

// One moment. While it lives, the write-ahead logs of the files grow. Used by one thread.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
  // Writes the files into `folder`, where they are not there yet, and returns their names. Not synced.
  virtual Result<std::vector<std::string>> copy_into(const std::filesystem::path& folder,
                                                     const std::function<bool()>& give_up) = 0;
};

class Snapshots {
 public:
  virtual ~Snapshots() = default;
  // The moment lasts as long as `meanwhile` runs: nothing is written before it returns. Its failure is ours.
  virtual Result<std::unique_ptr<Snapshot>> take(const std::function<Status()>& meanwhile) = 0;
};

// A closed store in `directory` stops being the one it was copied from: cursors into that one's streams are
// not taken for its own.
Status renew_identity(const std::filesystem::path& directory, Random& random);

}  // namespace holdfast::platform
