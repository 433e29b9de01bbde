// Goal: arguments that do not fit are refused in words that a model can act on. Method: one schema, wrong
// values.

#include <gtest/gtest.h>

#include "spec/json_schema.h"

namespace holdfast::spec {
namespace {

using Json = nlohmann::json;

TEST(JsonSchema, SaysWhatAModelShouldChange) {
  Json schema = Json::parse(R"({"type":"object","required":["id"],"additionalProperties":false,"properties":{
    "id":{"type":"integer","minimum":1},"note":{"type":["string","null"],"maxLength":5},
    "kind":{"enum":["a","b"]},"tags":{"type":"array","items":{"type":"string"},"maxItems":2}}})");
  EXPECT_EQ(check_schema(schema), std::nullopt);
  EXPECT_EQ(validate(schema, {{"id", 3}, {"note", nullptr}, {"kind", "a"}, {"tags", {"x"}}}), std::nullopt);
  EXPECT_EQ(validate(schema, Json::object()), "`id` is missing");
  EXPECT_EQ(validate(schema, {{"id", "3"}}), "`id` must be an integer, not a string");
  EXPECT_EQ(validate(schema, {{"id", 0}}), "`id` must be at least 1");
  EXPECT_EQ(validate(schema, {{"id", 1}, {"x", 1}}), "`x` is not an argument of this tool");
  EXPECT_EQ(validate(schema, {{"id", 1}, {"kind", "c"}}), "`kind` must be one of [\"a\",\"b\"]");
  EXPECT_EQ(validate(schema, {{"id", 1}, {"note", 5}}), "`note` must be a string or null, not an integer");
  EXPECT_EQ(validate(schema, {{"id", 1}, {"tags", {"x", 1}}}), "`tags[1]` must be a string, not an integer");
  EXPECT_EQ(validate(schema, Json::array()), "the arguments must be an object, not a list");
  EXPECT_TRUE(check_schema(Json::parse(R"({"type":"objekt"})")).has_value());
  EXPECT_TRUE(check_schema(Json::parse(R"({"properties":{"a":{"oneOf":[]}}})")).has_value());
}

TEST(JsonSchema, LengthsCountCharacters) {
  EXPECT_EQ(validate({{"maxLength", 19}}, "M\u00fcller-L\u00fcdenscheidt"), std::nullopt);
  EXPECT_EQ(validate({{"maxLength", 2}}, "\u65e5\u672c"), std::nullopt);
  EXPECT_EQ(validate({{"minLength", 2}}, "\u00e9"), "the arguments must be of a length of at least 2");
  EXPECT_NE(validate({{"maxLength", 1}}, "\U0001f600\U0001f600"), std::nullopt);
}

TEST(JsonSchema, IntegersAreExact) {
  constexpr std::uint64_t kLargest = 18446744073709551615u;
  const Json small = {{"type", "integer"}, {"enum", {-1, 0, 1}}};
  EXPECT_NE(validate(small, kLargest), std::nullopt);
  EXPECT_EQ(validate(small, -1), std::nullopt);
  EXPECT_NE(validate({{"const", -1}}, kLargest), std::nullopt);
  EXPECT_NE(validate({{"enum", {{{"id", -1}}}}}, {{"id", kLargest}}), std::nullopt);
  EXPECT_EQ(validate({{"minimum", 0}}, kLargest), std::nullopt);
  EXPECT_NE(validate({{"maximum", 9007199254740992}}, 9007199254740993), std::nullopt);
  EXPECT_NE(validate({{"exclusiveMaximum", kLargest}}, kLargest), std::nullopt);
  EXPECT_EQ(validate({{"type", "integer"}}, 5.0), std::nullopt);
  EXPECT_NE(validate({{"type", "integer"}}, 1e30), std::nullopt);
}

}  // namespace
}  // namespace holdfast::spec
