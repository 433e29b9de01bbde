#include "oidc/provider.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/base64.h"
#include "base/json.h"
#include "base/json_member.h"
#include "base/sha256.h"
#include "base/url.h"
#include "net/fetch.h"

namespace holdfast::oidc {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxAnswerBytes = 256 << 10;

// The issuer's host whatever address it has, and names as the operator wrote them: his file is his word, as a
// definition that he passes is.
std::shared_ptr<const net::Reach> reach_of(const ProviderSettings& settings) {
  std::vector<net::HostRule> rules;
  const auto add = [&rules](const net::Origin& origin) {
    net::HostRule rule;
    rule.host = origin.host.text;
    rule.port = origin.port;
    const auto permit = [&rule](net::AddressClass kind) { rule.classes.set(static_cast<std::size_t>(kind)); };
    if (origin.host.address) {
      rule.classes.set();
    } else if (origin.host.is_localhost()) {
      permit(net::AddressClass::kLoopback);
    } else {
      for (auto kind : {net::AddressClass::kPublic, net::AddressClass::kPrivate, net::AddressClass::kShared})
        permit(kind);
    }
    rules.push_back(std::move(rule));
  };
  if (const auto issuer = net::read_url(settings.issuer)) add(issuer->origin);
  for (const std::string& host : settings.hosts) {
    if (const auto read = net::read_url("https://" + host)) add(read->origin);
  }
  return std::make_shared<const net::Reach>(std::move(rules), std::vector<std::uint16_t>{});
}

// https; in the clear on this machine alone.
Status check_url(const std::string& url, std::string_view what) {
  const auto read = net::read_url(url);
  if (!read) return {Code::kInvalidArgument, fmt::format("{}: {}", what, read.error().message())};
  const net::Origin& origin = read->origin;
  const bool here =
      origin.host.is_localhost() ||
      (origin.host.address && net::class_of(*origin.host.address) == net::AddressClass::kLoopback);
  if (origin.scheme == "https" || here) return {};
  return {Code::kInvalidArgument, fmt::format("{} is not https", what)};
}

Result<std::string> endpoint(const Json& said, const char* name, bool needed) {
  std::string url = string_member(said, name);
  if (url.empty() && !needed) return url;
  if (Status status = check_url(url, name); !status.ok())
    return fail(Code::kFailedPrecondition,
                fmt::format("the identity provider says of itself: {}", status.message()));
  return url;
}

bool lists(const Json& said, const char* name, std::string_view value) {
  const auto found = said.find(name);
  return found != said.end() && found->is_array() &&
         std::find(found->begin(), found->end(), value) != found->end();
}

std::string printable(std::string text) {
  std::erase_if(text, [](char c) { return c < ' ' || c > '~'; });
  return text.substr(0, 100);
}

}  // namespace

std::string challenge_of(std::string_view verifier) {
  const std::string hex = sha256_hex(verifier);
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return base64url(bytes);
}

Status check_settings(const ProviderSettings& settings) {
  if (Status status = check_url(settings.issuer, "`issuer`"); !status.ok()) return status;
  if (settings.issuer.find_first_of("?#") != std::string::npos)
    return {Code::kInvalidArgument, "`issuer` has no query and no fragment"};
  if (settings.client_id.empty()) return {Code::kInvalidArgument, "`client_id` is missing"};
  for (const std::string& host : settings.hosts) {
    const auto read = net::read_url("https://" + host);
    if (!read || host.find('/') != std::string::npos)
      return {Code::kInvalidArgument, fmt::format("`hosts`: '{}' is no HOST or HOST:PORT", host)};
  }
  return {};
}

Provider::Provider(ProviderSettings settings, net::HttpClient& http, const Clock& clock)
    : settings_(std::move(settings)), http_(http), clock_(clock), reach_(reach_of(settings_)) {}

