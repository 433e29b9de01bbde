#pragma once

// Completions as rows. Private to this room.

#include <string_view>

#include "holdfast/status.h"
#include "sqlite/statement.h"

namespace holdfast::platform {

inline constexpr const char* kCompletionsTable = R"sql(
CREATE TABLE completions (
  id TEXT NOT NULL PRIMARY KEY, run TEXT NOT NULL, tool TEXT NOT NULL, step INTEGER NOT NULL, tokens TEXT NOT NULL,
  deadline INTEGER NOT NULL, state INTEGER NOT NULL, result TEXT NOT NULL, told INTEGER NOT NULL, at INTEGER NOT NULL,
  ended_at INTEGER, checksum INTEGER);
CREATE INDEX completions_by_run ON completions (run);
CREATE INDEX completions_untold ON completions (id) WHERE told = 0 AND state IN (1, 2);
)sql";

Status forget_completions(sqlite::Database& db, std::string_view run);

}  // namespace holdfast::platform
