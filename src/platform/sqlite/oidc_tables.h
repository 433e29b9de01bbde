#pragma once

// People and groups of identity providers, as tables. Private to this room.

namespace holdfast::platform {

inline constexpr const char* kOidcTables = R"sql(
CREATE TABLE oidc_people (
  issuer TEXT NOT NULL, subject TEXT NOT NULL, principal TEXT NOT NULL UNIQUE, teams TEXT NOT NULL,
  at INTEGER NOT NULL, checksum INTEGER, PRIMARY KEY (issuer, subject));
CREATE TABLE oidc_groups (
  name TEXT NOT NULL, provider TEXT NOT NULL, roles TEXT NOT NULL, teams TEXT NOT NULL, set_by TEXT NOT NULL,
  set_at INTEGER NOT NULL, checksum INTEGER, PRIMARY KEY (provider, name));
)sql";

}  // namespace holdfast::platform
