// Sealed values: what is sealed opens with its key and for what it was sealed, byte for byte, and in no other
// way; two of the same value have nothing in common.

#include <gtest/gtest.h>

#include "crypto/sealed.h"
#include "fixture/counting_random.h"

namespace holdfast::crypto {
namespace {

const std::string kKey(kSealKeyBytes, 'k');

TEST(Sealed, OpensAsItWasForEveryByte) {
  fixture::CountingRandom random;
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  for (const std::string& value : {std::string(), std::string("x"), all, std::string(65536, '\0')}) {
    const std::string sealed = seal(kKey, "shop", value, random);
    EXPECT_EQ(sealed.size(), value.size() + kSealedOverhead);
    EXPECT_EQ(unseal(kKey, "shop", sealed), value);
  }
}

TEST(Sealed, TwoOfTheSameHaveNothingInCommon) {
  fixture::CountingRandom random;
  const std::string value(64, 'v');
  const std::string one = seal(kKey, "shop", value, random);
  const std::string two = seal(kKey, "shop", value, random);
  EXPECT_NE(one.substr(0, 32), two.substr(0, 32));
  EXPECT_NE(one.substr(32, 16), two.substr(32, 16));
  EXPECT_EQ(one.find("vvvv"), std::string::npos);
}

TEST(Sealed, OpensInNoOtherWay) {
  fixture::CountingRandom random;
  const std::string sealed = seal(kKey, "shop/1", "the value", random);
  EXPECT_FALSE(unseal(std::string(kSealKeyBytes, 'o'), "shop/1", sealed)) << "another key";
  EXPECT_FALSE(unseal(kKey, "shop/2", sealed)) << "another place";
  EXPECT_FALSE(unseal(kKey, "", sealed));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string other = sealed;
    other[i] = static_cast<char>(other[i] ^ 1);
    EXPECT_FALSE(unseal(kKey, "shop/1", other)) << i;
    EXPECT_FALSE(unseal(kKey, "shop/1", sealed.substr(0, i))) << i;
  }
  EXPECT_FALSE(unseal(kKey, "shop/1", sealed + "x"));
}

}  // namespace
}  // namespace holdfast::crypto
