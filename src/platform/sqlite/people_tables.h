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

// Version 8: whom what waits asks, by the number of the approval. What waits already asks everybody.
inline constexpr const char* kAskedTable = R"sql(
CREATE TABLE asked (
  word TEXT NOT NULL, n INTEGER NOT NULL, since INTEGER NOT NULL, but TEXT NOT NULL, checksum INTEGER,
  PRIMARY KEY (word, n)) WITHOUT ROWID;
CREATE INDEX asked_by_approval ON asked (n);
INSERT INTO asked (word, n, since, but, checksum)
  SELECT '', n, requested_at, '', row_checksum('asked', '', n, requested_at, '') FROM approvals WHERE status = 0;
)sql";

}  // namespace holdfast::platform
