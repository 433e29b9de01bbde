#pragma once

// The tables of the platform store and of its streams file, and how a file is told to be ours. A change of a
// landed table is a new version with a migration, never an edit: docs/formats/platform-store.md.

#include <string>

#include "holdfast/status.h"
#include "platform_sqlite/sqlite.h"

namespace holdfast::platform {

inline constexpr std::int64_t kStoreVersion = 1;
inline constexpr std::int64_t kStreamsVersion = 1;

// Check the stamp of an old file, then prepare the connection, and make the tables in a new file.
// FAILED_PRECONDITION (kNewer) for a newer version.
Status prepare_store(Db& db);
// `epoch` is stored in a new file.
Status prepare_streams(Db& db, const std::string& epoch);

}  // namespace holdfast::platform
