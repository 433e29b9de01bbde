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

}  // namespace
}  // namespace holdfast::spec
