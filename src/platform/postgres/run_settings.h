#pragma once

// Settings of runs as rows: what a run was started with besides its input. Private to this room.

#include <string_view>

#include "holdfast/status.h"
#include "postgres/connection.h"

namespace holdfast::platform {

inline constexpr std::string_view kRunSettingsTable =
    "CREATE TABLE run_settings (run bytea PRIMARY KEY, settings bytea NOT NULL)";

// Nothing is written for a run that has none.
Status insert_run_settings(postgres::Connection& db, std::string_view run, std::string_view settings);

}  // namespace holdfast::platform
