#include "platform/identity_rules.h"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::platform::rules {

namespace {

constexpr std::size_t kMaxRolesBytes = 64 << 10;
constexpr std::size_t kMaxSmallBytes = 1024;  // a hash, a label, a name

Status check_bytes(std::string_view what, std::string_view text, std::size_t most) {
  if (text.size() <= most) return {};
  return {Code::kInvalidArgument, fmt::format("{} has {} bytes; at most {}", what, text.size(), most)};
}

}  // namespace

Status check_principal(const Principal& row) {
  Status status = check_name("a principal", row.name);
  if (status.ok()) status = check_bytes("the roles of a principal", row.roles, kMaxRolesBytes);
  if (status.ok()) status = check_bytes("the hash of a password", row.password, kMaxSmallBytes);
  return status;
}

Status check_credential(const Credential& row) {
  Status status = check_name("a credential", row.id);
  if (status.ok()) status = check_name("the principal of a credential", row.principal);
  if (status.ok()) status = check_bytes("the label of a credential", row.label, kMaxSmallBytes);
  if (!status.ok()) return status;
  const bool is_hash =
      row.sha256.size() == 64 && row.sha256.find_first_not_of("0123456789abcdef") == std::string::npos;
  return is_hash ? Status() : Status(Code::kInvalidArgument, "of a credential its SHA-256 is kept");
}

AuditRow at(AuditRow row, WallTime now) {
  row.at = now;
  return row;
}

}  // namespace holdfast::platform::rules
