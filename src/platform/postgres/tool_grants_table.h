#pragma once

// Tool grants as a table. Private to this room.

#include <string_view>

namespace holdfast::platform {

inline constexpr std::string_view kToolGrantsTable = R"sql(
CREATE TABLE tool_grants (
  id bytea NOT NULL, namespace bytea NOT NULL, agent bytea NOT NULL, team bytea NOT NULL,
  environment bytea NOT NULL, tools bytea NOT NULL, mode bigint NOT NULL CHECK (mode BETWEEN 0 AND 1),
  reason bytea NOT NULL, set_by bytea NOT NULL, set_at bigint NOT NULL, PRIMARY KEY (namespace, id));
)sql";

}  // namespace holdfast::platform
