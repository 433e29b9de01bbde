#pragma once

// Signatures of Ed25519 (RFC 8032): whoever knows the public key sees that a message is from who has the
// seed. Deterministic and pure: nothing of it asks for randomness, so workflow code may verify.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::crypto {

inline constexpr std::size_t kSeedBytes = 32;
inline constexpr std::size_t kPublicKeyBytes = 32;
inline constexpr std::size_t kSignatureBytes = 64;

// `seed`: kSeedBytes out of a Random. The answers are bytes, not text.
std::string public_key_of(std::string_view seed);
std::string sign(std::string_view seed, std::string_view message);
// False for whatever is no signature of that message, of any length.
bool verify(std::string_view public_key, std::string_view message, std::string_view signature);

}  // namespace holdfast::crypto
