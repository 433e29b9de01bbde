#include "oidc/login.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/base64.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/json_member.h"
#include "base/sha256.h"
#include "crypto/sealed.h"
#include "oidc/groups.h"

namespace holdfast::oidc {

namespace {

using Json = nlohmann::json;
using platform::AuditRow;
using platform::OidcGroup;
using platform::OidcPerson;

constexpr std::string_view kCookiePurpose = "oidc sign-in";
constexpr std::uint32_t kPage = 1000;
constexpr std::size_t kMaxCookieBytes = 4096;
constexpr int kMaxNames = 100;  // that are tried for a person whose name others have

std::string nonce(Random& random) {
  return base64url(random_bytes(random, 32));
}

// Of this server, and no address that a browser reads as another's.
std::string own_path(std::string_view path) {
  const bool own =
      path.starts_with('/') && !path.starts_with("//") && path.size() <= kMaxReturnBytes &&
      std::none_of(path.begin(), path.end(), [](char c) { return c <= ' ' || c > '~' || c == '\\'; });
  return own ? std::string(path) : "/";
}

AuditRow said(const std::string& by, std::string_view action, const std::string& subject,
              const nlohmann::ordered_json& detail) {
  AuditRow out;
  out.actor = by;
  out.action = action;
  out.subject = subject;
  out.detail = dump_json(detail);
  return out;
}

std::string printable(std::string_view text) {
  std::string out(text.substr(0, 100));
  std::erase_if(out, [](char c) { return c < ' ' || c > '~'; });
  return out;
}

class Turn {
 public:
  explicit Turn(std::counting_semaphore<kLoginsAtOnce>& turns) : turns_(turns), taken_(turns.try_acquire()) {}
  ~Turn() {
    if (taken_) turns_.release();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  explicit operator bool() const { return taken_; }

 private:
  std::counting_semaphore<kLoginsAtOnce>& turns_;
  const bool taken_;
};

std::unexpected<Status> busy() {
  return fail(Code::kResourceExhausted, "others are signing in: try again in a moment");
}

}  // namespace

struct Login::Attempt {
  std::string provider;
  std::string return_to;
  Provider::Asked asked;
  WallTime until{};
};

Login::Login(std::vector<ProviderSettings> settings, net::HttpClient& http, identity::Directory& directory,
             platform::OidcStore& store, const Clock& clock, Random& random)
    : directory_(directory),
      store_(store),
      clock_(clock),
      random_(random),
      key_(random_bytes(random, crypto::kSealKeyBytes)) {
  for (ProviderSettings& one : settings)
    providers_.push_back(std::make_unique<Provider>(std::move(one), http, clock));
}

std::vector<std::pair<std::string, std::string>> Login::providers() const {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& one : providers_) out.emplace_back(one->settings().name, one->settings().label);
  return out;
}

Provider* Login::find(std::string_view name) const {
  for (const auto& one : providers_) {
    if (one->settings().name == name) return one.get();
  }
  return nullptr;
}

std::string Login::sealed(const Attempt& attempt) {
  const Json json = {
      {"provider", attempt.provider},
      {"return_to", attempt.return_to},
      {"redirect_uri", attempt.asked.redirect_uri},
      {"state", attempt.asked.state},
      {"nonce", attempt.asked.nonce},
      {"verifier", attempt.asked.verifier},
      {"until", std::chrono::duration_cast<std::chrono::seconds>(attempt.until.time_since_epoch()).count()}};
  return base64url(crypto::seal(key_, kCookiePurpose, dump_json(json), random_));
}

std::optional<Login::Attempt> Login::opened(std::string_view cookie) const {
  if (cookie.size() > kMaxCookieBytes) return std::nullopt;
  const auto bytes = from_base64url(cookie);
  const auto text = bytes ? crypto::unseal(key_, kCookiePurpose, *bytes) : std::nullopt;
  if (!text) return std::nullopt;
  const Json json = parse_json<Json>(*text);  // ours: nobody else can have sealed it
  Attempt out;
  out.provider = string_member(json, "provider");
  out.return_to = string_member(json, "return_to");
  out.asked = {.redirect_uri = string_member(json, "redirect_uri"),
               .state = string_member(json, "state"),
               .nonce = string_member(json, "nonce"),
               .verifier = string_member(json, "verifier")};
  out.until = WallTime(std::chrono::seconds(integer_member(json, "until").value_or(0)));
  return out;
}

Result<Login::Begun> Login::begin(std::string_view name, const std::string& base,
                                  std::string_view return_to) {
  Provider* provider = find(name);
  if (provider == nullptr)
    return fail(Code::kNotFound, fmt::format("there is no identity provider '{}'", printable(name)));
  const Turn turn(turns_);  // it may have to ask the provider where to go
  if (!turn) return busy();
  Attempt attempt;
  attempt.provider = name;
  attempt.return_to = own_path(return_to);
  attempt.asked = {.redirect_uri = base + std::string(kCallbackPath),
                   .state = nonce(random_),
                   .nonce = nonce(random_),
                   .verifier = nonce(random_)};
  attempt.until = clock_.now() + kLoginLasts;
  auto url = provider->authorization_url(attempt.asked);
  if (!url) return fail(url.error());
  return Begun{*std::move(url), sealed(attempt)};
}

Result<Login::Finished> Login::finish(const Returned& returned, const std::string& label) {
  const auto attempt = opened(returned.cookie);
  if (!attempt || attempt->until <= clock_.now()) {
    return fail(
        Code::kUnauthenticated,
        "this browser has begun no sign-in here, or too long ago: sign in again, from the page of this "
        "server");
  }
  if (!equal_in_constant_time(attempt->asked.state, returned.state))
    return fail(Code::kUnauthenticated,
                "this is not the answer to this browser's sign-in (state): sign in again");
  Provider* provider = find(attempt->provider);
  if (provider == nullptr)
    return fail(Code::kUnauthenticated, "there is no such identity provider: sign in again");
  const ProviderSettings& settings = provider->settings();
  if (!returned.issuer.empty() && returned.issuer != settings.issuer)
    return fail(Code::kUnauthenticated,
                "this is the answer of another identity provider (iss): sign in again");
  if (!returned.error.empty() || returned.code.empty()) {
    return fail(Code::kUnauthenticated,
                fmt::format("{} says: {}", settings.label,
                            returned.error.empty() ? "nothing" : printable(returned.error)));
  }
  const Turn turn(turns_);
  if (!turn) return busy();
  auto claims = provider->redeem(std::string(returned.code), attempt->asked);
  if (!claims) {
    directory_.note_refusal("", fmt::format("{}: {}", settings.name, claims.error().message()));
    return fail(claims.error());
  }
  auto principal = person(*provider, *claims);
  if (!principal) {
    directory_.note_refusal("", fmt::format("{}: {}", settings.name, principal.error().message()));
    return fail(principal.error());
  }
  auto session = directory_.begin_session(*principal, label, settings.session, settings.name);
  if (!session) return fail(session.error());
  return Finished{*std::move(session), settings.session, attempt->return_to};
}

// Who he is here, with the roles that his groups give him now.
Result<std::string> Login::person(const Provider& provider, const Json& claims) {
  const ProviderSettings& settings = provider.settings();
  const auto mapped = groups();
  if (!mapped) return fail(mapped.error());
  const auto meaning = meaning_of(groups_of(claims, settings.groups_claim), settings.name, *mapped);
  if (!meaning) return fail(meaning.error());
  const std::lock_guard adding(adding_);
  auto known = store_.oidc_person(settings.issuer, string_member(claims, "sub"));
  if (!known) return fail(known.error());
  if (!*known && meaning->roles.empty()) {
    return fail(
        Code::kPermissionDenied,
        fmt::format("none of the groups that {} says you are in has a role here; an admin gives it one: "
                    "`holdfast group set {} GROUP --role ROLE`",
                    settings.label, settings.name));
  }
  std::string principal;
  if (*known) {
    principal = (*known)->principal;
  } else {
    auto added = add_person(provider, claims);
    if (!added) return fail(added.error());
    principal = *std::move(added);
  }
  const auto row = directory_.principal(principal);
  if (!row) return fail(Code::kDataLoss, fmt::format("'{}' is known and not there", principal));
  if (row->disabled) return fail(Code::kPermissionDenied, fmt::format("'{}' is disabled here", principal));
  if (row->roles != meaning->roles.json()) {
    auto changed = directory_.change(
        principal, {.roles = meaning->roles, .disabled = {}, .password_hash = {}}, settings.name);
    if (!changed) return fail(changed.error());
  }
  OidcPerson now;
  now.issuer = settings.issuer;
  now.subject = string_member(claims, "sub");
  now.principal = principal;
  now.teams = teams_json(meaning->teams);
  now.at = clock_.now();
  Status noted = store_.put_oidc_person(
      now, *known ? std::nullopt
                  : std::optional(said(principal, platform::kPersonLinked, principal,
                                       {{"issuer", now.issuer}, {"subject", now.subject}})));
  if (!noted.ok()) return fail(std::move(noted));
  if (meaning->roles.empty()) {
    return fail(
        Code::kPermissionDenied,
        fmt::format("none of the groups that {} says you are in has a role here any more", settings.label));
  }
  return principal;
}

// Under adding_. A crash between this and the row that links him leaves a principal whom nobody can be: the
// next sign-in makes another.
Result<std::string> Login::add_person(const Provider& provider, const Json& claims) {
  const ProviderSettings& settings = provider.settings();
  for (int attempt = 1; attempt <= kMaxNames; ++attempt) {
    platform::Principal fresh;
    fresh.name = principal_name(claims, settings.name_claim, settings.name, attempt);
    auto added = directory_.add(fresh, identity::Roles(), settings.name);
    if (added) return fresh.name;
    if (added.error().code() != Code::kAlreadyExists) return fail(added.error());
  }
  return fail(Code::kResourceExhausted, "too many people of that name: an admin may delete some");
}

Result<std::vector<OidcGroup>> Login::groups() const {
  std::vector<OidcGroup> out;
  while (true) {
    const OidcGroup last = out.empty() ? OidcGroup() : out.back();
    auto page = store_.oidc_groups(last.provider, last.name, kPage);
    if (!page) return page;
    if (page->empty()) return out;
    std::move(page->begin(), page->end(), std::back_inserter(out));
  }
}

Result<OidcGroup> Login::set_group(OidcGroup group, const std::string& by) {
  if (find(group.provider) == nullptr)
    return fail(Code::kNotFound,
                fmt::format("there is no identity provider '{}'", printable(group.provider)));
  if (group.name.empty() || group.name.size() > kMaxGroupName)
    return fail(Code::kInvalidArgument, fmt::format("the name of a group has 1 to {} bytes", kMaxGroupName));
  const auto roles = identity::Roles::parse(group.roles);
  if (!roles) return fail(roles.error());
  const auto teams = parse_teams(group.teams);
  if (!teams) return fail(teams.error());
  if (roles->empty() && teams->empty())
    return fail(Code::kInvalidArgument,
                "a group means roles, or teams, or both; to take them away delete it");
  const auto all = groups();
  if (!all) return fail(all.error());
  const bool is_new = std::none_of(all->begin(), all->end(), [&](const OidcGroup& one) {
    return one.provider == group.provider && one.name == group.name;
  });
  if (is_new && all->size() >= kMaxGroups)
    return fail(Code::kResourceExhausted, fmt::format("at most {} groups have a meaning here", kMaxGroups));
  group.roles = roles->json();
  group.teams = teams_json(*teams);
  group.set_by = by;
  group.set_at = clock_.now();
  Status status = store_.put_oidc_group(
      group,
      said(by, platform::kGroupSet, group.name,
           {{"provider", group.provider}, {"roles", parse_json<Json>(group.roles)}, {"teams", *teams}}));
  if (!status.ok()) return fail(std::move(status));
  return group;
}

Status Login::delete_group(const std::string& provider, const std::string& name, const std::string& by) {
  const auto deleted = store_.delete_oidc_group(
      provider, name, said(by, platform::kGroupDeleted, name, {{"provider", provider}}));
  if (!deleted) return deleted.error();
  if (*deleted) return {};
  return {Code::kNotFound,
          fmt::format("the group '{}' of '{}' has no meaning here", printable(name), printable(provider))};
}

std::vector<std::string> Login::teams_of(const std::string& principal) const {
  const auto row = store_.oidc_person_named(principal);
  if (!row || !*row) return {};
  return parse_teams((*row)->teams).value_or(std::vector<std::string>());
}

}  // namespace holdfast::oidc