Result<std::string> Provider::fetched(net::HttpRequest request, std::string_view what) const {
  request.reach = reach_;
  request.total_timeout = kProviderTimeout;
  request.connect_timeout = kProviderTimeout;
  request.max_response_bytes = kMaxAnswerBytes;
  auto response = net::fetch(http_, std::move(request));
  if (!response && response.error().failure == net::HttpFailure::kRefused) {
    return fail(Code::kFailedPrecondition,
                fmt::format("{} of the identity provider {} is at a host that it was not given: {}. If it is "
                            "right, name the host in `hosts`",
                            what, settings_.name, response.error().message));
  }
  if (!response) {
    return fail(Code::kUnavailable, fmt::format("{} of the identity provider {} cannot be reached: {}", what,
                                                settings_.name, response.error().message));
  }
  const int status = response->head.status;
  if (status == 200) return std::move(response->body);
  // RFC 6749, section 5.2: `error` is a word.
  const Json said = parse_json<Json>(response->body);
  const std::string error = said.is_object() ? printable(string_member(said, "error")) : "";
  const bool ours = status == 400 || status == 401 || status == 403;
  return fail(ours ? Code::kUnauthenticated : Code::kUnavailable,
              fmt::format("{} of the identity provider {} answers {}{}{}", what, settings_.name, status,
                          error.empty() ? "" : ": ", error));
}

Result<Json> Provider::fetched_json(net::HttpRequest request, std::string_view what) const {
  request.headers.emplace_back("Accept", "application/json");
  const auto body = fetched(std::move(request), what);
  if (!body) return fail(body.error());
  Json json = parse_json<Json>(*body);
  if (json.is_object()) return json;
  return fail(Code::kFailedPrecondition,
              fmt::format("{} of the identity provider {} answers no JSON object", what, settings_.name));
}

Result<Provider::Endpoints> Provider::endpoints() {
  {
    const std::lock_guard lock(mutex_);
    if (endpoints_ && clock_.monotonic() < endpoints_until_) return *endpoints_;
  }
  net::HttpRequest request;
  request.url = settings_.issuer;
  while (request.url.ends_with('/')) request.url.pop_back();
  request.url += "/.well-known/openid-configuration";
  const auto said = fetched_json(std::move(request), "the configuration");
  if (!said) return fail(said.error());
  if (string_member(*said, "issuer") != settings_.issuer) {
    return fail(
        Code::kFailedPrecondition,
        fmt::format("the identity provider at {} calls itself '{}': `issuer` has to be that, letter by "
                    "letter",
                    settings_.issuer, printable(string_member(*said, "issuer"))));
  }
  Endpoints out;
  const std::tuple<const char*, std::string&, bool> all[] = {
      {"authorization_endpoint", out.authorization, true},
      {"token_endpoint", out.token, true},
      {"jwks_uri", out.keys, true},
      {"userinfo_endpoint", out.userinfo, false}};
  for (auto& [name, url, needed] : all) {
    auto read = endpoint(*said, name, needed);
    if (!read) return fail(read.error());
    url = *std::move(read);
  }
  out.secret_in_body = said->contains("token_endpoint_auth_methods_supported") &&
                       !lists(*said, "token_endpoint_auth_methods_supported", "client_secret_basic") &&
                       lists(*said, "token_endpoint_auth_methods_supported", "client_secret_post");
  const std::lock_guard lock(mutex_);
  endpoints_ = out;
  endpoints_until_ = clock_.monotonic() + kKeepDiscovery;
  return out;
}

Result<std::string> Provider::authorization_url(const Asked& asked) {
  const auto at = endpoints();
  if (!at) return fail(at.error());
  std::string scopes;
  for (const std::string& scope : settings_.scopes) scopes += (scopes.empty() ? "" : " ") + scope;
  std::string query;
  add_field(query, "response_type", "code");
  add_field(query, "client_id", settings_.client_id);
  add_field(query, "redirect_uri", asked.redirect_uri);
  add_field(query, "scope", scopes);
  add_field(query, "state", asked.state);
  add_field(query, "nonce", asked.nonce);
  add_field(query, "code_challenge", challenge_of(asked.verifier));
  add_field(query, "code_challenge_method", "S256");
  return at->authorization + (at->authorization.find('?') == std::string::npos ? '?' : '&') + query;
}

