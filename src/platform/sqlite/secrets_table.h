#pragma once

// Named secrets as a table. Private to this room.

namespace holdfast::platform {

inline constexpr const char* kSecretsTable = R"sql(
CREATE TABLE secrets (
  name TEXT NOT NULL, namespace TEXT NOT NULL, version INTEGER NOT NULL, key_id TEXT NOT NULL,
  sealed TEXT NOT NULL, set_by TEXT NOT NULL, set_at INTEGER NOT NULL, used_at INTEGER, checksum INTEGER,
  PRIMARY KEY (namespace, name)) WITHOUT ROWID;
)sql";

}  // namespace holdfast::platform
