#include "identity/directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "base/json.h"

namespace holdfast::identity {

namespace {

using platform::AuditRow;
using platform::Credential;
using platform::CredentialKind;
using platform::Principal;
using Json = nlohmann::ordered_json;

constexpr std::chrono::minutes kUseGrain{1};
constexpr std::uint32_t kPage = 1000;
constexpr std::size_t kMaxLabelBytes = 200;
constexpr std::string_view kSetUpKey = "set-up";
// How long a credential that holds no more is shown in lists.
constexpr std::chrono::hours kKeepDeadKeys{24 * 90};

AuditRow said(const std::string& by, std::string_view action, std::string_view subject, const Json& detail) {
  AuditRow row;
  row.actor = by;
  row.action = action;
  row.subject = subject;
  row.detail = dump_json(detail);
  return row;
}

Status unknown_credential() {
  return {Code::kUnauthenticated, "the credential is not known here"};
}

bool is_over(const Credential& row, WallTime now) {
  return (row.revoked_at && *row.revoked_at <= now) || (row.expires_at && *row.expires_at <= now);
}

}  // namespace

Status check_principal_name(std::string_view name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@+";
  if (!name.empty() && name.size() <= kMaxNameLength &&
      name.find_first_not_of(kAllowed) == std::string_view::npos) {
    return {};
  }
  return {Code::kInvalidArgument,
          fmt::format("a name has 1 to {} letters, digits or . _ - @ +", kMaxNameLength)};
}

Result<std::unique_ptr<Directory>> Directory::open(platform::IdentityStore& store, const Clock& clock,
                                                   Random& random, Executor& writer) {
  std::unique_ptr<Directory> out(new Directory(store, clock, random, writer));
  if (Status status = out->load(); !status.ok()) return fail(std::move(status));
  return out;
}

Directory::~Directory() {
  const std::lock_guard lock(self_->mutex);
  self_->directory = nullptr;
}

Status Directory::load() {
  for (std::string after;;) {
    auto page = store_.principals(after, kPage);
    if (!page) return page.error();
    if (page->empty()) break;
    after = page->back().name;
    for (Principal& row : *page) {
      auto roles = Roles::parse(row.roles);
      if (!roles) return {Code::kDataLoss, "the roles of '" + row.name + "': " + roles.error().message()};
      std::string name = row.name;
      principals_.emplace(std::move(name), Known{std::move(row), *std::move(roles)});
    }
  }
  for (std::string after;;) {
    auto page = store_.credentials(after, kPage);
    if (!page) return page.error();
    if (page->empty()) break;
    after = page->back().id;
    for (Credential& row : *page) {
      std::string id = row.id;
      credentials_.emplace(std::move(id), std::move(row));
    }
  }
  auto set_up = store_.server_key(kSetUpKey, "");
  if (!set_up) return set_up.error();
  set_up_ = !set_up->empty();
  return {};
}

// ---- questions

const Directory::Known* Directory::known(std::string_view name) const {
  const auto found = principals_.find(name);
  return found == principals_.end() ? nullptr : &found->second;
}

Status Directory::holds(const Credential& row) const {
  const WallTime now = clock_.now();
  const std::string_view what = row.kind == CredentialKind::kKey ? "the key" : "the session";
  if (row.revoked_at && *row.revoked_at <= now)
    return {Code::kUnauthenticated, fmt::format("{} was revoked", what)};
  if (row.expires_at && *row.expires_at <= now)
    return {Code::kUnauthenticated, fmt::format("{} has expired", what)};
  if (row.kind == CredentialKind::kSession && row.used_at.value_or(row.created_at) + kSessionIdle <= now)
    return {Code::kUnauthenticated, "the session has not been used for too long; sign in again"};
  const Known* who = known(row.principal);
  if (who == nullptr) return unknown_credential();
  if (who->row.disabled) return {Code::kUnauthenticated, fmt::format("'{}' is disabled", row.principal)};
  return {};
}

Result<Caller> Directory::by_key(std::string_view text) {
  return by_secret(kKeyPrefix, CredentialKind::kKey, text);
}

Result<Caller> Directory::by_session(std::string_view text) {
  return by_secret(kSessionPrefix, CredentialKind::kSession, text);
}

Result<Caller> Directory::by_secret(std::string_view prefix, CredentialKind kind, std::string_view text) {
  const auto shown = parse_secret(prefix, text);
  if (!shown) return fail(unknown_credential());
  Caller out;
  bool note = false;
  {
    const std::shared_lock lock(mutex_);
    const auto found = credentials_.find(shown->id);
    // Why it does not hold is for who has the secret.
    if (found == credentials_.end() || found->second.kind != kind ||
        !is_secret_of(*shown, found->second.sha256)) {
      return fail(unknown_credential());
    }
    if (Status status = holds(found->second); !status.ok()) return fail(std::move(status));
    out.kind = kind == CredentialKind::kKey ? Caller::Kind::kKey : Caller::Kind::kSession;
    out.name = found->second.principal;
    out.credential = found->first;
    note = found->second.used_at.value_or(WallTime{}) + kUseGrain <= clock_.now();
  }
  if (note) note_use(out.credential);
  return out;
}

Result<Caller> Directory::by_certificate(std::string_view name) const {
  const std::shared_lock lock(mutex_);
  const Known* who = known(name);
  if (who == nullptr || who->row.disabled || who->row.kind != platform::PrincipalKind::kService) {
    return fail(
        Code::kUnauthenticated,
        "the certificate's common name is no service that is known here: `holdfast key create` makes one");
  }
  return Caller{.kind = Caller::Kind::kCertificate, .name = std::string(name), .credential = {}};
}

Result<Caller> Directory::by_user(std::string_view name) const {
  const std::shared_lock lock(mutex_);
  const Known* who = known(name);
  if (who == nullptr || who->row.disabled) {
    return fail(
        Code::kUnauthenticated,
        fmt::format(
            "'{}' is not known here: `holdfast user add` makes a person, `holdfast key create` a service",
            name));
  }
  return Caller{.kind = Caller::Kind::kUser, .name = std::string(name), .credential = {}};
}

Status Directory::check(const Caller& caller, std::string_view namespace_name, Permission permission) const {
  if (permission == Permission::kAnyone || caller.kind == Caller::Kind::kLocal) return {};
  if (caller.kind == Caller::Kind::kNobody)
    return {Code::kUnauthenticated, "this needs a credential: Authorization: Bearer KEY, or a session"};
  const std::shared_lock lock(mutex_);
  if (!caller.credential.empty()) {
    const auto found = credentials_.find(caller.credential);
    if (found == credentials_.end()) return unknown_credential();
    if (Status status = holds(found->second); !status.ok()) return status;
  }
  const Known* who = known(caller.name);
  if (who == nullptr || who->row.disabled) return unknown_credential();
  if (who->roles.may(namespace_name, permission)) return {};
  return {Code::kPermissionDenied,
          fmt::format("'{}' may not {} in {}", caller.name, permission_name(permission),
                      namespace_name == kEveryNamespace ? "every namespace"
                                                        : fmt::format("namespace '{}'", namespace_name))};
}

Roles Directory::roles_of(const Caller& caller) const {
  if (caller.kind == Caller::Kind::kLocal) return Roles::all();
  const std::shared_lock lock(mutex_);
  const Known* who = known(caller.name);
  return who != nullptr ? who->roles : Roles();
}

std::vector<std::string> Directory::roles_among(const Caller& caller, std::string_view namespace_name,
                                                const std::vector<std::string>& names) const {
  if (caller.kind == Caller::Kind::kLocal) return names;
  const Roles roles = roles_of(caller);
  std::vector<std::string> out;
  for (const std::string& name : names) {
    const auto role = role_by_name(name);
    if (role && roles.has(namespace_name, *role)) out.push_back(name);
  }
  return out;
}

bool Directory::opens_as_admin(const Known& who, std::string_view without_credential) const {
  if (who.row.disabled || !who.roles.is_admin()) return false;
  if (!who.row.password.empty()) return true;
  return std::any_of(credentials_.begin(), credentials_.end(), [&](const auto& entry) {
    const Credential& row = entry.second;
    return row.kind == CredentialKind::kKey && row.principal == who.row.name &&
           entry.first != without_credential && !is_over(row, clock_.now());
  });
}

bool Directory::has_admin_besides(std::string_view principal, std::string_view credential) const {
  return std::any_of(principals_.begin(), principals_.end(), [&](const auto& entry) {
    return entry.first != principal && opens_as_admin(entry.second, credential);
  });
}

bool Directory::has_admin() const {
  const std::shared_lock lock(mutex_);
  return has_admin_besides("", "");
}

std::optional<Principal> Directory::principal(std::string_view name) const {
  const std::shared_lock lock(mutex_);
  const Known* who = known(name);
  return who != nullptr ? std::optional(who->row) : std::nullopt;
}

std::vector<Principal> Directory::principals() const {
  const std::shared_lock lock(mutex_);
  std::vector<Principal> out;
  for (const auto& [name, who] : principals_) out.push_back(who.row);
  return out;
}

std::vector<Credential> Directory::credentials(CredentialKind kind) const {
  std::vector<Credential> out;
  {
    const std::shared_lock lock(mutex_);
    for (const auto& [id, row] : credentials_) {
      if (row.kind == kind) out.push_back(row);
    }
  }
  std::sort(out.begin(), out.end(), [](const Credential& a, const Credential& b) {
    return std::tie(b.created_at, a.id) < std::tie(a.created_at, b.id);
  });
  return out;
}

// ---- changes

Result<Principal> Directory::add(Principal fresh, const Roles& roles, const std::string& by) {
  if (Status status = check_principal_name(fresh.name); !status.ok()) return fail(std::move(status));
  const std::lock_guard writing(writing_);
  {
    const std::shared_lock lock(mutex_);
    if (known(fresh.name) != nullptr)
      return fail(Code::kAlreadyExists, fmt::format("there is a '{}' already", fresh.name));
    if (principals_.size() >= kMaxPrincipals)
      return fail(Code::kResourceExhausted,
                  fmt::format("a server knows at most {} principals", kMaxPrincipals));
  }
  fresh.roles = roles.json();
  fresh.created_by = by;
  fresh.created_at = clock_.now();
  const Json detail = {{"kind", fresh.kind == platform::PrincipalKind::kPerson ? "person" : "service"},
                       {"roles", Json::parse(fresh.roles)}};
  Status status = store_.put_principal(fresh, said(by, platform::kPrincipalAdded, fresh.name, detail));
  if (!status.ok()) return fail(std::move(status));
  {
    const std::unique_lock lock(mutex_);
    principals_[fresh.name] = Known{fresh, roles};
  }
  if (Status noted = note_set_up(); !noted.ok()) return fail(std::move(noted));
  return fresh;
}

Result<Principal> Directory::change(const std::string& name, const PrincipalChange& change,
                                    const std::string& by) {
  const std::lock_guard writing(writing_);
  Known next;
  {
    const std::shared_lock lock(mutex_);
    const Known* who = known(name);
    if (who == nullptr) return fail(Code::kNotFound, fmt::format("there is no '{}'", name));
    next = *who;
    if (change.roles) next.roles = *change.roles;
    if (change.disabled) next.row.disabled = *change.disabled;
    if (change.password_hash) next.row.password = *change.password_hash;
    if (opens_as_admin(*who, "") && !opens_as_admin(next, "") && !has_admin_besides(name, "")) {
      return fail(Code::kFailedPrecondition,
                  fmt::format("'{}' is the last admin who can get in: make another one first", name));
    }
  }
  Json detail = Json::object();
  if (change.roles)
    detail["roles"] = {{"before", Json::parse(next.row.roles)}, {"after", Json::parse(change.roles->json())}};
  if (change.disabled) detail["disabled"] = *change.disabled;
  if (change.password_hash) detail["password"] = change.password_hash->empty() ? "taken" : "set";
  next.row.roles = next.roles.json();
  Status status = store_.put_principal(next.row, said(by, platform::kPrincipalChanged, name, detail));
  if (!status.ok()) return fail(std::move(status));
  {
    const std::unique_lock lock(mutex_);
    principals_[name] = next;
  }
  if (change.password_hash || next.row.disabled) {
    if (Status ended = end_sessions(name, by); !ended.ok()) return fail(std::move(ended));
  }
  if (Status noted = note_set_up(); !noted.ok()) return fail(std::move(noted));
  return next.row;
}

Status Directory::note_set_up() {
  if (set_up_ || !has_admin()) return {};
  auto noted = store_.server_key(kSetUpKey, "1");
  if (!noted) return noted.error();
  set_up_ = true;
  return {};
}

Result<MadeCredential> Directory::make(Credential row, std::string_view prefix, const AuditRow& audit) {
  {
    const std::shared_lock lock(mutex_);
    const Known* who = known(row.principal);
    if (who == nullptr) return fail(Code::kNotFound, fmt::format("there is no '{}'", row.principal));
    if (who->row.disabled)
      return fail(Code::kFailedPrecondition, fmt::format("'{}' is disabled", row.principal));
  }
  forget_dead();
  {
    const std::shared_lock lock(mutex_);
    if (credentials_.size() >= kMaxCredentials) {
      return fail(Code::kResourceExhausted,
                  fmt::format("a server has at most {} keys and sessions; revoke some", kMaxCredentials));
    }
  }
  const Secret secret = new_secret(random_);
  row.id = secret.id;
  row.sha256 = secret_hash(secret);
  row.created_at = clock_.now();
  AuditRow written = audit;
  if (row.kind == CredentialKind::kKey) {
    written.subject = row.id;
  }
  if (Status status = store_.put_credential(row, written); !status.ok()) return fail(std::move(status));
  {
    const std::unique_lock lock(mutex_);
    credentials_[row.id] = row;
  }
  if (Status noted = note_set_up(); !noted.ok()) return fail(std::move(noted));
  return MadeCredential{row, secret_text(prefix, secret)};
}

Result<MadeCredential> Directory::create_key(const NewKey& wanted, const std::string& by) {
  if (wanted.label.size() > kMaxLabelBytes)
    return fail(Code::kInvalidArgument, fmt::format("a label has at most {} bytes", kMaxLabelBytes));
  if (wanted.expires_at && *wanted.expires_at <= clock_.now())
    return fail(Code::kInvalidArgument, "the key would have expired already");
  const std::lock_guard writing(writing_);
  Credential row;
  row.principal = wanted.principal;
  row.label = wanted.label;
  row.expires_at = wanted.expires_at;
  row.created_by = by;
  return make(
      std::move(row), kKeyPrefix,
      said(by, platform::kKeyCreated, "", {{"principal", wanted.principal}, {"label", wanted.label}}));
}

Result<MadeCredential> Directory::rotate_key(const std::string& id, std::chrono::seconds grace,
                                             const std::string& by) {
  const std::lock_guard writing(writing_);
  Credential old;
  {
    const std::shared_lock lock(mutex_);
    const auto found = credentials_.find(id);
    if (found == credentials_.end() || found->second.kind != CredentialKind::kKey)
      return fail(Code::kNotFound, fmt::format("there is no key '{}'", id));
    old = found->second;
    if (is_over(old, clock_.now()))
      return fail(Code::kFailedPrecondition, fmt::format("the key '{}' holds no more: create one", id));
  }
  Credential row = old;
  row.used_at.reset();
  row.revoked_at.reset();
  row.created_by = by;
  // It lasts as long as the one before was to.
  if (old.expires_at) row.expires_at = clock_.now() + (*old.expires_at - old.created_at);
  auto made = make(std::move(row), kKeyPrefix,
                   said(by, platform::kKeyRotated, "", {{"principal", old.principal}, {"before", id}}));
  if (!made) return made;
  if (Status status = end(old, clock_.now() + grace, by, platform::kCredentialRevoked); !status.ok())
    return fail(std::move(status));
  return made;
}

Status Directory::revoke(const std::string& id, const std::string& by) {
  const std::lock_guard writing(writing_);
  Credential row;
  {
    const std::shared_lock lock(mutex_);
    const auto found = credentials_.find(id);
    if (found == credentials_.end())
      return {Code::kNotFound, fmt::format("there is no key or session '{}'", id)};
    row = found->second;
    if (is_over(row, clock_.now())) return {};
    const Known* who = known(row.principal);
    if (who != nullptr && row.kind == CredentialKind::kKey && opens_as_admin(*who, "") &&
        !opens_as_admin(*who, id) && !has_admin_besides(row.principal, id)) {
      return {Code::kFailedPrecondition, "this is the last key of an admin: make another way in first"};
    }
  }
  return end(std::move(row), clock_.now(), by,
             by == row.principal && row.kind == CredentialKind::kSession ? platform::kSignedOut
                                                                         : platform::kCredentialRevoked);
}

Status Directory::end(Credential row, WallTime at, const std::string& by, std::string_view action) {
  row.revoked_at = at;
  Status status = store_.put_credential(row, said(by, action, row.id, {{"principal", row.principal}}));
  if (!status.ok()) return status;
  const std::unique_lock lock(mutex_);
  credentials_[row.id].revoked_at = at;
  return {};
}

Status Directory::end_sessions(const std::string& principal, const std::string& by) {
  for (Credential& row : credentials(CredentialKind::kSession)) {
    if (row.principal != principal || is_over(row, clock_.now())) continue;
    if (Status status = end(std::move(row), clock_.now(), by, platform::kCredentialRevoked); !status.ok())
      return status;
  }
  return {};
}

Result<MadeCredential> Directory::begin_session(const std::string& principal, const std::string& label,
                                                std::chrono::seconds lasts, const std::string& at) {
  const std::lock_guard writing(writing_);
  std::vector<Credential> open;
  for (Credential& row : credentials(CredentialKind::kSession)) {
    if (row.principal == principal && !is_over(row, clock_.now())) open.push_back(std::move(row));
  }
  if (open.size() >= kMaxSessionsEach) {
    Status status = end(std::move(open.back()), clock_.now(), principal, platform::kSignedOut);
    if (!status.ok()) return fail(std::move(status));
  }
  Credential row;
  row.kind = CredentialKind::kSession;
  row.principal = principal;
  row.label = label.substr(0, kMaxLabelBytes);
  row.created_by = principal;
  row.expires_at = clock_.now() + std::min<std::chrono::seconds>(lasts, kSessionLength);
  Json detail = {{"from", row.label}};
  if (!at.empty()) detail["provider"] = at;
  return make(std::move(row), kSessionPrefix, said(principal, platform::kSignedIn, principal, detail));
}

void Directory::note_refusal(const std::string& name, const std::string& from) {
  // The name is whatever somebody typed, perhaps a password: one that is no name here is not kept.
  const bool is_name = principal(name).has_value();
  (void)store_.audit(said("", platform::kSignInRefused, is_name ? name : "", {{"from", from}}));
}

// Sessions that are over, and keys that have been for long.
void Directory::forget_dead() {
  const WallTime now = clock_.now();
  std::vector<std::string> gone;
  {
    const std::shared_lock lock(mutex_);
    for (const auto& [id, row] : credentials_) {
      const auto keep = row.kind == CredentialKind::kKey ? kKeepDeadKeys : std::chrono::hours(0);
      if (is_over(row, now - keep)) gone.push_back(id);
    }
  }
  if (gone.empty() || !store_.note_credentials({}, gone).ok()) return;  // another time
  const std::unique_lock lock(mutex_);
  for (const std::string& id : gone) {
    credentials_.erase(id);
    used_.erase(id);
  }
}

// ---- when they were used

void Directory::note_use(const std::string& id) {
  bool first = false;
  {
    const std::unique_lock lock(mutex_);
    const auto found = credentials_.find(id);
    if (found == credentials_.end()) return;
    found->second.used_at = clock_.now();
    first = used_.empty();
    used_.insert(id);
  }
  if (!first) return;
  writer_.post([self = self_] {
    const std::lock_guard lock(self->mutex);
    if (self->directory != nullptr) self->directory->write_uses();
  });
}

void Directory::write_uses() {
  const std::lock_guard writing(writing_);
  std::vector<Credential> rows;
  {
    const std::unique_lock lock(mutex_);
    for (const std::string& id : used_) {
      const auto found = credentials_.find(id);
      if (found != credentials_.end()) rows.push_back(found->second);
    }
    used_.clear();
  }
  (void)store_.note_credentials(rows, {});  // a store that fails says so to whoever changes something
}

}  // namespace holdfast::identity