Result<Json> Provider::ask_for_token(const Endpoints& at, const std::string& code, const Asked& asked) const {
  net::HttpRequest request;
  request.method = "POST";
  request.url = at.token;
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  add_field(request.body, "grant_type", "authorization_code");
  add_field(request.body, "code", code);
  add_field(request.body, "redirect_uri", asked.redirect_uri);
  add_field(request.body, "code_verifier", asked.verifier);
  if (!settings_.client_secret) {
    add_field(request.body, "client_id", settings_.client_id);
  } else {
    auto secret = settings_.client_secret();
    if (!secret) return fail(Code::kFailedPrecondition, "the client's secret: " + secret.error().message());
    if (settings_.secret_in_body || at.secret_in_body) {
      add_field(request.body, "client_id", settings_.client_id);
      add_field(request.body, "client_secret", *secret);
    } else {  // RFC 6749, section 2.3.1: each part is encoded before they are joined
      const std::string pair = percent_encode(settings_.client_id) + ':' + percent_encode(*secret);
      request.headers.emplace_back("Authorization", "Basic " + padded_base64(pair));
    }
  }
  return fetched_json(std::move(request), "the token endpoint");
}

Result<crypto::JwsKey> Provider::key_for(const Endpoints& at, const IdToken& token) {
  const MonotonicTime now = clock_.monotonic();
  {
    const std::lock_guard lock(mutex_);
    const crypto::JwsKey* known = keys_.find(token.key_id, token.algorithm);
    // Without an id nothing says that a key is another one by now.
    const MonotonicTime::duration keep =
        token.key_id.empty() ? MonotonicTime::duration(kKeysNotBefore) : kKeepKeys;
    if (known != nullptr && keys_at_ && now < *keys_at_ + keep) return *known;
    if (known == nullptr && keys_at_ && now < *keys_at_ + kKeysNotBefore) {
      return fail(Code::kUnauthenticated,
                  "the identity provider's token is signed with a key that it does not publish (kid)");
    }
    keys_at_ = now;  // also when it fails: who sends such tokens makes no more requests than this
  }
  net::HttpRequest request;
  request.url = at.keys;
  const auto body = fetched(std::move(request), "the key set");
  if (!body) return fail(body.error());
  auto keys = KeySet::parse(*body);
  if (!keys) return fail(Code::kFailedPrecondition, "the identity provider: " + keys.error().message());
  const std::lock_guard lock(mutex_);
  keys_ = *std::move(keys);
  if (const crypto::JwsKey* known = keys_.find(token.key_id, token.algorithm)) return *known;
  return fail(Code::kUnauthenticated,
              "the identity provider's token is signed with a key that it does not publish (kid)");
}

Status Provider::add_userinfo(const Endpoints& at, const std::string& access_token, Json& claims) const {
  if (at.userinfo.empty() || access_token.empty() || claims.contains(settings_.groups_claim)) return {};
  net::HttpRequest request;
  request.url = at.userinfo;
  request.headers = {{"Authorization", "Bearer " + access_token}};
  const auto said = fetched_json(std::move(request), "the userinfo endpoint");
  if (!said) return said.error();
  // OpenID Connect Core, section 5.3.2: it may be about somebody else.
  if (string_member(*said, "sub") != string_member(claims, "sub"))
    return {Code::kUnauthenticated, "the identity provider tells of another person than its token (sub)"};
  for (const auto& [name, value] : said->items()) {
    if (!claims.contains(name)) claims[name] = value;
  }
  return {};
}

Result<Json> Provider::redeem(const std::string& code, const Asked& asked) {
  const auto at = endpoints();
  if (!at) return fail(at.error());
  const auto answer = ask_for_token(*at, code, asked);
  if (!answer) return fail(answer.error());
  auto token = read_token(string_member(*answer, "id_token"));
  if (!token) return fail(token.error());
  const auto key = key_for(*at, *token);
  if (!key) return fail(key.error());
  Status status = check_signature(*token, *key);
  if (status.ok()) {
    status = check_claims(token->claims, {.issuer = settings_.issuer,
                                          .client_id = settings_.client_id,
                                          .nonce = asked.nonce,
                                          .now = clock_.now()});
  }
  if (status.ok()) status = add_userinfo(*at, string_member(*answer, "access_token"), token->claims);
  if (!status.ok()) return fail(std::move(status));
  return std::move(token->claims);
}

}  // namespace holdfast::oidc
