#pragma once

// Who may use a server, as tables. Private to this room.

#include <string_view>

namespace holdfast::platform {

inline constexpr std::string_view kIdentityTables = R"sql(
CREATE TABLE principals (
  name bytea PRIMARY KEY, kind bigint NOT NULL CHECK (kind BETWEEN 0 AND 1), roles bytea NOT NULL,
  password bytea NOT NULL, disabled bigint NOT NULL, created_by bytea NOT NULL, created_at bigint NOT NULL);
CREATE TABLE credentials (
  id bytea PRIMARY KEY, kind bigint NOT NULL CHECK (kind BETWEEN 0 AND 1), principal bytea NOT NULL,
  label bytea NOT NULL, sha256 bytea NOT NULL, created_by bytea NOT NULL, created_at bigint NOT NULL,
  expires_at bigint, revoked_at bigint, used_at bigint);
CREATE TABLE server_keys (name bytea PRIMARY KEY, value bytea NOT NULL);
)sql";

}  // namespace holdfast::platform
