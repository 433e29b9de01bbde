#pragma once

// Provider: one identity provider over its wire: what it says of itself (discovery), its keys, and the
// exchange of a code for a token that was checked. It is asked at its issuer's host, and at those that its
// settings name besides, nowhere else.
//
// Owner: Login. Thread-safe; calls block on the network, up to kProviderTimeout for each of at most four
// requests. Client and clock outlive it.
//
// Failures: UNAVAILABLE: it could not be asked, later it may; FAILED_PRECONDITION: what it says, or what is
// set here, cannot be right; UNAUTHENTICATED: what it was asked with, or what it answered, does not hold.
// None repeats a secret, a code or a token.

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "net/http_client.h"
#include "oidc/key_set.h"
#include "oidc/token.h"

namespace holdfast::oidc {

inline constexpr std::chrono::seconds kProviderTimeout{10};
inline constexpr std::chrono::minutes kKeepDiscovery{60};
// A token with a key that is not known asks for the keys again, so often and no more.
inline constexpr std::chrono::seconds kKeysNotBefore{30};
inline constexpr std::chrono::hours kKeepKeys{24};

struct ProviderSettings {
  std::string name;    // in addresses
  std::string label;   // on the button
  std::string issuer;  // as tokens say it
  std::string client_id;
  // Empty: a public client, which PKCE alone protects.
  std::function<Result<std::string>()> client_secret;
  bool secret_in_body = false;  // instead of a header, for providers that want it so
  std::vector<std::string> scopes{"openid"};
  std::string groups_claim = "groups";
  std::string name_claim = "preferred_username";
  std::vector<std::string> hosts;  // HOST[:PORT], besides the issuer's
  std::chrono::seconds session{std::chrono::hours(8)};
};

// INVALID_ARGUMENT says what is wrong.
Status check_settings(const ProviderSettings& settings);

class Provider {
 public:
  Provider(ProviderSettings settings, net::HttpClient& http, const Clock& clock);

  const ProviderSettings& settings() const { return settings_; }

  struct Asked {
    std::string redirect_uri;
    std::string state;
    std::string nonce;
    std::string verifier;  // PKCE's
  };
  // Where the browser goes.
  Result<std::string> authorization_url(const Asked& asked);
  // The claims of whoever came back with `code`; those of the userinfo endpoint where the token has no
  // groups.
  Result<nlohmann::json> redeem(const std::string& code, const Asked& asked);

 private:
  struct Endpoints {
    std::string authorization;
    std::string token;
    std::string keys;
    std::string userinfo;
    bool secret_in_body = false;
  };

  Result<Endpoints> endpoints();
  Result<std::string> fetched(net::HttpRequest request, std::string_view what) const;
  Result<nlohmann::json> fetched_json(net::HttpRequest request, std::string_view what) const;
  Result<nlohmann::json> ask_for_token(const Endpoints& at, const std::string& code,
                                       const Asked& asked) const;
  Result<crypto::JwsKey> key_for(const Endpoints& at, const IdToken& token);
  Status add_userinfo(const Endpoints& at, const std::string& access_token, nlohmann::json& claims) const;

  const ProviderSettings settings_;
  net::HttpClient& http_;
  const Clock& clock_;
  const std::shared_ptr<const net::Reach> reach_;
  std::mutex mutex_;
  std::optional<Endpoints> endpoints_;    // guarded by mutex_
  MonotonicTime endpoints_until_{};       // guarded by mutex_
  KeySet keys_;                           // guarded by mutex_
  std::optional<MonotonicTime> keys_at_;  // guarded by mutex_: when they were last asked for
};

// For `code_challenge`.
std::string challenge_of(std::string_view verifier);

}  // namespace holdfast::oidc
