// Signatures and passwords: what is true of the right ones, and that everything else is refused. The vectors
// are RFC 8032's.

#include <gtest/gtest.h>

#include "crypto/ed25519.h"
#include "crypto/password.h"
#include "fixture/counting_random.h"

namespace holdfast::crypto {
namespace {

std::string unhex(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    out.push_back(static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  return out;
}

// RFC 8032, section 7.1, test 3.
constexpr std::string_view kSeed = "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7";
constexpr std::string_view kPublic = "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025";
constexpr std::string_view kMessage = "af82";
constexpr std::string_view kSignature =
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a";

TEST(Ed25519, IsRfc8032s) {
  EXPECT_EQ(public_key_of(unhex(kSeed)), unhex(kPublic));
  EXPECT_EQ(sign(unhex(kSeed), unhex(kMessage)), unhex(kSignature));
  EXPECT_TRUE(verify(unhex(kPublic), unhex(kMessage), unhex(kSignature)));
}

TEST(Ed25519, RefusesWhatIsNotSigned) {
  const std::string seed(kSeedBytes, 's');
  const std::string key = public_key_of(seed);
  const std::string signature = sign(seed, "approve");
  EXPECT_TRUE(verify(key, "approve", signature));
  EXPECT_FALSE(verify(key, "reject", signature));
  EXPECT_FALSE(verify(public_key_of(std::string(kSeedBytes, 't')), "approve", signature));
  EXPECT_FALSE(verify(key, "approve", ""));
  EXPECT_FALSE(verify(key, "approve", signature.substr(1)));
  EXPECT_FALSE(verify("", "approve", signature));
  for (std::size_t i = 0; i < signature.size(); i += 7) {
    std::string other = signature;
    other[i] = static_cast<char>(other[i] ^ 1);
    EXPECT_FALSE(verify(key, "approve", other)) << i;
  }
}

TEST(Password, IsKnownAgainAndNothingElseIs) {
  fixture::CountingRandom random;
  const std::string encoded = hash_password("correct horse", random);
  EXPECT_EQ(encoded.substr(0, 10), "$argon2id$");
  EXPECT_EQ(encoded.find("horse"), std::string::npos);
  EXPECT_NE(encoded, hash_password("correct horse", random)) << "each has a salt of its own";
  EXPECT_TRUE(password_matches(encoded, "correct horse"));
  EXPECT_FALSE(password_matches(encoded, "correct horsf"));
  EXPECT_FALSE(password_matches(encoded, ""));
  EXPECT_FALSE(password_matches("", ""));
  EXPECT_FALSE(password_matches("correct horse", "correct horse"));
  EXPECT_FALSE(password_matches("$argon2id$v=19$m=4294967295,t=9,p=1$", "x"));
}

}  // namespace
}  // namespace holdfast::crypto
