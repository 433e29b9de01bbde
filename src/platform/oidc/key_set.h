#pragma once

// KeySet: the public keys of an identity provider (a JWK set, RFC 7517) that sign tokens we know how to
// check. What is for something else (encryption, other kinds of keys) is left out. Immutable; any thread.

#include <string>
#include <string_view>
#include <vector>

#include "crypto/jws_key.h"
#include "holdfast/status.h"

namespace holdfast::oidc {

inline constexpr std::size_t kMaxKeySetBytes = 256 << 10;
inline constexpr std::size_t kMaxKeySetKeys = 100;

class KeySet {
 public:
  KeySet() = default;
  // INVALID_ARGUMENT: it is no set of keys.
  static Result<KeySet> parse(std::string_view json);

  // The key of that id which is for this algorithm; without an id, the only one that is. Null: there is none.
  const crypto::JwsKey* find(std::string_view id, crypto::JwsAlgorithm algorithm) const;
  std::size_t size() const { return keys_.size(); }

 private:
  struct Key {
    std::string id;
    crypto::JwsKey key;
  };
  std::vector<Key> keys_;
};

}  // namespace holdfast::oidc
