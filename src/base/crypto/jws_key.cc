#include "crypto/jws_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <string>

#include "crypto/ed25519.h"

namespace holdfast::crypto {

namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(OSSL_PARAM_BLD* build) const { OSSL_PARAM_BLD_free(build); }
  void operator()(OSSL_PARAM* parameters) const { OSSL_PARAM_free(parameters); }
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

constexpr std::size_t kP256Bytes = 32;

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Owned<BIGNUM> number(std::string_view big_endian) {
  return Owned<BIGNUM>(BN_bin2bn(bytes(big_endian), static_cast<int>(big_endian.size()), nullptr));
}

Owned<EVP_PKEY> from_parameters(const char* type, OSSL_PARAM_BLD* build) {
  const Owned<OSSL_PARAM> parameters(OSSL_PARAM_BLD_to_param(build));
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (parameters == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    EVP_PKEY_free(key);
    return nullptr;
  }
  Owned<EVP_PKEY> out(key);
  const Owned<EVP_PKEY_CTX> check(EVP_PKEY_CTX_new_from_pkey(nullptr, out.get(), nullptr));
  return check != nullptr && EVP_PKEY_public_check(check.get()) == 1 ? std::move(out) : nullptr;
}

// r and s, 32 bytes each, as DER has them.
std::string der_of(std::string_view signature) {
  const Owned<ECDSA_SIG> made(ECDSA_SIG_new());
  Owned<BIGNUM> r = number(signature.substr(0, kP256Bytes));
  Owned<BIGNUM> s = number(signature.substr(kP256Bytes));
  if (made == nullptr || r == nullptr || s == nullptr) return {};
  if (ECDSA_SIG_set0(made.get(), r.get(), s.get()) != 1) return {};
  (void)r.release();
  (void)s.release();
  unsigned char* out = nullptr;
  const int length = i2d_ECDSA_SIG(made.get(), &out);
  std::string der(reinterpret_cast<const char*>(out), length > 0 ? static_cast<std::size_t>(length) : 0);
  OPENSSL_free(out);
  return der;
}

std::unexpected<Status> no_key(std::string_view kind) {
  return fail(Code::kInvalidArgument, "that is no public key of " + std::string(kind));
}

}  // namespace

struct JwsKey::Key {
  Owned<EVP_PKEY> pkey;
};

Result<JwsKey> JwsKey::rsa(std::string_view modulus, std::string_view exponent) {
  while (modulus.starts_with('\0')) modulus.remove_prefix(1);
  while (exponent.starts_with('\0')) exponent.remove_prefix(1);
  if (modulus.size() > kMaxRsaBits / 8 || exponent.empty() || exponent.size() > 8) return no_key("RSA");
  const Owned<BIGNUM> n = number(modulus);
  const Owned<BIGNUM> e = number(exponent);
  const Owned<OSSL_PARAM_BLD> build(OSSL_PARAM_BLD_new());
  if (n == nullptr || e == nullptr || build == nullptr) return no_key("RSA");
  if (static_cast<std::size_t>(BN_num_bits(n.get())) < kMinRsaBits)
    return fail(Code::kInvalidArgument, "a key of RSA has at least " + std::to_string(kMinRsaBits) + " bits");
  if (OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
    return no_key("RSA");
  auto key = std::make_shared<Key>(from_parameters("RSA", build.get()));
  if (key->pkey == nullptr) return no_key("RSA");
  return JwsKey(JwsAlgorithm::kRs256, std::move(key));
}

Result<JwsKey> JwsKey::p256(std::string_view x, std::string_view y) {
  if (x.size() != kP256Bytes || y.size() != kP256Bytes) return no_key("P-256");
  const std::string point = '\x04' + std::string(x) + std::string(y);
  const Owned<OSSL_PARAM_BLD> build(OSSL_PARAM_BLD_new());
  if (build == nullptr ||
      OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1)
    return no_key("P-256");
  auto key = std::make_shared<Key>(from_parameters("EC", build.get()));
  if (key->pkey == nullptr) return no_key("P-256");
  return JwsKey(JwsAlgorithm::kEs256, std::move(key));
}

Result<JwsKey> JwsKey::ed25519(std::string_view x) {
  if (x.size() != kPublicKeyBytes) return no_key("Ed25519");
  auto key = std::make_shared<Key>(
      Owned<EVP_PKEY>(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes(x), x.size())));
  if (key->pkey == nullptr) return no_key("Ed25519");
  return JwsKey(JwsAlgorithm::kEdDsa, std::move(key));
}

bool JwsKey::verify(std::string_view message, std::string_view signature) const {
  std::string der;
  if (algorithm_ == JwsAlgorithm::kEs256) {
    if (signature.size() != 2 * kP256Bytes) return false;
    der = der_of(signature);
    signature = der;
  }
  const EVP_MD* digest = algorithm_ == JwsAlgorithm::kEdDsa ? nullptr : EVP_sha256();
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  return context != nullptr && !signature.empty() &&
         EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key_->pkey.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(message),
                          message.size()) == 1;
}

}  // namespace holdfast::crypto
