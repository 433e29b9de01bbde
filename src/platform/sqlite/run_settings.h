#pragma once

// Settings of runs as rows: what a run was started with besides its input. Private to this room.

#include <string_view>

#include "holdfast/status.h"
#include "sqlite/statement.h"

namespace holdfast::platform {

inline constexpr const char* kRunSettingsTable =
    "CREATE TABLE run_settings (run TEXT NOT NULL PRIMARY KEY, settings TEXT NOT NULL, checksum INTEGER)";

// Nothing is written for a run that has none.
Status insert_run_settings(sqlite::Database& db, std::string_view run, std::string_view settings);

}  // namespace holdfast::platform
