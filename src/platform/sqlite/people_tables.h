#pragma once

// What people are asked, and the links by which they answer, as tables. Private to this room.

namespace holdfast::platform {

inline constexpr const char* kPeopleTables = R"sql(
CREATE TABLE questions (approval TEXT NOT NULL PRIMARY KEY, question TEXT NOT NULL, checksum INTEGER);
CREATE TABLE decision_links (
  id TEXT NOT NULL PRIMARY KEY, approval TEXT NOT NULL, recipient TEXT NOT NULL, created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, used_at INTEGER, revoked_at INTEGER, checksum INTEGER);
CREATE INDEX decision_links_by_approval ON decision_links (approval, created_at, id);
)sql";

}  // namespace holdfast::platform
