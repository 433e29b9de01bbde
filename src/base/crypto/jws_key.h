#pragma once

// Public keys of others, and the signatures of tokens made with them (RFC 7518, RFC 8037): RS256, ES256 and
// EdDSA with Ed25519. Nothing else is known here: no shared secrets, no `none`, no SHA-1. A key is good for
// one algorithm alone. Immutable; any thread.

#include <cstdint>
#include <memory>
#include <string_view>

#include "holdfast/status.h"

namespace holdfast::crypto {

enum class JwsAlgorithm : std::uint8_t { kRs256, kEs256, kEdDsa };

inline constexpr std::size_t kMinRsaBits = 2048;
inline constexpr std::size_t kMaxRsaBits = 8192;  // a larger one costs whoever checks, not whoever signs

class JwsKey {
 public:
  // Of bytes, big-endian. INVALID_ARGUMENT: there is no such key, or it is too small to trust.
  static Result<JwsKey> rsa(std::string_view modulus, std::string_view exponent);
  static Result<JwsKey> p256(std::string_view x, std::string_view y);
  static Result<JwsKey> ed25519(std::string_view x);

  JwsAlgorithm algorithm() const { return algorithm_; }
  // False for whatever is no signature of that message, of any length.
  bool verify(std::string_view message, std::string_view signature) const;

 private:
  struct Key;
  JwsKey(JwsAlgorithm algorithm, std::shared_ptr<const Key> key)
      : algorithm_(algorithm), key_(std::move(key)) {}
  JwsAlgorithm algorithm_;
  std::shared_ptr<const Key> key_;
};

}  // namespace holdfast::crypto
