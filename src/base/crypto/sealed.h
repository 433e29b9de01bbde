#pragma once

// Values that are stored and that nobody reads without the key: ChaCha20-Poly1305 (RFC 8439) under a key of
// each value's own, which HKDF-SHA256 derives from the given one and a fresh salt. So no nonce is used twice,
// however many values there are. What a value is sealed for (`context`: whose it is, which version) has to be
// said again to open it: a sealed value that is put in another's place does not open. Thread-safe.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "holdfast/seams.h"

namespace holdfast::crypto {

inline constexpr std::size_t kSealKeyBytes = 32;
inline constexpr std::size_t kSealedOverhead = 32 + 16;  // salt and tag

// `key`: kSealKeyBytes of the machine's entropy, as `random` is. The answer is bytes.
std::string seal(std::string_view key, std::string_view context, std::string_view value, Random& random);
// None: not of this key, not for this context, or changed since.
std::optional<std::string> unseal(std::string_view key, std::string_view context, std::string_view sealed);

}  // namespace holdfast::crypto
