#pragma once

// Keys that tests make and sign with, as an identity provider does. Tests alone.

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/base64.h"
#include "base/json.h"

namespace holdfast::oidc {

class TestKey {
 public:
  // "RS256", "ES256", "EdDSA".
  explicit TestKey(std::string algorithm, std::string id = "k1", unsigned bits = 2048)
      : algorithm_(std::move(algorithm)), id_(std::move(id)), key_(made(algorithm_, bits), EVP_PKEY_free) {}

  const std::string& id() const { return id_; }

  nlohmann::json jwk() const {
    nlohmann::json out = {{"kid", id_}, {"use", "sig"}, {"alg", algorithm_}};
    if (algorithm_ == "RS256") {
      out["kty"] = "RSA";
      out["n"] = number(OSSL_PKEY_PARAM_RSA_N, 0);
      out["e"] = number(OSSL_PKEY_PARAM_RSA_E, 0);
    } else if (algorithm_ == "ES256") {
      out["kty"] = "EC";
      out["crv"] = "P-256";
      out["x"] = number(OSSL_PKEY_PARAM_EC_PUB_X, 32);
      out["y"] = number(OSSL_PKEY_PARAM_EC_PUB_Y, 32);
    } else {
      std::string raw(32, '\0');
      std::size_t length = raw.size();
      EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(raw.data()), &length);
      out["kty"] = "OKP";
      out["crv"] = "Ed25519";
      out["x"] = base64url(raw);
    }
    return out;
  }

  std::string token(const nlohmann::json& claims) const {
    return token(nlohmann::json{{"alg", algorithm_}, {"kid", id_}}, claims);
  }
  std::string token(const nlohmann::json& header, const nlohmann::json& claims) const {
    const std::string text = base64url(dump_json(header)) + "." + base64url(dump_json(claims));
    return text + "." + base64url(signature(text));
  }

 private:
  static EVP_PKEY* made(const std::string& algorithm, unsigned bits) {
    if (algorithm == "RS256") return EVP_RSA_gen(bits);
    if (algorithm == "ES256") return EVP_EC_gen("P-256");
    return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  }
  std::string number(const char* name, int width) const {
    BIGNUM* value = nullptr;
    EVP_PKEY_get_bn_param(key_.get(), name, &value);
    std::string out(static_cast<std::size_t>(width > 0 ? width : BN_num_bytes(value)), '\0');
    BN_bn2binpad(value, reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size()));
    BN_free(value);
    return base64url(out);
  }
  std::string signature(const std::string& text) const {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_DigestSignInit(context, nullptr, algorithm_ == "EdDSA" ? nullptr : EVP_sha256(), nullptr, key_.get());
    std::string out(1024, '\0');
    std::size_t length = out.size();
    EVP_DigestSign(context, reinterpret_cast<unsigned char*>(out.data()), &length,
                   reinterpret_cast<const unsigned char*>(text.data()), text.size());
    EVP_MD_CTX_free(context);
    out.resize(length);
    if (algorithm_ != "ES256") return out;
    const auto* der = reinterpret_cast<const unsigned char*>(out.data());
    ECDSA_SIG* parts = d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(out.size()));
    std::string raw(64, '\0');
    auto* into = reinterpret_cast<unsigned char*>(raw.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(parts), into, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(parts), into + 32, 32);
    ECDSA_SIG_free(parts);
    return raw;
  }

  std::string algorithm_;
  std::string id_;
  std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key_;
};

}  // namespace holdfast::oidc
