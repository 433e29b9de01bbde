#include "crypto/sealed.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <array>
#include <memory>

#include "base/check.h"
#include "base/ids.h"

namespace holdfast::crypto {

namespace {

constexpr std::size_t kSaltBytes = 32;
constexpr std::size_t kTagBytes = 16;
static_assert(kSaltBytes + kTagBytes == kSealedOverhead);
constexpr std::string_view kPurpose = "holdfast stored secret v1";
// Of a key that seals one value.
constexpr std::array<unsigned char, 12> kNonce{};

struct Free {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
  void operator()(EVP_KDF* kdf) const { EVP_KDF_free(kdf); }
  void operator()(EVP_KDF_CTX* context) const { EVP_KDF_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, Free>;

struct OneKey {
  std::array<unsigned char, kSealKeyBytes> bytes{};
  OneKey() = default;
  OneKey(const OneKey&) = delete;
  OneKey& operator=(const OneKey&) = delete;
  ~OneKey() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

void derive(std::string_view key, std::string_view salt, OneKey& out) {
  HF_CHECK(key.size() == kSealKeyBytes);
  const std::unique_ptr<EVP_KDF, Free> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  HF_CHECK(kdf != nullptr);
  const std::unique_ptr<EVP_KDF_CTX, Free> context(EVP_KDF_CTX_new(kdf.get()));
  HF_CHECK(context != nullptr);
  std::string digest = "SHA256";
  std::string in(key);
  std::string with(salt);
  std::string purpose(kPurpose);
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, in.data(), in.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, with.data(), with.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, purpose.data(), purpose.size()),
      OSSL_PARAM_construct_end()};
  const int derived = EVP_KDF_derive(context.get(), out.bytes.data(), out.bytes.size(), parameters);
  OPENSSL_cleanse(in.data(), in.size());
  HF_CHECK(derived == 1);
}

int length_of(std::string_view text) {
  HF_CHECK(text.size() <= (64U << 20));  // callers bound values far below
  return static_cast<int>(text.size());
}

}  // namespace

std::string seal(std::string_view key, std::string_view context, std::string_view value, Random& random) {
  const std::string salt = random_bytes(random, kSaltBytes);
  OneKey one;
  derive(key, salt, one);
  const Cipher cipher(EVP_CIPHER_CTX_new());
  std::string out(value.size(), '\0');
  std::string tag(kTagBytes, '\0');
  int written = 0;
  unsigned char none[1];
  HF_CHECK(cipher != nullptr &&
           EVP_EncryptInit_ex(cipher.get(), EVP_chacha20_poly1305(), nullptr, one.bytes.data(),
                              kNonce.data()) == 1 &&
           EVP_EncryptUpdate(cipher.get(), nullptr, &written, bytes(context), length_of(context)) == 1 &&
           EVP_EncryptUpdate(cipher.get(), value.empty() ? none : bytes(out), &written, bytes(value),
                             length_of(value)) == 1 &&
           EVP_EncryptFinal_ex(cipher.get(), none, &written) == 1 &&
           EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes, tag.data()) == 1);
  return salt + out + tag;
}

std::optional<std::string> unseal(std::string_view key, std::string_view context, std::string_view sealed) {
  if (sealed.size() < kSealedOverhead) return std::nullopt;
  OneKey one;
  derive(key, sealed.substr(0, kSaltBytes), one);
  const std::string_view value = sealed.substr(kSaltBytes, sealed.size() - kSealedOverhead);
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  const Cipher cipher(EVP_CIPHER_CTX_new());
  std::string out(value.size(), '\0');
  int written = 0;
  unsigned char none[1];
  HF_CHECK(cipher != nullptr &&
           EVP_DecryptInit_ex(cipher.get(), EVP_chacha20_poly1305(), nullptr, one.bytes.data(),
                              kNonce.data()) == 1 &&
           EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag.data()) == 1);
  const bool opened =
      EVP_DecryptUpdate(cipher.get(), nullptr, &written, bytes(context), length_of(context)) == 1 &&
      EVP_DecryptUpdate(cipher.get(), value.empty() ? none : bytes(out), &written, bytes(value),
                        length_of(value)) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), none, &written) == 1;
  if (opened) return out;
  OPENSSL_cleanse(out.data(), out.size());
  return std::nullopt;
}

}  // namespace holdfast::crypto
