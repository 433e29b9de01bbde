// Goal: a list is taken apart as it is written, so that numbers and texts stay as they are.

#include "perform/parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"

#include <random>

namespace holdfast::flows {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Elements, AreTheTextThatStandsThere) {
  EXPECT_THAT(elements_of("[]"), IsEmpty());
  EXPECT_THAT(elements_of(" [ ] "), IsEmpty());
  EXPECT_THAT(elements_of("{}"), IsEmpty());
  EXPECT_THAT(elements_of("[12345678901234567890123, 1.10 ,null]"),
              ElementsAre("12345678901234567890123", "1.10", "null"));
  EXPECT_THAT(elements_of(R"(["a,]\"b", {"x":[1,2],"y":"}"},[[],[3]]])"),
              ElementsAre(R"("a,]\"b")", R"({"x":[1,2],"y":"}"})", "[[],[3]]"));
  EXPECT_THAT(elements_of(R"(["\\",2])"), ElementsAre(R"("\\")", "2"));
  EXPECT_TRUE(is_list(" [1]"));
  EXPECT_FALSE(is_list("\"[1]\""));
}

Json random_value(std::mt19937& random, int depth) {
  switch (random() % (depth > 0 ? 6 : 4)) {
    case 0: return random();
    case 1: return std::string(R"(a"],}\{[)").substr(0, random() % 9);
    case 2: return nullptr;
    case 3: return 0.5;
    case 4: {
      Json out = Json::array();
      for (std::size_t i = random() % 4; i > 0; --i) out.push_back(random_value(random, depth - 1));
      return out;
    }
    default: {
      Json out = Json::object();
      for (std::size_t i = random() % 4; i > 0; --i)
        out["k]" + std::to_string(i)] = random_value(random, depth - 1);
      return out;
    }
  }
}

TEST(Elements, AreWhatAParserFinds) {
  std::mt19937 random(3);
  for (int i = 0; i < 500; ++i) {
    Json list = Json::array();
    for (std::size_t n = random() % 6; n > 0; --n) list.push_back(random_value(random, 3));
    for (const std::string& text : {dump_json(list), dump_json(list, 2)}) {
      const auto found = elements_of(text);
      ASSERT_EQ(found.size(), list.size()) << text;
      for (std::size_t n = 0; n < found.size(); ++n) EXPECT_EQ(Json::parse(found[n]), list[n]) << text;
    }
  }
}

}  // namespace
}  // namespace holdfast::flows
