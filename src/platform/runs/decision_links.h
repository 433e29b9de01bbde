#pragma once

// DecisionLinks: links by which a person decides one approval, once (platform/links.h). A link is its row's
// id and a signature of the server's over what it is for; nobody makes one without the server's key, and the
// platform store has nothing that opens it.
//
// Owner: app. Thread-safe; blocks on the store. Store, clock, random and log outlive it.

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "platform/links.h"

namespace holdfast::runs {

inline constexpr std::chrono::hours kLinkLasts{24 * 7};       // unless whoever makes it says otherwise
inline constexpr std::chrono::hours kLongestLink{24 * 3660};  // and never longer than the approval
inline constexpr std::string_view kLinkPath = "/decide/";
inline constexpr std::size_t kMaxLinkToken = 200;

struct LinkRequest {
  std::string approval;
  std::string recipient;
  std::string created_by;
  std::chrono::milliseconds lasts = kLinkLasts;
  std::string key;  // the same key again is the same link; empty: one of its own
};

struct MadeLink {
  platform::DecisionLink row;
  std::string url;  // opens it: for the recipient alone
};

class DecisionLinks {
 public:
  struct Dependencies {
    platform::LinkStore* store = nullptr;
    const Clock* clock = nullptr;
    Random* random = nullptr;
    std::string key;                          // the server's
    std::function<std::string()> public_url;  // where people reach it
  };
  explicit DecisionLinks(Dependencies dependencies) : deps_(std::move(dependencies)) {}

  // As LinkStore::make_link.
  Result<MadeLink> make(const LinkRequest& wanted);
  // The link that a token opens, used or over as it may be. None: there is no such token.
  Result<std::optional<platform::DecisionLink>> find(std::string_view token) const;

  Result<std::vector<platform::DecisionLink>> of(std::string_view approval) const {
    return deps_.store->links(approval);
  }
  Result<platform::DecisionLink> revoke(std::string_view id, std::string_view by) const {
    return deps_.store->revoke_link(id, by);
  }
  WallTime now() const { return deps_.clock->now(); }

 private:
  std::string token_of(const platform::DecisionLink& link) const;

  const Dependencies deps_;
};

// Under which name a link decides.
std::string principal_of(const platform::DecisionLink& link);

}  // namespace holdfast::runs
