#pragma once

// Directory: who may use this server, in memory as in the platform store: principals with their roles, and
// the keys and sessions by which they are known. A server alone writes its platform store, so what it holds
// is what is there: a call is judged without reading anything, and a change counts for the next call on.
//
// Owner: app. Thread-safe. Questions never block on anything but each other; changes block until they are
// durable. `writer` notes when keys were used, at its leisure. Store, clock, random and writer outlive it.
//
// Failures: UNAUTHENTICATED for a credential that does not hold, PERMISSION_DENIED for one that may not, and
// of changes INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION, RESOURCE_EXHAUSTED. None of
// them repeats a secret.

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "identity/roles.h"
#include "identity/secret.h"
#include "platform/identity_store.h"

namespace holdfast::identity {

inline constexpr std::size_t kMaxPrincipals = 10'000;
inline constexpr std::size_t kMaxCredentials = 50'000;
inline constexpr std::size_t kMaxSessionsEach = 50;  // beyond it the oldest ends
inline constexpr std::size_t kMaxNameLength = 100;
inline constexpr std::size_t kMinPasswordBytes = 10;
inline constexpr std::size_t kMaxPasswordBytes = 1024;
inline constexpr std::chrono::hours kSessionLength{24 * 7};
inline constexpr std::chrono::hours kSessionIdle{12};

// Who is calling.
struct Caller {
  enum class Kind : std::uint8_t {
    kNobody,       // showed nothing
    kLocal,        // a process of this machine, on a server that nobody has set up; or of the server's user
    kKey,          // a key
    kSession,      // a person who has signed in
    kCertificate,  // a client's certificate
    kUser,         // a user of this machine, over a Unix socket
  };
  Kind kind = Kind::kNobody;
  std::string name;        // the principal
  std::string credential;  // its id, where it has one
  // At an open server nobody is anybody: a request may say for whom it is made.
  bool speaks_for_others = false;
};

// What is changed; none: stays.
struct PrincipalChange {
  std::optional<Roles> roles;
  std::optional<bool> disabled;
  std::optional<std::string> password_hash;  // empty: none opens it any more
};

struct NewKey {
  std::string principal;
  std::string label;
  std::optional<WallTime> expires_at;
};

struct MadeCredential {
  platform::Credential row;
  std::string text;  // the secret: shown once
};

class Directory {
 public:
  static Result<std::unique_ptr<Directory>> open(platform::IdentityStore& store, const Clock& clock,
                                                 Random& random, Executor& writer);
  ~Directory();
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  // ---- who is it, and may he?

  Result<Caller> by_key(std::string_view text);
  Result<Caller> by_session(std::string_view text);
  Result<Caller> by_certificate(std::string_view name) const;
  // Of a user of this machine who is that principal.
  Result<Caller> by_user(std::string_view name) const;
  // With the roles of now: a credential that was revoked since, or whose roles were taken, does not pass.
  Status check(const Caller& caller, std::string_view namespace_name, Permission permission) const;
  Roles roles_of(const Caller& caller) const;
  // Which of these roles the caller has there, by their names; whoever is local has each.
  std::vector<std::string> roles_among(const Caller& caller, std::string_view namespace_name,
                                       const std::vector<std::string>& names) const;
  // Somebody can get in who may change who else does.
  bool has_admin() const;
  // Somebody could once. It stays so: the last key of an admin that expires opens nothing to others.
  bool is_set_up() const { return set_up_; }

  // ---- principals. `by`: who does it.

  std::optional<platform::Principal> principal(std::string_view name) const;
  std::vector<platform::Principal> principals() const;  // by name
  Result<platform::Principal> add(platform::Principal fresh, const Roles& roles, const std::string& by);
  // FAILED_PRECONDITION: nobody could change anything afterwards. Whoever is disabled, or gets another
  // password, is signed out everywhere.
  Result<platform::Principal> change(const std::string& name, const PrincipalChange& change,
                                     const std::string& by);

  // ---- keys and sessions

  std::vector<platform::Credential> credentials(platform::CredentialKind kind) const;  // newest first
  Result<MadeCredential> create_key(const NewKey& wanted, const std::string& by);
  // Another secret, under another id; the old one holds for `grace` more.
  Result<MadeCredential> rotate_key(const std::string& id, std::chrono::seconds grace, const std::string& by);
  Status revoke(const std::string& id, const std::string& by);
  // `lasts`: at most kSessionLength. `at`: the identity provider who knew him; empty: he has a password.
  Result<MadeCredential> begin_session(const std::string& principal, const std::string& label,
                                       std::chrono::seconds lasts = kSessionLength,
                                       const std::string& at = {});
  // Somebody tried a wrong password. Goes into the record.
  void note_refusal(const std::string& name, const std::string& from);

 private:
  struct Known {
    platform::Principal row;
    Roles roles;
  };
  using ById = std::map<std::string, platform::Credential, std::less<>>;

  Directory(platform::IdentityStore& store, const Clock& clock, Random& random, Executor& writer)
      : store_(store), clock_(clock), random_(random), writer_(writer) {
    self_->directory = this;
  }
  Status load();
  Result<Caller> by_secret(std::string_view prefix, platform::CredentialKind kind, std::string_view text);
  // Under mutex_.
  Status holds(const platform::Credential& row) const;
  const Known* known(std::string_view name) const;
  bool opens_as_admin(const Known& who, std::string_view without_credential) const;
  bool has_admin_besides(std::string_view principal, std::string_view credential) const;

  void note_use(const std::string& id);
  void write_uses();
  // Under writing_.
  Result<MadeCredential> make(platform::Credential row, std::string_view prefix,
                              const platform::AuditRow& said);
  Status end(platform::Credential row, WallTime at, const std::string& by, std::string_view action);
  Status end_sessions(const std::string& principal, const std::string& by);
  void forget_dead();
  Status note_set_up();

  platform::IdentityStore& store_;
  const Clock& clock_;
  Random& random_;
  Executor& writer_;
  std::mutex writing_;  // before mutex_
  mutable std::shared_mutex mutex_;
  std::map<std::string, Known, std::less<>> principals_;  // guarded by mutex_
  ById credentials_;                                      // guarded by mutex_
  std::set<std::string> used_;                            // guarded by mutex_: not written yet
  std::atomic<bool> set_up_ = false;
  // For jobs of the writer, which may come when the directory has gone.
  struct Self {
    std::mutex mutex;
    Directory* directory = nullptr;  // guarded by mutex
  };
  std::shared_ptr<Self> self_ = std::make_shared<Self>();
};

// Letters, digits and ". _ - @ +" : what stands in logs, URLs and lists. INVALID_ARGUMENT.
Status check_principal_name(std::string_view name);

}  // namespace holdfast::identity
