#include "platform/oidc_rules.h"

#include <fmt/format.h>

namespace holdfast::platform::rules {

namespace {

constexpr std::size_t kMaxJsonBytes = 64 << 10;

Status check_json(std::string_view what, std::string_view text) {
  if (text.size() <= kMaxJsonBytes) return {};
  return {Code::kInvalidArgument,
          fmt::format("{} have {} bytes; at most {}", what, text.size(), kMaxJsonBytes)};
}

}  // namespace

Status check_oidc_person(const OidcPerson& row) {
  Status status = check_name("an issuer", row.issuer);
  if (status.ok()) status = check_name("a subject", row.subject);
  if (status.ok()) status = check_name("a principal", row.principal);
  return status.ok() ? check_json("teams", row.teams) : status;
}

Status check_oidc_group(const OidcGroup& row) {
  Status status = check_name("a provider", row.provider);
  if (status.ok()) status = check_name("a group", row.name);
  if (status.ok()) status = check_json("the roles of a group", row.roles);
  return status.ok() ? check_json("teams", row.teams) : status;
}

}  // namespace holdfast::platform::rules
