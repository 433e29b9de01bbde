#pragma once

// What people are asked, and the links by which they answer, as tables. Private to this room.

#include <string_view>

namespace holdfast::platform {

inline constexpr std::string_view kPeopleTables = R"sql(
CREATE TABLE questions (approval bytea PRIMARY KEY, question bytea NOT NULL);
CREATE TABLE decision_links (
  id bytea PRIMARY KEY, approval bytea NOT NULL, recipient bytea NOT NULL, created_by bytea NOT NULL,
  created_at bigint NOT NULL, expires_at bigint NOT NULL, used_at bigint, revoked_at bigint);
CREATE INDEX decision_links_by_approval ON decision_links (approval, created_at, id);
ALTER TABLE approvals DROP CONSTRAINT approvals_status_check;
ALTER TABLE approvals ADD CONSTRAINT approvals_status_check CHECK (status BETWEEN 0 AND 5);
ALTER TABLE decisions DROP CONSTRAINT decisions_decision_check;
ALTER TABLE decisions ADD CONSTRAINT decisions_decision_check CHECK (decision IN (1, 2, 4, 5));
)sql";

// Whom what waits asks, by the number of the approval. What waits already asks everybody.
inline constexpr std::string_view kAskedTable = R"sql(
CREATE TABLE asked (
  word bytea NOT NULL, n bigint NOT NULL, since bigint NOT NULL, but bytea NOT NULL, PRIMARY KEY (word, n));
CREATE INDEX asked_by_approval ON asked (n);
INSERT INTO asked (word, n, since, but) SELECT '', n, requested_at, '' FROM approvals WHERE status = 0;
)sql";

}  // namespace holdfast::platform
