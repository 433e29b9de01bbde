#pragma once

// Tool grants as a table. Private to this room.

namespace holdfast::platform {

inline constexpr const char* kToolGrantsTable = R"sql(
CREATE TABLE tool_grants (
  id TEXT NOT NULL, namespace TEXT NOT NULL, agent TEXT NOT NULL, team TEXT NOT NULL, environment TEXT NOT NULL,
  tools TEXT NOT NULL, mode INTEGER NOT NULL, reason TEXT NOT NULL, set_by TEXT NOT NULL, set_at INTEGER NOT NULL,
  checksum INTEGER, PRIMARY KEY (namespace, id)) WITHOUT ROWID;
)sql";

}  // namespace holdfast::platform
