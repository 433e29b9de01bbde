#pragma once

// Links by which a person decides one approval, once, without an account: whoever has the link is the
// recipient that it names. What makes a link good is a signature of the server's (runs/decision_links.h); the
// row has none of it. Plain values, and the part of the platform store that keeps them; threads, durability
// and failures are the Store's (platform/store.h).

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "platform/records.h"

namespace holdfast::platform {

inline constexpr std::size_t kMaxLinksOfApproval = 100;
inline constexpr std::size_t kMaxRecipientBytes = 200;

inline constexpr std::string_view kLinkMade = "link.made";
inline constexpr std::string_view kLinkRevoked = "link.revoked";

enum class LinkState : std::uint8_t { kOpen, kUsed, kExpired, kRevoked };
std::string_view to_string(LinkState state);

struct DecisionLink {
  DecisionLink() = default;
  std::string id;
  std::string approval;
  std::string recipient;
  std::string created_by;
  WallTime created_at{};  // set by the store
  WallTime expires_at{};  // never behind the approval's end
  std::optional<WallTime> used_at;
  std::optional<WallTime> revoked_at;
};

LinkState state_of(const DecisionLink& link, WallTime now);

class LinkStore {
 public:
  virtual ~LinkStore() = default;

  // The same id for the same approval and recipient gives the stored row back. NOT_FOUND: there is no such
  // approval; FAILED_PRECONDITION: it waits for nobody any more; RESOURCE_EXHAUSTED: kMaxLinksOfApproval.
  virtual Result<DecisionLink> make_link(const DecisionLink& wanted) = 0;
  virtual Result<std::optional<DecisionLink>> link(std::string_view id) = 0;
  // In the order in which they were made.
  virtual Result<std::vector<DecisionLink>> links(std::string_view approval) = 0;
  // Repeating it is no error; FAILED_PRECONDITION when it was used.
  virtual Result<DecisionLink> revoke_link(std::string_view id, std::string_view by) = 0;
  // Store::begin_decision, and the link is used by it, both or neither. ALREADY_EXISTS: it was used;
  // OUT_OF_RANGE: it has expired; PERMISSION_DENIED: it was revoked.
  virtual Result<Approval> begin_linked_decision(std::string_view link, const DecisionAttempt& attempt) = 0;
};

}  // namespace holdfast::platform
