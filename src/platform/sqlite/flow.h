#pragma once

// Lines of runs as rows. Private to this room.

#include "holdfast/status.h"
#include "platform/flow.h"
#include "sqlite/statement.h"

namespace holdfast::platform {

inline constexpr const char* kFlowTable = R"sql(
CREATE TABLE flow_places (
  n INTEGER PRIMARY KEY AUTOINCREMENT, line TEXT NOT NULL, run TEXT NOT NULL UNIQUE, key TEXT NOT NULL,
  rules TEXT NOT NULL, input TEXT NOT NULL, state INTEGER NOT NULL, into_run TEXT NOT NULL, at INTEGER NOT NULL,
  since INTEGER NOT NULL, begun_at INTEGER, checksum INTEGER);
CREATE INDEX flow_places_of_line ON flow_places (line, n);
CREATE INDEX flow_places_open ON flow_places (line, state, n) WHERE state IN (0, 1);
CREATE INDEX flow_places_came ON flow_places (line, at);
CREATE INDEX flow_places_begun ON flow_places (line, begun_at) WHERE begun_at IS NOT NULL;
CREATE INDEX flow_places_into ON flow_places (into_run) WHERE into_run <> '';
)sql";

// Part of the start of a run.
Status enter_flow(sqlite::Database& db, const FlowPlace& place, WallTime now);

}  // namespace holdfast::platform
