#pragma once

// The tables of the platform store and of its streams file, how their connections are set up, and how a file
// is told to be ours. A change of a landed table is a new version with a migration, never an edit:
// docs/formats/platform-store.md.

#include <cstdint>
#include <filesystem>
#include <string>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "sqlite/database.h"

namespace holdfast::platform {

inline constexpr std::int64_t kStoreVersion = 8;
inline constexpr std::int64_t kStreamsVersion = 1;

// Write-ahead log, synced in full at each commit. Of every connection, once the file is known to be ours.
inline constexpr const char* kPragmas =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-1024; "
    "PRAGMA journal_size_limit=67108864";

// Opens, and refuses a file that cannot be written.
Status open_file(sqlite::Database& db, const std::filesystem::path& path, const sqlite::Options& options);

// Check the stamp of an old file, then prepare the connection, and make the tables in a new file.
// FAILED_PRECONDITION (kNewer) for a newer version.
Status prepare_store(sqlite::Database& db);
// The table of histories that are gone, which files of earlier landings do not have. Those landings take no
// notice of it.
Status prepare_histories(sqlite::Database& db);
// Of a streams file: no other has it.
std::string new_epoch(Random& random);
// `epoch` is stored in a new file.
Status prepare_streams(sqlite::Database& db, const std::string& epoch);

}  // namespace holdfast::platform
