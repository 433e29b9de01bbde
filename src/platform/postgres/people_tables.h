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

}  // namespace holdfast::platform
