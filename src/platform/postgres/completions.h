#pragma once

// Completions as rows. Private to this room.

#include <string_view>

#include "holdfast/status.h"
#include "postgres/statement.h"

namespace holdfast::platform {

inline constexpr std::string_view kCompletionsTable = R"sql(
CREATE TABLE completions (
  id bytea PRIMARY KEY, run bytea NOT NULL, tool bytea NOT NULL, step bigint NOT NULL, tokens bytea NOT NULL,
  deadline bigint NOT NULL, state bigint NOT NULL, result bytea NOT NULL, told bigint NOT NULL, at bigint NOT NULL,
  ended_at bigint);
CREATE INDEX completions_by_run ON completions (run);
CREATE INDEX completions_untold ON completions (id) WHERE told = 0 AND state IN (1, 2);
)sql";

Status forget_completions(postgres::Connection& db, std::string_view run);

}  // namespace holdfast::platform
