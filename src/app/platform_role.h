#pragma once

// Where a server's platform store is: in files of its data directory, or in a schema of PostgreSQL
// (--platform-store). Which of the two a directory belongs to is written in it, so that no server starts on
// half of what it knows: a directory whose platform store is elsewhere is not started without it, nor with
// another one, and one that has its own is not started beside it.

#include <functional>
#include <optional>
#include <string>

#include "app/data_directory.h"
#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "platform_sqlite/sqlite_store.h"

namespace holdfast::app {

struct PlatformPlace {
  const DataDirectory* data = nullptr;
  std::optional<std::string> address;  // of PostgreSQL; none: files
  bool embedded_engine = true;         // its runs are in this directory and nowhere else
  std::string sqlite_vfs;
  std::function<void(const std::string&)> fatal;
  std::function<void(const std::string&)> complain;
};

// Without snapshots when the store is on PostgreSQL. What the command line got wrong is INVALID_ARGUMENT.
Result<platform::OpenStores> open_platform_store(const PlatformPlace& place, const Clock& clock,
                                                 Random& random, Executor& flusher);

// Whether the directory could have such a store: for a command that moves it there.
inline constexpr const char* kPlatformDatabase = "platform.db";

}  // namespace holdfast::app
