#include "oidc/key_set.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "base/base64.h"
#include "base/json.h"
#include "base/json_member.h"

namespace holdfast::oidc {

namespace {

using Json = nlohmann::json;
using crypto::JwsAlgorithm;
using crypto::JwsKey;

std::string_view name_of(JwsAlgorithm algorithm) {
  switch (algorithm) {
    case JwsAlgorithm::kRs256: return "RS256";
    case JwsAlgorithm::kEs256: return "ES256";
    case JwsAlgorithm::kEdDsa: return "EdDSA";
  }
  return "";
}

std::string bytes_of(const Json& key, const char* name) {
  return from_base64url(string_member(key, name)).value_or("");
}

std::optional<JwsKey> key_of(const Json& json) {
  const auto taken = [](Result<JwsKey> key) { return key ? std::optional(*std::move(key)) : std::nullopt; };
  const std::string type = string_member(json, "kty");
  const std::string curve = string_member(json, "crv");
  if (type == "RSA") return taken(JwsKey::rsa(bytes_of(json, "n"), bytes_of(json, "e")));
  if (type == "EC" && curve == "P-256") return taken(JwsKey::p256(bytes_of(json, "x"), bytes_of(json, "y")));
  if (type == "OKP" && curve == "Ed25519") return taken(JwsKey::ed25519(bytes_of(json, "x")));
  return std::nullopt;
}

bool is_for_signatures(const Json& json) {
  if (json.contains("use") && string_member(json, "use") != "sig") return false;
  const auto operations = json.find("key_ops");
  if (operations == json.end()) return true;
  return operations->is_array() &&
         std::find(operations->begin(), operations->end(), "verify") != operations->end();
}

}  // namespace

Result<KeySet> KeySet::parse(std::string_view text) {
  const Json json = text.size() <= kMaxKeySetBytes ? parse_json<Json>(text) : Json();
  if (!json.is_object() || !json.contains("keys") || !json["keys"].is_array())
    return fail(Code::kInvalidArgument, "that is no set of keys (a JWK set)");
  KeySet out;
  for (const Json& one : json["keys"]) {
    if (!one.is_object() || !is_for_signatures(one)) continue;
    auto key = key_of(one);
    if (!key) continue;
    if (one.contains("alg") && string_member(one, "alg") != name_of(key->algorithm())) continue;
    if (out.keys_.size() == kMaxKeySetKeys) break;
    out.keys_.push_back({string_member(one, "kid"), *std::move(key)});
  }
  return out;
}

const JwsKey* KeySet::find(std::string_view id, JwsAlgorithm algorithm) const {
  const JwsKey* only = nullptr;
  for (const Key& key : keys_) {
    if (key.key.algorithm() != algorithm) continue;
    if (!id.empty() && key.id == id) return &key.key;
    if (id.empty() && only != nullptr) return nullptr;
    only = &key.key;
  }
  return id.empty() ? only : nullptr;
}

}  // namespace holdfast::oidc
