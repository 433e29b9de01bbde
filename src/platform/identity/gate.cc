#include "identity/gate.h"

#include <fmt/format.h>

#include "base/sha256.h"

namespace holdfast::identity {

namespace {

constexpr std::string_view kBearer = "bearer ";

// Of "Bearer KEY"; none: another scheme. Its name is written in any case (RFC 9110, section 11.1).
std::optional<std::string_view> bearer(std::string_view authorization) {
  if (authorization.size() <= kBearer.size()) return std::nullopt;
  for (std::size_t i = 0; i < kBearer.size(); ++i) {
    const char c = authorization[i];
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (lower != kBearer[i]) return std::nullopt;
  }
  std::string_view rest = authorization.substr(kBearer.size());
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  while (!rest.empty() && rest.back() == ' ') rest.remove_suffix(1);
  return rest;
}

}  // namespace

Caller Gate::local(std::string credential) const {
  return {.kind = Caller::Kind::kLocal,
          .name = std::string(kLocalName),
          .credential = std::move(credential),
          .speaks_for_others = is_open()};
}

Result<Caller> Gate::admit(const Shown& shown) const {
  if (!shown.authorization.empty()) {
    const auto key = bearer(shown.authorization);
    if (!key) return fail(Code::kUnauthenticated, "the credential is sent as Authorization: Bearer KEY");
    if (!local_key_.empty() && equal_in_constant_time(*key, local_key_))
      return local(std::string(kLocalPrefix));
    return directory_.by_key(*key);
  }
  if (!shown.session.empty()) {
    auto session = directory_.by_session(shown.session);
    if (session) return session;
  }
  if (!shown.certificate.empty()) {
    auto certificate = directory_.by_certificate(shown.certificate);
    if (certificate || !is_open()) return certificate;
  }
  if (shown.user) return admit_user(*shown.user);
  return is_open() ? local("") : Caller{};
}

// The open gate is no way in here: a socket's file may let in whom loopback would not.
Result<Caller> Gate::admit_user(std::uint32_t user) const {
  if (users_.own && (user == 0 || user == *users_.own)) return local(std::string(kLocalPrefix));
  if (const auto found = users_.principals.find(user); found != users_.principals.end())
    return directory_.by_user(found->second);
  return fail(
      Code::kUnauthenticated,
      fmt::format(
          "user {} of this machine is nobody here: --socket-user {}=NAME says who he is; or send a key", user,
          user));
}

Status Gate::check(const Caller& caller, std::string_view namespace_name, Permission permission) const {
  // Whoever was let in because nobody had set the server up stays in only until somebody does.
  if (caller.kind == Caller::Kind::kLocal && caller.credential.empty() && !is_open())
    return directory_.check(Caller{}, namespace_name, permission);
  return directory_.check(caller, namespace_name, permission);
}

}  // namespace holdfast::identity
