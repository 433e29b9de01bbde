// ID tokens: one that is right passes with each algorithm, and every other is refused for a reason of its
// own. The keys are made here.

#include "oidc/token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "oidc/key_set.h"
#include "oidc/test_keys.h"

namespace holdfast::oidc {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

constexpr std::int64_t kNow = 1'700'000'000;

Json right() {
  return {{"iss", "https://id.example"}, {"aud", "holdfast"}, {"sub", "4711"},
          {"exp", kNow + 300},           {"iat", kNow},       {"nonce", "the nonce"}};
}

Expected expected() {
  return {.issuer = "https://id.example",
          .client_id = "holdfast",
          .nonce = "the nonce",
          .now = WallTime(std::chrono::seconds(kNow))};
}

KeySet published(std::initializer_list<const TestKey*> keys) {
  Json set = {{"keys", Json::array()}};
  for (const TestKey* key : keys) set["keys"].push_back(key->jwk());
  return *KeySet::parse(set.dump());
}

// All that is done with a token that comes.
Status judged(const std::string& text, const KeySet& keys) {
  const auto token = read_token(text);
  if (!token) return token.error();
  const auto* key = keys.find(token->key_id, token->algorithm);
  if (key == nullptr) return {Code::kNotFound, "no such key"};
  if (Status status = check_signature(*token, *key); !status.ok()) return status;
  return check_claims(token->claims, expected());
}

TEST(IdToken, PassesWithEachAlgorithm) {
  for (const char* algorithm : {"RS256", "ES256", "EdDSA"}) {
    const TestKey key(algorithm);
    for (int i = 0; i < 20; ++i) {  // r and s of ES256 have leading zeros now and then
      const Status status = judged(key.token(right()), published({&key}));
      EXPECT_TRUE(status.ok()) << algorithm << ": " << status.message();
    }
  }
}

TEST(IdToken, IsRefusedForEachClaimThatIsNotRight) {
  const TestKey key("EdDSA");
  const KeySet keys = published({&key});
  const auto with = [](const char* name, Json value) {
    Json out = right();
    out[name] = std::move(value);
    return out;
  };
  const auto without = [](const char* name) {
    Json out = right();
    out.erase(name);
    return out;
  };
  Json several = with("aud", {"holdfast", "other"});
  Json several_others = several;
  several_others["azp"] = "other";
  const std::pair<Json, const char*> wrong[] = {
      {with("iss", "https://other.example"), "another issuer"},
      {with("iss", "https://id.example/"), "another issuer"},
      {without("iss"), "another issuer"},
      {with("aud", "other"), "another client (aud)"},
      {with("aud", Json::array()), "another client (aud)"},
      {with("aud", 7), "another client (aud)"},
      {without("aud"), "another client (aud)"},
      {several, "does not say whose it is (azp)"},
      {several_others, "another client (azp)"},
      {with("azp", "other"), "another client (azp)"},
      {with("exp", kNow - 60), "has expired"},
      {with("exp", "soon"), "until when it holds (exp)"},
      {with("exp", -1), "until when it holds (exp)"},
      {with("exp", 1e300), "until when it holds (exp)"},
      {without("exp"), "until when it holds (exp)"},
      {with("iat", kNow + 61), "made in the future"},
      {with("iat", kNow - 661), "too long ago"},
      {without("iat"), "when it was made (iat)"},
      {with("nbf", kNow + 61), "does not hold yet (nbf)"},
      {with("nbf", "now"), "does not hold yet (nbf)"},
      {with("nonce", "another"), "(nonce)"},
      {with("nonce", ""), "(nonce)"},
      {without("nonce"), "(nonce)"},
      {with("sub", ""), "who it is (sub)"},
      {with("sub", 4711), "who it is (sub)"},
      {with("sub", std::string(256, 's')), "who it is (sub)"},
      {without("sub"), "who it is (sub)"},
  };
  for (const auto& [claims, why] : wrong) {
    const Status status = judged(key.token(claims), keys);
    EXPECT_EQ(status.code(), Code::kUnauthenticated) << claims.dump();
    EXPECT_THAT(status.message(), HasSubstr(why)) << claims.dump();
  }
}

TEST(IdToken, PassesWithinTheSkewOfClocksAndForOneOfSeveral) {
  const TestKey key("ES256");
  const KeySet keys = published({&key});
  Json claims = right();
  claims["exp"] = kNow - 59;
  claims["iat"] = kNow - 600;
  claims["nbf"] = kNow + 60;
  EXPECT_TRUE(judged(key.token(claims), keys).ok());
  claims = right();
  claims["aud"] = {"other", "holdfast"};
  claims["azp"] = "holdfast";
  claims["iat"] = kNow + 60.0;
  EXPECT_TRUE(judged(key.token(claims), keys).ok());
}

TEST(IdToken, IsRefusedForEachWayInWhichItIsNotSigned) {
  const TestKey rsa("RS256", "r");
  const TestKey ec("ES256", "e");
  const TestKey ed("EdDSA", "d");
  const TestKey stranger("RS256", "r");
  const KeySet keys = published({&rsa, &ec, &ed});
  const auto why = [&](const std::string& text) { return judged(text, keys).message(); };
  const std::string good = rsa.token(right());
  ASSERT_TRUE(judged(good, keys).ok());

  EXPECT_THAT(why(stranger.token(right())), HasSubstr("not signed by the provider"));
  // The algorithm is the key's, not the token's.
  EXPECT_THAT(why(rsa.token(Json{{"alg", "ES256"}, {"kid", "r"}}, right())), HasSubstr("no such key"));
  EXPECT_THAT(why(ed.token(Json{{"alg", "ES256"}, {"kid", "e"}}, right())), HasSubstr("not signed"));
  for (const char* algorithm : {"none", "None", "HS256", "HS512", "RS384", "PS256", "ES384", "", "rs256"}) {
    EXPECT_THAT(why(rsa.token(Json{{"alg", algorithm}, {"kid", "r"}}, right())),
                HasSubstr("RS256, ES256 and EdDSA are taken"))
        << algorithm;
  }
  EXPECT_THAT(why(rsa.token(Json{{"kid", "r"}}, right())), HasSubstr("are taken"));
  EXPECT_THAT(why(rsa.token(Json{{"alg", "RS256"}, {"kid", "r"}, {"crit", {"b64"}}}, right())),
              HasSubstr("crit"));
  EXPECT_THAT(why(rsa.token(Json{{"alg", "RS256"}, {"kid", "unknown"}}, right())), HasSubstr("no such key"));
  // Claims of one, signature of another.
  Json other = right();
  other["sub"] = "4712";
  const std::string mixed =
      rsa.token(other).substr(0, rsa.token(other).rfind('.')) + good.substr(good.rfind('.'));
  EXPECT_THAT(why(mixed), HasSubstr("not signed"));
  for (const std::string& broken :
       {std::string(), std::string("a.b"), std::string("a.b.c"), std::string("..."), good + ".x", good + "=",
        good.substr(0, good.rfind('.') + 1), "W10." + good.substr(good.find('.') + 1),
        std::string(kMaxTokenBytes + 1, 'a')}) {
    EXPECT_EQ(judged(broken, keys).code(), Code::kUnauthenticated) << broken.substr(0, 40);
  }
}

TEST(KeySet, HasWhatIsForSignaturesAndBigEnough) {
  const TestKey small("RS256", "small", 1024);
  const TestKey good("RS256", "good");
  const TestKey second("RS256", "second");
  const TestKey ec("ES256", "ec");
  Json for_encryption = good.jwk();
  for_encryption["use"] = "enc";
  for_encryption["kid"] = "enc";
  Json other_algorithm = good.jwk();
  other_algorithm["alg"] = "RS512";
  other_algorithm["kid"] = "rs512";
  Json off_curve = ec.jwk();
  off_curve["x"] = off_curve["y"];
  off_curve["kid"] = "off";
  Json operations = second.jwk();
  operations["key_ops"] = {"verify"};
  Json secret = {{"kty", "oct"}, {"kid", "oct"}, {"k", "c2VjcmV0"}};
  const Json set = {{"keys",
                     {small.jwk(), good.jwk(), for_encryption, other_algorithm, off_curve, operations, secret,
                      ec.jwk(), "text", nullptr}}};
  const auto keys = KeySet::parse(set.dump());
  ASSERT_TRUE(keys);
  EXPECT_EQ(keys->size(), 3u);
  EXPECT_NE(keys->find("good", crypto::JwsAlgorithm::kRs256), nullptr);
  EXPECT_EQ(keys->find("good", crypto::JwsAlgorithm::kEs256), nullptr);
  EXPECT_EQ(keys->find("", crypto::JwsAlgorithm::kRs256), nullptr) << "which of the two?";
  EXPECT_NE(keys->find("", crypto::JwsAlgorithm::kEs256), nullptr);
  for (const char* no : {"", "[]", "{}", "{\"keys\": 1}", "nonsense"}) EXPECT_FALSE(KeySet::parse(no)) << no;
}

}  // namespace
}  // namespace holdfast::oidc
