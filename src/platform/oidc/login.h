#pragma once

// Login: people sign in at an identity provider. A sign-in begins here, with a cookie that holds, sealed, all
// that is needed to know it again; it goes on in the browser, at the provider; and it ends here with a code,
// which is exchanged for a token that was checked. Nothing is kept between: whoever begins many costs
// nothing.
//
// Who somebody is follows from issuer and subject alone, and what he may from his groups, at each sign-in
// anew. A person of a provider has no password.
//
// Owner: app. Thread-safe; finish() blocks on the provider, at most kLoginsAtOnce of them at a time.
// Directory, store, client, clock and random outlive it.

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <string>
#include <string_view>
#include <vector>

#include "identity/directory.h"
#include "net/http_client.h"
#include "oidc/provider.h"
#include "platform/oidc_store.h"

namespace holdfast::oidc {

inline constexpr std::size_t kMaxProviders = 20;
inline constexpr std::ptrdiff_t kLoginsAtOnce = 2;
inline constexpr std::chrono::minutes kLoginLasts{10};  // from its beginning to its end
inline constexpr std::size_t kMaxReturnBytes = 1024;
inline constexpr std::string_view kCallbackPath = "/oidc/callback";

class Login {
 public:
  Login(std::vector<ProviderSettings> settings, net::HttpClient& http, identity::Directory& directory,
        platform::OidcStore& store, const Clock& clock, Random& random);

  // Name and label of each.
  std::vector<std::pair<std::string, std::string>> providers() const;

  struct Begun {
    std::string url;     // where the browser goes
    std::string cookie;  // which it brings back
  };
  // `base`: where the browser reaches this server, without a slash at the end; `return_to`: the path where he
  // wants to be, another site's is "/". NOT_FOUND: there is no such provider; otherwise the provider's
  // failures.
  Result<Begun> begin(std::string_view provider, const std::string& base, std::string_view return_to);

  struct Finished {
    identity::MadeCredential session;
    std::chrono::seconds lasts{};
    std::string return_to;
  };
  // What the browser comes back with. PERMISSION_DENIED: nothing that he is in has a role here;
  // RESOURCE_EXHAUSTED: others are signing in; UNAUTHENTICATED and the provider's failures.
  struct Returned {
    std::string_view cookie;
    std::string_view state;
    std::string_view code;
    std::string_view error;   // instead of a code
    std::string_view issuer;  // RFC 9207; may be empty
  };
  Result<Finished> finish(const Returned& returned, const std::string& label);

  // ---- what groups mean. `by`: who does it.

  Result<std::vector<platform::OidcGroup>> groups() const;  // by provider and name
  Result<platform::OidcGroup> set_group(platform::OidcGroup group, const std::string& by);
  Status delete_group(const std::string& provider, const std::string& name, const std::string& by);
  // Of somebody who signs in at a provider, as of the last time; of others none.
  std::vector<std::string> teams_of(const std::string& principal) const;

 private:
  struct Attempt;

  Provider* find(std::string_view name) const;
  std::string sealed(const Attempt& attempt);
  std::optional<Attempt> opened(std::string_view cookie) const;
  Result<std::string> person(const Provider& provider, const nlohmann::json& claims);
  Result<std::string> add_person(const Provider& provider, const nlohmann::json& claims);

  std::vector<std::unique_ptr<Provider>> providers_;
  identity::Directory& directory_;
  platform::OidcStore& store_;
  const Clock& clock_;
  Random& random_;
  const std::string key_;  // of cookies; another one at each start
  std::counting_semaphore<kLoginsAtOnce> turns_{kLoginsAtOnce};
  std::mutex adding_;
};

}  // namespace holdfast::oidc
