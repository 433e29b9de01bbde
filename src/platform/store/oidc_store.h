#pragma once

// OidcStore: people who sign in at an identity provider, and what its groups mean here, as rows. The part of
// the platform store that the sign-in of a server (oidc/login.h) alone reads and writes. Threads, durability
// and failures are the Store's (platform/store.h).

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "platform/records.h"

namespace holdfast::platform {

// Who somebody of a provider is here: for ever, whatever name he has there.
struct OidcPerson {
  OidcPerson() = default;
  std::string issuer;
  std::string subject;
  std::string principal;
  std::string teams;  // JSON: a list of names; of the last sign-in
  WallTime at{};      // of the last sign-in
};

struct OidcGroup {
  OidcGroup() = default;
  std::string provider;  // as the server's file names it
  std::string name;      // of the group, as tokens say it
  std::string roles;     // JSON, as of a principal
  std::string teams;     // JSON: a list of names
  std::string set_by;
  WallTime set_at{};
};

inline constexpr std::string_view kPersonLinked = "identity.person_linked";
inline constexpr std::string_view kGroupSet = "identity.group_set";
inline constexpr std::string_view kGroupDeleted = "identity.group_deleted";

class OidcStore {
 public:
  virtual ~OidcStore() = default;

  // The last word counts. `said` is written with it; none: nothing changed but what is noted at each sign-in.
  virtual Status put_oidc_person(const OidcPerson& row, const std::optional<AuditRow>& said) = 0;
  virtual Result<std::optional<OidcPerson>> oidc_person(std::string_view issuer,
                                                        std::string_view subject) = 0;
  virtual Result<std::optional<OidcPerson>> oidc_person_named(std::string_view principal) = 0;
  virtual Status put_oidc_group(const OidcGroup& row, const AuditRow& said) = 0;
  // False, and no audit row: it was not there.
  virtual Result<bool> delete_oidc_group(std::string_view provider, std::string_view name,
                                         const AuditRow& said) = 0;
  // By provider and name, those behind the given one.
  virtual Result<std::vector<OidcGroup>> oidc_groups(std::string_view provider, std::string_view after,
                                                     std::uint32_t limit) = 0;
};

}  // namespace holdfast::platform
