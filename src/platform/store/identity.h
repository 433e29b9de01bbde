#pragma once

// Who may use a server, as the platform store keeps it: principals, what they prove themselves with, and keys
// of the server's own. Of secrets the rows have hashes. What they mean is decided above
// (identity/directory.h).

#include <cstdint>
#include <optional>
#include <string>

#include "holdfast/seams.h"

namespace holdfast::platform {

enum class PrincipalKind : std::uint8_t { kPerson = 0, kService = 1 };

struct Principal {
  Principal() = default;
  std::string name;
  PrincipalKind kind = PrincipalKind::kPerson;
  std::string roles;     // JSON: namespace -> names of roles; "*": every namespace
  std::string password;  // argon2id, encoded; empty: none opens it
  bool disabled = false;
  std::string created_by;
  WallTime created_at{};
};

enum class CredentialKind : std::uint8_t { kKey = 0, kSession = 1 };

struct Credential {
  Credential() = default;
  std::string id;  // no secret: lists show it, and it finds the row
  CredentialKind kind = CredentialKind::kKey;
  std::string principal;
  std::string label;   // of a key, what it is for; of a session, the browser
  std::string sha256;  // of the secret
  std::string created_by;
  WallTime created_at{};
  std::optional<WallTime> expires_at;
  std::optional<WallTime> revoked_at;
  std::optional<WallTime> used_at;  // to the minute
};

inline constexpr std::string_view kSignedIn = "identity.signed_in";
inline constexpr std::string_view kSignInRefused = "identity.sign_in_refused";
inline constexpr std::string_view kSignedOut = "identity.signed_out";
inline constexpr std::string_view kPrincipalAdded = "identity.principal_added";
inline constexpr std::string_view kPrincipalChanged = "identity.principal_changed";
inline constexpr std::string_view kKeyCreated = "identity.key_created";
inline constexpr std::string_view kKeyRotated = "identity.key_rotated";
inline constexpr std::string_view kCredentialRevoked = "identity.credential_revoked";

}  // namespace holdfast::platform
