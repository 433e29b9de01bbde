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

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  out.reserve(digest.size() * 2);
  for (unsigned char byte : digest) {
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

namespace {

struct MacContextFree {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

// Fetching an algorithm costs OpenSSL more than the code of a short message: one context a thread, made once.
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
