#pragma once

// ToolGrantStore: which tools agents are granted, as rows. They only take away: what a definition names and
// the operator granted is the most that an agent has (docs/adr/0075). The part of the platform store that the
// book of a server (grant/tool_grants.h) alone reads and writes. Threads, durability and failures are the
// Store's (platform/store.h).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "platform/records.h"

namespace holdfast::platform {

inline constexpr std::string_view kAnyScope = "*";

// The numbers are stored.
enum class GrantMode : std::uint8_t { kAllow = 0, kDeny = 1 };
std::string_view to_string(GrantMode mode);  // "allow", "deny"

// What one row says: of calls within its scope these tools are allowed, or denied. A row is never changed.
struct ToolGrant {
  ToolGrant() = default;
  std::string namespace_name;
  std::string id;                      // rules::tool_grant_id()
  std::string agent{kAnyScope};        // a name; *: every agent
  std::string team{kAnyScope};         // of the definition; *: any, and none
  std::string environment{kAnyScope};  // the label that a run was started by; *: any, and none
  std::vector<std::string> tools;      // names; with a * at the end: those that begin so
  GrantMode mode = GrantMode::kAllow;
  std::string reason;
  std::string set_by;
  WallTime set_at{};
};

inline constexpr std::string_view kGrantAdded = "grant.added";
inline constexpr std::string_view kGrantRevoked = "grant.revoked";

class ToolGrantStore {
 public:
  virtual ~ToolGrantStore() = default;

  // A row with that id is replaced; `said` is written with it.
  virtual Status put_tool_grant(const ToolGrant& row, const AuditRow& said) = 0;
  // False, and no audit row: it was not there.
  virtual Result<bool> delete_tool_grant(std::string_view namespace_name, std::string_view id,
                                         const AuditRow& said) = 0;
  // Of one namespace, by id, those behind the given one. DATA_LOSS rather than a page that lacks a row: what
  // is missing would be allowed.
  virtual Result<std::vector<ToolGrant>> tool_grants(std::string_view namespace_name, std::string_view after,
                                                     std::uint32_t limit) = 0;
};

}  // namespace holdfast::platform
