#include "platform/secret_rules.h"

#include <fmt/format.h>

#include "base/base64.h"

namespace holdfast::platform::rules {

namespace {

constexpr std::size_t kMaxSealedBytes = 128 << 10;

}  // namespace

Status check_secret(const SecretRow& row) {
  Status status = check_name("a secret", row.name);
  if (status.ok()) status = check_name("the namespace of a secret", row.namespace_name);
  if (status.ok()) status = check_name("the key of a secret", row.key_id);
  if (!status.ok()) return status;
  if (row.sealed.empty() || row.sealed.size() > kMaxSealedBytes || !from_base64url(row.sealed)) {
    return {
        Code::kInvalidArgument,
        fmt::format("of a secret the sealed value is kept, in base64url, at most {} bytes", kMaxSealedBytes)};
  }
  return {};
}

}  // namespace holdfast::platform::rules
