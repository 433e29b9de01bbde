#pragma once

// ID tokens of an identity provider (OpenID Connect Core, section 3.1.3.7): read, signature checked with a
// key of the provider's, then each claim that says for whom, by whom and until when. Pure: keys and time are
// arguments. Every refusal is UNAUTHENTICATED with a reason of its own, and repeats nothing of the token but
// what names a place or an algorithm.

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "crypto/jws_key.h"
#include "holdfast/seams.h"
#include "holdfast/status.h"

namespace holdfast::oidc {

inline constexpr std::size_t kMaxTokenBytes = 64 << 10;
inline constexpr std::size_t kMaxSubjectBytes = 255;
// Clocks that differ by so much are the same.
inline constexpr std::chrono::seconds kClockSkew{60};
// A token is used when it comes: one that says it was made long ago was kept by somebody.
inline constexpr std::chrono::seconds kOldestToken{600};

struct IdToken {
  crypto::JwsAlgorithm algorithm = crypto::JwsAlgorithm::kRs256;
  std::string key_id;
  nlohmann::json claims;
  std::string signed_text;
  std::string signature;
};

// What has to be true of a token that is for us.
struct Expected {
  std::string issuer;
  std::string client_id;
  std::string nonce;
  WallTime now{};
};

// Compact JWS. Refused here: what is none, `alg` other than RS256, ES256 and EdDSA (none and shared secrets
// among them), and headers that demand what we do not know (`crit`).
Result<IdToken> read_token(std::string_view text);
Status check_signature(const IdToken& token, const crypto::JwsKey& key);
Status check_claims(const nlohmann::json& claims, const Expected& expected);

}  // namespace holdfast::oidc
