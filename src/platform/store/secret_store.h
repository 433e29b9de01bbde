#pragma once

// SecretStore: named secrets as rows: who set which, when, and the value as it was sealed by whoever has the
// key (secrets/vault.h); a row tells nobody what it is. The part of the platform store that the vault of a
// server alone reads and writes. Threads, durability and failures are the Store's (platform/store.h).

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "platform/records.h"

namespace holdfast::platform {

struct SecretRow {
  SecretRow() = default;
  std::string namespace_name;
  std::string name;
  std::int64_t version = 1;  // 2 when it is set again
  std::string key_id;        // of the key that it is sealed with
  std::string sealed;        // base64url
  std::string set_by;
  WallTime set_at{};
  std::optional<WallTime> used_at;  // to the minute
};

inline constexpr std::string_view kSecretSet = "secret.set";
inline constexpr std::string_view kSecretDeleted = "secret.deleted";
inline constexpr std::string_view kSecretResealed = "secret.resealed";

class SecretStore {
 public:
  virtual ~SecretStore() = default;

  // The last word counts; `said` is written with it.
  virtual Status put_secret(const SecretRow& row, const AuditRow& said) = 0;
  virtual Result<std::optional<SecretRow>> secret(std::string_view namespace_name, std::string_view name) = 0;
  // By namespace and name, those behind the given one.
  virtual Result<std::vector<SecretRow>> secrets(std::string_view namespace_name, std::string_view after,
                                                 std::uint32_t limit) = 0;
  // False, and no audit row: it was not there.
  virtual Result<bool> delete_secret(std::string_view namespace_name, std::string_view name,
                                     const AuditRow& said) = 0;
  // By name; those that are gone stay gone.
  virtual Status note_secrets(std::string_view namespace_name,
                              const std::map<std::string, WallTime>& used) = 0;
};

}  // namespace holdfast::platform
