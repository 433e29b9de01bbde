#pragma once

// Who may use a server, as tables. Private to this room.

namespace holdfast::platform {

inline constexpr const char* kIdentityTables = R"sql(
CREATE TABLE principals (
  name TEXT NOT NULL PRIMARY KEY, kind INTEGER NOT NULL, roles TEXT NOT NULL, password TEXT NOT NULL,
  disabled INTEGER NOT NULL, created_by TEXT NOT NULL, created_at INTEGER NOT NULL, checksum INTEGER);
CREATE TABLE credentials (
  id TEXT NOT NULL PRIMARY KEY, kind INTEGER NOT NULL, principal TEXT NOT NULL, label TEXT NOT NULL,
  sha256 TEXT NOT NULL, created_by TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER,
  revoked_at INTEGER, used_at INTEGER, checksum INTEGER);
CREATE TABLE server_keys (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL, checksum INTEGER);
)sql";

}  // namespace holdfast::platform
