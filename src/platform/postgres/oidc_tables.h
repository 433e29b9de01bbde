#pragma once

// People and groups of identity providers, as tables. Private to this room.

#include <string_view>

namespace holdfast::platform {

inline constexpr std::string_view kOidcTables = R"sql(
CREATE TABLE oidc_people (
  issuer bytea NOT NULL, subject bytea NOT NULL, principal bytea NOT NULL UNIQUE, teams bytea NOT NULL,
  at bigint NOT NULL, PRIMARY KEY (issuer, subject));
CREATE TABLE oidc_groups (
  name bytea NOT NULL, provider bytea NOT NULL, roles bytea NOT NULL, teams bytea NOT NULL, set_by bytea NOT NULL,
  set_at bigint NOT NULL, PRIMARY KEY (provider, name));
)sql";

}  // namespace holdfast::platform
