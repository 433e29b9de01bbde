// Numbers that no type of 64 bits holds go through as they were written, wherever they stand, and nothing
// else is taken for one: texts are read, written and compared.

#include "base/kept_numbers.h"

#include <gtest/gtest.h>

#include <string>

namespace holdfast {
namespace {

using Json = nlohmann::ordered_json;

TEST(KeptNumbers, AreWrittenAsTheyWere) {
  for (const std::string text :
       {"9223372036854775808123", "[-9223372036854775809,18446744073709551616]", "12345678901234567890.5",
        R"({"v":9223372036854775808123,"w":{"x":[1,1e400]},"y":"1e400"})", "1e400",
        R"({"a":1e400,"a":2,"b":-1e400})", R"({"a":3.14159265358979323846})",
        R"([1,2.5,-3,"x",null,true])"}) {
    const std::string whole = text == R"({"a":1e400,"a":2,"b":-1e400})" ? R"({"a":2,"b":-1e400})" : text;
    const Json json = parse_kept(text);
    ASSERT_FALSE(json.is_discarded()) << text;
    EXPECT_EQ(dump_kept(json), whole);
  }
  EXPECT_EQ(dump_kept(parse_kept("[" + std::string(5000, '9') + "]")), "[" + std::string(5000, '9') + "]");
}

TEST(KeptNumbers, AreNoNumbersForWhoeverAsks) {
  const Json json = parse_kept(R"({"large":1e400,"long":9223372036854775808123,"small":1e3,"all":0.1})");
  EXPECT_TRUE(json["large"].is_binary());
  EXPECT_TRUE(json["long"].is_binary());
  EXPECT_EQ(json["small"], 1000.0);
  EXPECT_EQ(json["all"], 0.1);
  EXPECT_EQ(json["long"], parse_kept("9223372036854775808123"));
  EXPECT_NE(json["long"], parse_kept("9223372036854775808124"));
}

TEST(KeptNumbers, TextsAreTexts) {
  for (const std::string text : {R"("\u0001n5")", R"(["\u0001t",9223372036854775808123,"\u0001"])",
                                 R"({"\u0001n5":"\u0001n\u0001n","x":1e999})", R"(["\"1e400",1e400])"}) {
    const Json json = parse_kept(text);
    ASSERT_FALSE(json.is_discarded()) << text;
    EXPECT_EQ(dump_kept(json), text);
  }
  EXPECT_EQ(parse_kept(R"("\u0001n5")"), Json("\x01n5"));
}

TEST(KeptNumbers, WhatIsNoJsonIsNone) {
  for (const std::string text : {"", "[1e400", "1e400.5", "01e400", "-", "[1e+]", "{\"a\":1e400 \"b\":1}",
                                 "\"1e400", "NaN", "1e400x", "--1e400", "1.e400", ".5e400"})
    EXPECT_TRUE(parse_kept(text).is_discarded()) << text;
  EXPECT_TRUE(parse_kept(std::string("1e400\0", 6)).is_discarded());
  EXPECT_TRUE(parse_kept(std::string(60, '[') + "1e400" + std::string(60, ']'), 50).is_discarded());
}

}  // namespace
}  // namespace holdfast
