#pragma once

// SHA-256 of bytes, and the code by which who knows a key knows its own messages
// again (HMAC, RFC 2104). Pure.

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast {

// 32 bytes.
std::string sha256(std::string_view bytes);
// The same as 64 lower-case hex digits.
std::string sha256_hex(std::string_view bytes);
// Two lower-case hex digits a byte.
std::string hex_of(std::string_view bytes);

// The same of bytes that come in pieces. One owner.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void update(std::string_view bytes);
  // One of them, once, at the end. The first bits are those of the first byte.
  std::string hex();
  std::uint64_t first_64_bits();

 private:
  void* context_;  // EVP_MD_CTX
};

// 32 bytes.
std::string hmac_sha256(std::string_view key, std::string_view message);
// Takes as long whatever differs; for codes that somebody may try to guess.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace holdfast
