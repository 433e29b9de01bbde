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

TEST(JsonSchema, SaysWhichFormAValueShouldHave) {
  const Json schema = Json::parse(R"({"properties":{"to":{"oneOf":[
    {"type":"object","properties":{"mail":{"type":"string","pattern":"@"}},"required":["mail"]},
    {"type":"object","properties":{"phone":{"type":"string","pattern":"^[0-9]+$"}},"required":["phone"]}]},
    "price":{"multipleOf":0.01},"tags":{"uniqueItems":true},"a":true,"b":true},
    "dependentRequired":{"a":["b"]},"propertyNames":{"maxLength":5}})");
  ASSERT_EQ(check_schema(schema), std::nullopt);
  EXPECT_EQ(validate(schema, {{"to", {{"mail", "a@b"}}}, {"price", 19.99}, {"tags", {"x", "y"}}}),
            std::nullopt);
  EXPECT_EQ(validate(schema, {{"to", {{"mail", "ab"}}}}),
            "`to` fits none of its forms: `to.mail` must match the pattern \"@\"; or `to.phone` is missing");
  EXPECT_EQ(validate(schema, {{"to", {{"mail", "a@b"}, {"phone", "5"}}}}),
            "`to` fits 2 of the forms of which it must fit exactly one");
  EXPECT_EQ(validate(schema, {{"price", 19.999}}), "`price` must be a multiple of 0.01");
  EXPECT_EQ(validate(schema, {{"tags", {1, "x", 1.0}}}), "`tags` must not hold the same twice: `tags[2]`");
  EXPECT_EQ(validate(schema, {{"a", 1}}), "`b` is missing: it goes with `a`");
  EXPECT_EQ(validate(schema, {{"toolong", 1}}), "the name of `toolong` must be of a length of at most 5");
}

// A tree: it leads back to itself, but into the value.
TEST(JsonSchema, ReferencesStayInTheDocument) {
  const Json tree = Json::parse(R"({"$ref":"#/$defs/node","$defs":{"node":{"type":"object",
    "properties":{"value":{"type":"integer"},"children":{"type":"array","items":{"$ref":"#/$defs/node"}}},
    "unevaluatedProperties":false}}})");
  ASSERT_EQ(check_schema(tree), std::nullopt);
  EXPECT_EQ(validate(tree, {{"value", 1}, {"children", {{{"value", 2}}}}}), std::nullopt);
  EXPECT_EQ(validate(tree, {{"children", {{{"value", "x"}}}}}),
            "`children[0].value` must be an integer, not a string");
  EXPECT_EQ(validate(tree, {{"children", {{{"x", 1}}}}}), "`children[0].x` is not an argument of this tool");
  for (const char* reference :
       {"#/$defs/no", "#no", "other.json", "https://json-schema.org/draft/2020-12/schema",
        "#/$defs/node/type", "#/%zz"}) {
    Json broken = tree;
    broken["$ref"] = reference;
    EXPECT_TRUE(check_schema(broken).has_value()) << reference;
  }
  EXPECT_TRUE(check_schema(Json::parse(R"({"$ref":"#"})")).has_value());
  EXPECT_TRUE(
      check_schema(Json::parse(R"({"anyOf":[{"$ref":"#/$defs/a"}],"$defs":{"a":{"not":{"$ref":"#"}}}})"))
          .has_value());
}

// However a schema multiplies what is to be done, there is an end, and then the value does not pass.
TEST(JsonSchema, ACheckIsBounded) {
  Json schema = {{"$ref", "#/$defs/s0"}};
  for (int i = 0; i < 40; ++i) {
    const Json next = {{"$ref", "#/$defs/s" + std::to_string(i + 1)}};
    schema["$defs"]["s" + std::to_string(i)] = {{"anyOf", {next, next}}};
  }
  schema["$defs"]["s40"] = {{"type", "string"}};
  ASSERT_EQ(check_schema(schema), std::nullopt);
  EXPECT_EQ(validate(schema, 5), "the arguments are too large to be checked");
  const Json negated = {{"not", {{"$ref", "#/$defs/s0"}}}, {"$defs", schema["$defs"]}};
  EXPECT_TRUE(validate(negated, 5).has_value()) << "that nothing was found out is no reason to pass";
}

}  // namespace
}  // namespace holdfast::spec
