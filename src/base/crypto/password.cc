#include "crypto/password.h"

#include <argon2.h>

#include <array>
#include <cstring>

#include "base/check.h"

namespace holdfast::crypto {

namespace {

constexpr std::uint32_t kPasses = 2;
constexpr std::uint32_t kLanes = 1;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;
// An encoded hash names its own costs: one that asks for more than this is none of ours.
constexpr std::size_t kMaxEncodedBytes = 256;

}  // namespace

std::string hash_password(std::string_view password, Random& random) {
  std::array<std::uint8_t, kSaltBytes> salt;
  random.fill(salt);
  constexpr std::uint32_t kKibibytes = kPasswordMemory >> 10;
  std::string out(argon2_encodedlen(kPasses, kKibibytes, kLanes, kSaltBytes, kHashBytes, Argon2_id), '\0');
  const int failed = argon2id_hash_encoded(kPasses, kKibibytes, kLanes, password.data(), password.size(),
                                           salt.data(), salt.size(), kHashBytes, out.data(), out.size());
  HF_CHECK(failed == ARGON2_OK);
  out.resize(std::strlen(out.c_str()));
  return out;
}

bool password_matches(std::string_view encoded, std::string_view password) {
  if (encoded.empty() || encoded.size() > kMaxEncodedBytes) return false;
  return argon2id_verify(std::string(encoded).c_str(), password.data(), password.size()) == ARGON2_OK;
}

}  // namespace holdfast::crypto
