#include "identity/sign_in.h"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/password.h"

namespace holdfast::identity {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kBusy{1000};
constexpr milliseconds kCheckWithin{2000};

SignedIn refused(Code code, std::string why, milliseconds retry_after = {}) {
  return {.status = Status(code, std::move(why)), .made = std::nullopt, .retry_after = retry_after};
}

SignedIn too_many(milliseconds wait) {
  return refused(Code::kResourceExhausted,
                 fmt::format("too many attempts failed: try again in {} s",
                             std::chrono::ceil<std::chrono::seconds>(wait).count()),
                 wait);
}

SignedIn busy() {
  return refused(Code::kResourceExhausted, "others are signing in: try again in a moment", kBusy);
}

template <typename Semaphore>
class Turn {
 public:
  explicit Turn(Semaphore& semaphore)
      : semaphore_(semaphore), taken_(semaphore.try_acquire_for(kCheckWithin)) {}
  ~Turn() {
    if (taken_) semaphore_.release();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  explicit operator bool() const { return taken_; }

 private:
  Semaphore& semaphore_;
  const bool taken_;
};

}  // namespace

milliseconds SignIn::pause(const std::string& name, const std::string& from) {
  const std::lock_guard lock(mutex_);
  const MonotonicTime now = clock_.monotonic();
  return std::max(by_address_.pause(from, now), by_name_.pause(name, now));
}

void SignIn::count(const std::string& name, const std::string& from, bool succeeded) {
  const std::lock_guard lock(mutex_);
  // An address is not cleared by a success: whoever has one account could try all others for ever.
  if (succeeded) return by_name_.succeeded(name);
  by_name_.failed(name, clock_.monotonic());
  by_address_.failed(from, clock_.monotonic());
}

SignedIn SignIn::sign_in(const std::string& name, const std::string& password, const std::string& from,
                         const std::string& label) {
  if (const milliseconds wait = pause(name, from); wait.count() > 0) return too_many(wait);
  if (name.size() > kMaxNameLength || password.size() > kMaxPasswordBytes)
    return refused(Code::kUnauthenticated, "name or password is wrong");
  const Turn turn(checks_);
  if (!turn) return busy();
  std::call_once(decoy_made_, [&] { decoy_ = crypto::hash_password("a password of nobody", random_); });
  const auto who = directory_.principal(name);
  const bool can = who && !who->disabled && !who->password.empty();
  const bool matches = crypto::password_matches(can ? who->password : decoy_, password);
  if (!can || !matches) {
    count(name, from, false);
    directory_.note_refusal(name, from);
    return refused(Code::kUnauthenticated, "name or password is wrong");
  }
  auto made = directory_.begin_session(name, label);
  if (!made) return {.status = made.error(), .made = std::nullopt, .retry_after = {}};
  count(name, from, true);
  return {.status = {}, .made = *std::move(made), .retry_after = {}};
}

std::string SignIn::begin_set_up() {
  const Secret secret = new_secret(random_);
  const std::lock_guard lock(mutex_);
  set_up_hash_ = secret_hash(secret);
  return secret_text(kSetupPrefix, secret);
}

SignedIn SignIn::set_up(const std::string& token, const std::string& name, const std::string& password,
                        const std::string& from, const std::string& label) {
  if (const milliseconds wait = pause("", from); wait.count() > 0) return too_many(wait);
  const auto shown = parse_secret(kSetupPrefix, token);
  {
    const std::lock_guard lock(mutex_);
    if (!shown || !set_up_hash_ || !is_secret_of(*shown, *set_up_hash_) || directory_.has_admin()) {
      by_address_.failed(from, clock_.monotonic());
      return refused(Code::kUnauthenticated,
                     "this is not the token that the server printed at its start, or it was used");
    }
  }
  platform::Principal admin;
  admin.name = name;
  if (Status status = check_principal_name(name); !status.ok()) return {.status = status, .made = {}};
  auto hashed = hash(password);
  if (!hashed) return {.status = hashed.error(), .made = {}};
  admin.password = *std::move(hashed);
  auto added = directory_.add(std::move(admin), Roles::all(), "set-up");
  if (!added) return {.status = added.error(), .made = {}};
  {
    const std::lock_guard lock(mutex_);
    set_up_hash_.reset();
  }
  auto made = directory_.begin_session(name, label);
  if (!made) return {.status = made.error(), .made = {}};
  return {.status = {}, .made = *std::move(made), .retry_after = {}};
}

Result<std::string> SignIn::hash(const std::string& password) {
  if (password.size() < kMinPasswordBytes || password.size() > kMaxPasswordBytes) {
    return fail(Code::kInvalidArgument,
                fmt::format("a password has {} to {} bytes", kMinPasswordBytes, kMaxPasswordBytes));
  }
  const Turn turn(checks_);
  if (!turn) return fail(busy().status);
  return crypto::hash_password(password, random_);
}

}  // namespace holdfast::identity
