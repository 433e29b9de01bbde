// Percent-encoding: any bytes come back as they went, and nothing that separates parts of a URL passes.

#include "base/url.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

TEST(Url, EncodesEverythingThatIsNotUnreserved) {
  EXPECT_EQ(percent_encode("aZ09-_.~"), "aZ09-_.~");
  EXPECT_EQ(percent_encode("a b/c?d=e&f+g%"), "a%20b%2Fc%3Fd%3De%26f%2Bg%25");
  EXPECT_EQ(percent_encode("ü"), "%C3%BC");
}

TEST(Url, AnyBytesComeBack) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  EXPECT_EQ(percent_decode(percent_encode(all), false), all);
  EXPECT_EQ(percent_decode(percent_encode(all), true), all);
}

TEST(Url, APlusIsASpaceInQueriesAlone) {
  EXPECT_EQ(percent_decode("a%20b+c", false), "a b+c");
  EXPECT_EQ(percent_decode("a%20b+c", true), "a b c");
  EXPECT_EQ(percent_decode("%c3%BC", false), "ü");
}

TEST(Url, ABrokenEscapeIsNone) {
  for (const char* broken : {"%", "a%2", "%zz", "%2z", "%-1"}) {
    EXPECT_EQ(percent_decode(broken, false), std::nullopt) << broken;
  }
}

}  // namespace
}  // namespace holdfast
