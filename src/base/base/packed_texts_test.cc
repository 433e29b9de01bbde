// Goal: texts come back as they were, and different ones are never the same bytes. Method: UUIDs, texts that
// nearly are, texts that could be taken for what stands between two.

#include "base/packed_texts.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

namespace holdfast {
namespace {

const std::string kUuid = "0190f2a4-5b6c-7d8e-9f01-23456789abcd";

using Three = std::array<std::string, 3>;

Three again(const Three& texts) {
  return PackedTexts(pack_texts({texts[0], texts[1], texts[2]})).texts<3>();
}

TEST(PackedTextsTest, ComeBackAsTheyWere) {
  std::string upper = kUuid;
  upper[3] = 'F';
  for (const Three& texts :
       {Three{kUuid, "order-1", kUuid}, Three{"", "", ""}, Three{upper, kUuid + "0", kUuid.substr(1)},
        Three{std::string("\0u\0", 3), std::string(1000, 'x'), "00000000-0000-0000-0000-000000000000"}}) {
    EXPECT_EQ(again(texts), texts);
  }
}

TEST(PackedTextsTest, OtherTextsAreOtherBytes) {
  const std::string sixteen = pack_texts({kUuid}).substr(1);
  std::set<std::string> all;
  for (const Three& texts :
       {Three{"ab", "c", ""}, Three{"a", "bc", ""}, Three{"a", "b", "c"}, Three{"", "ab", "c"},
        Three{kUuid, "", ""}, Three{sixteen, "", ""}, Three{"u" + sixteen, "", ""}}) {
    EXPECT_TRUE(all.insert(pack_texts({texts[0], texts[1], texts[2]})).second);
  }
}

TEST(PackedTextsTest, ThreeUuidsAreSmallerThanOneText) {
  EXPECT_LT(PackedTexts(pack_texts({kUuid, kUuid, kUuid})).size_in_memory(), 60u);
}

}  // namespace
}  // namespace holdfast
