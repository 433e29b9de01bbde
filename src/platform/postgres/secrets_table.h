#pragma once

// Named secrets as a table. Private to this room.

#include <string_view>

namespace holdfast::platform {

inline constexpr std::string_view kSecretsTable = R"sql(
CREATE TABLE secrets (
  name bytea NOT NULL, namespace bytea NOT NULL, version bigint NOT NULL, key_id bytea NOT NULL,
  sealed bytea NOT NULL, set_by bytea NOT NULL, set_at bigint NOT NULL, used_at bigint,
  PRIMARY KEY (namespace, name));
)sql";

}  // namespace holdfast::platform
