#pragma once

// Runs that are not kept, as rows (docs/adr/0093). Private to this room.

#include <string_view>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "postgres/statement.h"

namespace holdfast::platform {

inline constexpr std::string_view kUnkeptRunsTable = R"sql(
CREATE TABLE unkept_runs (run bytea PRIMARY KEY, root bytea NOT NULL, at bigint NOT NULL, forgotten_at bigint);
CREATE INDEX unkept_runs_there ON unkept_runs (run) WHERE forgotten_at IS NULL;
CREATE INDEX unkept_runs_of ON unkept_runs (root, run) WHERE forgotten_at IS NULL;
)sql";

Status insert_unkept_run(postgres::Connection& db, std::string_view run, WallTime now);
// Of a run that another one calls, or a workflow beside it: as that one is.
Status keep_as_run(postgres::Connection& db, std::string_view run, std::string_view caller, WallTime now);
// Of a run whose history is gone. Nothing happens to one that is kept.
Status forget_contents(postgres::Connection& db, std::string_view run, WallTime now);

}  // namespace holdfast::platform
