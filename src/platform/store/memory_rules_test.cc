// Goal: what is searched for is found whatever the script, and what is found first fits best. Method: the
// pure rules.

#include <gmock/gmock.h>

#include "platform/memory_rules.h"

namespace holdfast::platform::rules {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(MemoryRules, TermsAreWordsInLowerCaseAndSignsThatStandAlone) {
  EXPECT_THAT(query_terms("Order-1042: \xc3\x9c"
                          "BER, \xce\x91\xce\x92\xce\x93 \xd0\x9c\xd0\xb8\xd1\x80!"),
              ElementsAre("order", "1042",
                          "\xc3\xbc"
                          "ber",
                          "\xce\xb1\xce\xb2\xce\xb3", "\xd0\xbc\xd0\xb8\xd1\x80"));
  EXPECT_THAT(query_terms("\xe7\xb7\x91\xe8\x8c\xb6 tea"),
              ElementsAre("\xe7\xb7\x91", "\xe8\x8c\xb6", "tea"));
  EXPECT_THAT(query_terms("tea TEA Tea"), ElementsAre("tea"));
  EXPECT_THAT(query_terms(" .,;- "), IsEmpty());
  EXPECT_THAT(query_terms(std::string(500, 'x')), IsEmpty()) << "no word is that long";
  EXPECT_THAT(query_terms("broken \xff\xfe bytes"), ElementsAre("broken", "bytes"));
}

TEST(MemoryRules, ATextOfManyWordsIsFoundByTheFirstOnes) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "w" + std::to_string(i) + " ";
  EXPECT_EQ(terms_of(text).size(), kMaxMemoryTerms);
  EXPECT_EQ(terms_of("a b a a").at("a"), 3);
}

TEST(MemoryRules, RareTermsCountMoreThanCommonOnes) {
  const std::vector<std::vector<TermHit>> hits = {
      {{"parcel", "a", 1}, {"parcel", "b", 1}, {"parcel", "c", 1}},
      {{"lost", "c", 1}},
      {{"refunded", "b", 1}},
  };
  EXPECT_THAT(rank({"parcel", "lost", "refund"}, hits, 3, 10), ElementsAre("c", "b", "a"));
  EXPECT_THAT(rank({"parcel", "lost", "refund"}, hits, 3, 1), ElementsAre("c"));
}

}  // namespace
}  // namespace holdfast::platform::rules
