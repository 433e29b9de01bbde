// What an identity provider sends: its keys (first line) and a token (the rest). Nobody is let in by a token whose
// signature no key of the set has made.

#include "fuzz.h"
#include "oidc/key_set.h"
#include "oidc/token.h"

namespace holdfast::oidc {

FUZZ(input) {
  const std::size_t line = std::min(input.find('\n'), input.size());
  const auto keys = KeySet::parse(input.substr(0, line));
  if (keys) REQUIRE(keys->size() <= kMaxKeySetKeys);
  const auto token = read_token(input.substr(std::min(line + 1, input.size())));
  if (!token) {
    REQUIRE(token.error().code() == Code::kUnauthenticated);
    return;
  }
  if (const crypto::JwsKey* key = keys ? keys->find(token->key_id, token->algorithm) : nullptr)
    REQUIRE(key->algorithm() == token->algorithm);
  const Status checked = check_claims(
      token->claims, {.issuer = "https://id.example", .client_id = "holdfast", .nonce = "n", .now = WallTime{}});
  REQUIRE(checked.ok() || checked.code() == Code::kUnauthenticated);
  if (checked.ok()) REQUIRE(!token->claims.at("sub").get<std::string>().empty());
}

}  // namespace holdfast::oidc
