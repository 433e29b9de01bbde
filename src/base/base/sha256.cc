#include "base/sha256.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/sha.h>

#include <array>
#include <memory>

#include "base/check.h"

namespace holdfast {

namespace {

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

std::string_view bytes_of(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// Fetching an algorithm costs OpenSSL more than the hash of a short text, and EVP_sha256() is fetched anew by
// each hash that begins: once a process. Never freed.
const EVP_MD* algorithm() {
  static const EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  HF_CHECK(fetched != nullptr);
  return fetched;
}

struct DigestContextFree {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

}  // namespace

std::string sha256(std::string_view bytes) {
  thread_local const std::unique_ptr<EVP_MD_CTX, DigestContextFree> context(EVP_MD_CTX_new());
  Digest digest;
  HF_CHECK(context != nullptr && EVP_DigestInit_ex(context.get(), algorithm(), nullptr) == 1 &&
           EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1 &&
           EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1);
  return std::string(bytes_of(digest));
}

std::string sha256_hex(std::string_view bytes) {
  return hex_of(sha256(bytes));
}

std::string hex_of(std::string_view bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  HF_CHECK(context_ != nullptr &&
           EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_), algorithm(), nullptr) == 1);
}

Sha256::~Sha256() {
  EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_));
}

void Sha256::update(std::string_view bytes) {
  HF_CHECK(EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), bytes.data(), bytes.size()) == 1);
}

namespace {

Digest digest_of(void* context) {
  Digest digest;
  HF_CHECK(EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context), digest.data(), nullptr) == 1);
  return digest;
}

}  // namespace

std::string Sha256::hex() {
  return hex_of(bytes_of(digest_of(context_)));
}

std::uint64_t Sha256::first_64_bits() {
  const Digest digest = digest_of(context_);
  std::uint64_t bits = 0;
  for (int i = 0; i < 8; ++i) bits = bits << 8 | digest[static_cast<std::size_t>(i)];
  return bits;
}

namespace {

struct MacContextFree {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

// As with the hash: one context a thread, made once.
EVP_MAC_CTX* hmac_context() {
  thread_local const std::unique_ptr<EVP_MAC_CTX, MacContextFree> context = [] {
    EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    std::unique_ptr<EVP_MAC_CTX, MacContextFree> made(EVP_MAC_CTX_new(mac));
    EVP_MAC_free(mac);  // the context holds it
    std::string digest = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), digest.size()),
        OSSL_PARAM_construct_end()};
    HF_CHECK(made != nullptr && EVP_MAC_CTX_set_params(made.get(), parameters) == 1);
    return made;
  }();
  return context.get();
}

}  // namespace

std::string hmac_sha256(std::string_view key, std::string_view message) {
  EVP_MAC_CTX* context = hmac_context();
  // For a null pointer, OpenSSL would take the key of the call before.
  const char* bytes_of_key = key.empty() ? "" : key.data();
  std::array<unsigned char, SHA256_DIGEST_LENGTH> code;
  std::size_t length = 0;
  HF_CHECK(
      EVP_MAC_init(context, reinterpret_cast<const unsigned char*>(bytes_of_key), key.size(), nullptr) == 1 &&
      EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(message.data()), message.size()) == 1 &&
      EVP_MAC_final(context, code.data(), &length, code.size()) == 1 && length == code.size());
  return std::string(code.begin(), code.end());
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace holdfast
