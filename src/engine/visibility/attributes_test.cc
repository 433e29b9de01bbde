// Which payload is a value of which type, in the words a real Temporal used for the same values.

#include "visibility/attributes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::visibility {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using Type = AttributeType;

pb::common::v1::Payload json(const std::string& data) {
  pb::common::v1::Payload payload;
  (*payload.mutable_metadata())["encoding"] = "json/plain";
  payload.set_data(data);
  return payload;
}

TEST(AttributeValue, Fits) {
  const std::pair<Type, const char*> cases[] = {
      {Type::kKeyword, R"("x")"},
      {Type::kKeyword, R"(["x"])"},
      {Type::kKeyword, "[]"},
      {Type::kKeyword, "null"},
      {Type::kKeyword, R"("")"},
      {Type::kText, R"("two words")"},
      {Type::kInt, "5"},
      {Type::kInt, "[5]"},
      {Type::kInt, "-9223372036854775808"},
      {Type::kInt, "9223372036854775807"},
      {Type::kDouble, "5"},
      {Type::kDouble, "5.5"},
      {Type::kBool, "true"},
      {Type::kDatetime, R"("2026-01-02T03:04:05Z")"},
      {Type::kDatetime, R"("2026-01-02T03:04:05.123456789+02:00")"},
      {Type::kDatetime, R"("9999-01-02T03:04:05Z")"},
      {Type::kDatetime, R"("0001-01-02T03:04:05Z")"},
      {Type::kKeywordList, R"(["a","b"])"},
      {Type::kKeywordList, R"(["a",null])"},
      {Type::kKeywordList, "[]"},
  };
  for (const auto& [type, value] : cases)
    EXPECT_EQ(not_a(type, json(value)), std::nullopt) << type_name(type) << " " << value;
  pb::common::v1::Payload none;
  (*none.mutable_metadata())["encoding"] = "binary/null";
  EXPECT_EQ(not_a(Type::kInt, none), std::nullopt);
}

TEST(AttributeValue, DoesNotFitAndIsShown) {
  struct Case {
    Type type;
    const char* value;
    const char* shown;
  };
  const Case cases[] = {
      {Type::kKeyword, "5", "5"},
      {Type::kKeyword, "true", "true"},
      {Type::kKeyword, R"(["a","b"])", "[a b]"},
      {Type::kKeyword, R"({"a":1})", "map[a:1]"},
      {Type::kText, R"(["a b","c"])", "[a b c]"},
      {Type::kInt, "5.0", "5"},
      {Type::kInt, "5.5", "5.5"},
      {Type::kInt, "1e3", "1000"},
      {Type::kInt, "12345678.5", "1.23456785e+07"},
      {Type::kInt, R"("5")", "5"},
      {Type::kInt, "[5,6]", "[5 6]"},
      {Type::kInt, "9223372036854775808", "9.223372036854776e+18"},
      {Type::kDouble, R"("5.5")", "5.5"},
      {Type::kBool, "1", "1"},
      {Type::kBool, R"("true")", "true"},
      {Type::kDatetime, R"("yesterday")", "yesterday"},
      {Type::kDatetime, R"("2026-01-02")", "2026-01-02"},
      {Type::kDatetime, "5", "5"},
      {Type::kKeywordList, R"("a")", "a"},
      {Type::kKeywordList, "[1]", "[1]"},
      {Type::kKeywordList, R"(["a",1])", "[a 1]"},
  };
  for (const auto& [type, value, shown] : cases)
    EXPECT_EQ(not_a(type, json(value)), shown) << type_name(type) << " " << value;
}

TEST(AttributeValue, WhatIsNoJsonIsNoValue) {
  for (const char* text : {"", "{{", "1e400", "\xff", "\"\xff\"", "[[[[[[[[[[[[]]]]]]]]]]]]"})
    EXPECT_THAT(not_a(Type::kKeyword, json(text)).value_or("fits"), StartsWith("value from <")) << text;
  pb::common::v1::Payload other;
  other.set_data("\"x\"");
  EXPECT_EQ(not_a(Type::kKeyword, other), R"(value from <data: "\"x\"">)");
  (*other.mutable_metadata())["encoding"] = "binary/plain";
  EXPECT_EQ(not_a(Type::kKeyword, other), "[34 120 34]");
  (*other.mutable_metadata())["encoding"] = "binary/encrypted";
  EXPECT_THAT(not_a(Type::kKeyword, other).value_or("fits"), StartsWith("value from <"));
}

TEST(AttributeValue, IsShownInFewBytes) {
  const std::string much(1 << 20, 'x');
  for (const auto& payload : {json("{\"" + much + "\":1}"), json("\"" + much + "\""), json(much)})
    EXPECT_LE(not_a(Type::kInt, payload).value_or("").size(), 300u);
}

TEST(Attributes, TypesAreTemporalsNumbers) {
  EXPECT_EQ(indexed_value_type(Type::kText), enums::INDEXED_VALUE_TYPE_TEXT);
  EXPECT_EQ(indexed_value_type(Type::kKeywordList), enums::INDEXED_VALUE_TYPE_KEYWORD_LIST);
  EXPECT_EQ(attribute_type(enums::INDEXED_VALUE_TYPE_DATETIME), Type::kDatetime);
  EXPECT_EQ(attribute_type(enums::INDEXED_VALUE_TYPE_UNSPECIFIED), std::nullopt);
  EXPECT_EQ(attribute_type(static_cast<enums::IndexedValueType>(77)), std::nullopt);
  EXPECT_EQ(attribute_type("KeywordList"), Type::kKeywordList);
  EXPECT_EQ(attribute_type("keyword"), std::nullopt);
  EXPECT_TRUE(is_reserved("TemporalAnything"));
  EXPECT_TRUE(is_reserved("CloseTime"));
  EXPECT_FALSE(is_reserved("Customer"));
}

}  // namespace
}  // namespace holdfast::visibility
