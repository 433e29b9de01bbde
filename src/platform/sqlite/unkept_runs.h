#pragma once

// Runs that are not kept, as rows (docs/adr/0093). Private to this room.

#include <string_view>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "sqlite/statement.h"

namespace holdfast::platform {

// Made when a file without it is opened: builds that do not know it start no such run.
inline constexpr const char* kUnkeptRunsTable = R"sql(
CREATE TABLE IF NOT EXISTS unkept_runs (
  run TEXT NOT NULL PRIMARY KEY, root TEXT NOT NULL, at INTEGER NOT NULL, forgotten_at INTEGER) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS unkept_runs_there ON unkept_runs (run) WHERE forgotten_at IS NULL;
CREATE INDEX IF NOT EXISTS unkept_runs_of ON unkept_runs (root, run) WHERE forgotten_at IS NULL;
)sql";

Status insert_unkept_run(sqlite::Database& db, std::string_view run, WallTime now);
// Of a run that another one calls, or a workflow beside it: as that one is.
Status keep_as_run(sqlite::Database& db, std::string_view run, std::string_view caller, WallTime now);
// Of a run whose history is gone. Nothing happens to one that is kept.
Status forget_contents(sqlite::Database& db, std::string_view run, WallTime now);

}  // namespace holdfast::platform
