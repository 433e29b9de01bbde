#pragma once

// IdentityStore: who may use a server, as rows (platform/identity.h): the part of the platform store that the
// directory of a server alone reads and writes. Threads, durability and failures are the Store's
// (platform/store.h).

#include <string>
#include <string_view>
#include <vector>

#include "holdfast/status.h"
#include "platform/identity.h"
#include "platform/records.h"

namespace holdfast::platform {

class IdentityStore {
 public:
  virtual ~IdentityStore() = default;

  // The last word counts; `said` is written with it.
  virtual Status put_principal(const Principal& row, const AuditRow& said) = 0;
  // By name.
  virtual Result<std::vector<Principal>> principals(std::string_view after, std::uint32_t limit) = 0;
  virtual Status put_credential(const Credential& row, const AuditRow& said) = 0;
  // By id.
  virtual Result<std::vector<Credential>> credentials(std::string_view after, std::uint32_t limit) = 0;
  // Those that were used, as they are now; and those that nobody can use any more, which go.
  virtual Status note_credentials(const std::vector<Credential>& used,
                                  const std::vector<std::string>& gone) = 0;
  // What the server keeps for itself under that name: `fresh` when there is nothing, which an empty one
  // leaves.
  virtual Result<std::string> server_key(std::string_view name, std::string_view fresh) = 0;
  virtual Status audit(const AuditRow& row) = 0;
};

}  // namespace holdfast::platform
