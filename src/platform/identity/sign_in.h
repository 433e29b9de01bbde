#pragma once

// SignIn: people and their passwords. A wrong password and an unknown name are told alike and take as long;
// whoever fails often waits, by where he comes from and by whose name he tries. At most kChecksAtOnce
// passwords are looked at at a time, since each takes memory and a core for some tens of milliseconds.
//
// Owner: app. Thread-safe; calls block. Directory, clock and random outlive it.

#include <chrono>
#include <mutex>
#include <optional>
#include <semaphore>
#include <string>

#include "identity/directory.h"
#include "identity/throttle.h"

namespace holdfast::identity {

inline constexpr std::ptrdiff_t kChecksAtOnce = 2;

struct SignedIn {
  Status status;                       // RESOURCE_EXHAUSTED: `retry_after` says when
  std::optional<MadeCredential> made;  // a session
  std::chrono::milliseconds retry_after{};
};

class SignIn {
 public:
  SignIn(Directory& directory, const Clock& clock, Random& random)
      : directory_(directory), clock_(clock), random_(random) {}

  // `from`: the address of who asks; `label`: what he says he is, a browser.
  SignedIn sign_in(const std::string& name, const std::string& password, const std::string& from,
                   const std::string& label);

  // A token with which the first admin is made, once; a later one takes its place. The caller shows it to
  // whoever started the server, and to nobody else.
  std::string begin_set_up();
  // UNAUTHENTICATED: it is not that token, or was used.
  SignedIn set_up(const std::string& token, const std::string& name, const std::string& password,
                  const std::string& from, const std::string& label);

  // INVALID_ARGUMENT: too short, too long. Takes as long as a check.
  Result<std::string> hash(const std::string& password);

 private:
  std::chrono::milliseconds pause(const std::string& name, const std::string& from);
  void count(const std::string& name, const std::string& from, bool succeeded);

  Directory& directory_;
  const Clock& clock_;
  Random& random_;
  std::counting_semaphore<kChecksAtOnce> checks_{kChecksAtOnce};
  std::mutex mutex_;
  // Many may share an address, and nobody shall lock another out by trying his name: one waits long, the
  // other shortly.
  Throttle by_address_{
      {.free_failures = 10, .longest_pause = std::chrono::seconds(900)}};              // guarded by mutex_
  Throttle by_name_{{.free_failures = 5, .longest_pause = std::chrono::seconds(30)}};  // guarded by mutex_
  std::optional<std::string> set_up_hash_;                                             // guarded by mutex_
  std::once_flag decoy_made_;
  std::string decoy_;  // what an unknown name's password is compared with
};

}  // namespace holdfast::identity
