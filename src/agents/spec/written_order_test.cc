// Goal: whoever shows a schema to a model or a person shows its properties in the order of the file, and
// nothing else of the schema changes. Method: YAML in, JSON out, at every place where a schema may stand.

#include "spec/written_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spec/json_schema.h"
#include "spec/yaml_reader.h"

namespace holdfast::spec {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;

json read(const std::string& yaml) {
  YamlProblems problems("f.yaml");
  MapReader in(problems, YAML::Load(yaml), "");
  json out = in.schema("schema");
  EXPECT_TRUE(problems.empty()) << problems.status().message();
  return out;
}

TEST(WrittenOrder, PropertiesComeBackAsTheyStoodAtEveryDepth) {
  const json schema = read(R"(
schema:
  type: object
  properties:
    reasoning: {type: string}
    verdict: {enum: [yes, no]}
    amount:
      type: object
      properties: {unit: {type: string}, cents: {type: integer}}
    list: {type: array, items: {properties: {b: {}, a: {}}}}
    one: {anyOf: [{properties: {d: {}, c: {}}}, {properties: {x: {}, y: {}}}]}
  $defs: {money: {properties: {z: {}, y: {}}}}
)");
  EXPECT_FALSE(check_schema(schema));
  EXPECT_EQ(
      as_written(schema)["properties"].dump(),
      R"({"reasoning":{"type":"string"},"verdict":{"enum":["yes","no"]},)"
      R"("amount":{"properties":{"unit":{"type":"string"},"cents":{"type":"integer"}},"type":"object"},)"
      R"("list":{"items":{"properties":{"b":{},"a":{}}},"type":"array"},)"
      R"("one":{"anyOf":[{"properties":{"d":{},"c":{}}},{"properties":{"x":{},"y":{}}}]}})");
  EXPECT_EQ(as_written(schema)["$defs"].dump(), R"({"money":{"properties":{"z":{},"y":{}}}})");
}

TEST(WrittenOrder, JsonKeepsItLikeYaml) {
  const std::string text =
      R"({"type":"object","properties":{"b":{"items":{"properties":{"d":{},"c":{}}}},"a":{"default":{"properties":{"z":1,"y":2}}}}})";
  json schema = json::parse(text);
  keep_order(schema, nlohmann::ordered_json::parse(text));
  EXPECT_EQ(property_names(schema), (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(property_names(schema["properties"]["b"]["items"]), (std::vector<std::string>{"d", "c"}));
  EXPECT_FALSE(schema["properties"]["a"]["default"].contains(std::string(kOrderKeyword)));
}

TEST(WrittenOrder, ADocumentKeepsThatOfEachSchemaInIt) {
  const std::string text =
      R"({"components":{"schemas":{"T":{"properties":{"properties":{"properties":{"n":{},"m":{}}},"a":{"enum":[{"properties":{"z":1,"y":2}}]}}}}}})";
  json document = json::parse(text);
  keep_orders(document, nlohmann::ordered_json::parse(text));
  const json& schema = document["components"]["schemas"]["T"];
  EXPECT_EQ(property_names(schema), (std::vector<std::string>{"properties", "a"}));
  EXPECT_EQ(property_names(schema["properties"]["properties"]), (std::vector<std::string>{"n", "m"}));
  EXPECT_FALSE(schema["properties"].contains(std::string(kOrderKeyword)));
  EXPECT_FALSE(schema["properties"]["a"]["enum"][0].contains(std::string(kOrderKeyword)));
}

TEST(WrittenOrder, WhatIsPutTogetherStandsAsItWasAdded) {
  json schema = json::object();
  add_property(schema, "a", 1);
  add_property(schema, "b", 2);
  EXPECT_EQ(schema.dump(), R"({"properties":{"a":1,"b":2}})") << "sorted: nothing is said";
  add_property(schema, "B", 3);
  add_property(schema, "a", 4);
  EXPECT_EQ(property_names(schema), (std::vector<std::string>{"a", "b", "B"}));
  EXPECT_EQ(schema["properties"]["a"], 4);
}

TEST(WrittenOrder, ASortedSchemaSaysNothingMore) {
  const json schema = read("schema: {properties: {a: {}, b: {properties: {c: {}, d: {}}}}}");
  EXPECT_EQ(schema.dump(), R"({"properties":{"a":{},"b":{"properties":{"c":{},"d":{}}}}})");
}

TEST(WrittenOrder, IsKeptByWhatIsStoredAndReadAgain) {
  const json schema = read("schema: {properties: {b: {}, a: {properties: {d: {}, c: {}}}}}");
  EXPECT_EQ(read(json{{"schema", schema}}.dump()), schema);
}

TEST(WrittenOrder, WhoMakesAFileByProgramMaySayIt) {
  const json told = read(R"(schema: {properties: {a: {}, b: {}, c: {}}, x-holdfast-order: [b, 7, a, gone]})");
  EXPECT_EQ(told.dump(), R"({"properties":{"a":{},"b":{},"c":{}},"x-holdfast-order":["b","a","c"]})");
  const json sorted = read(R"(schema: {properties: {a: {}, b: {}}, x-holdfast-order: [a, b]})");
  EXPECT_EQ(sorted.dump(), R"({"properties":{"a":{},"b":{}}})");
}

TEST(WrittenOrder, ValuesAreNoSchemas) {
  const json schema = read(
      "schema: {default: {properties: {b: 1, a: 2}}, properties: {enum: {const: {properties: {b: 1, a: "
      "2}}}}}");
  EXPECT_EQ(
      schema.dump(),
      R"({"default":{"properties":{"a":2,"b":1}},"properties":{"enum":{"const":{"properties":{"a":2,"b":1}}}}})");
}

TEST(WrittenOrder, AnOrderThatDoesNotFitLosesNoProperty) {
  const json schema =
      json::parse(R"({"properties":{"a":{},"b":{},"c":{}},"x-holdfast-order":["c","gone",7,"c","a"]})");
  EXPECT_THAT(property_names(schema), ElementsAre("c", "a", "b"));
  EXPECT_EQ(as_written(schema).dump(), R"({"properties":{"c":{},"a":{},"b":{}}})");
  EXPECT_THAT(property_names(json::parse(R"({"x-holdfast-order":["a"]})")), ElementsAre());
  EXPECT_EQ(as_written(json::parse(R"({"properties":7,"x-holdfast-order":7})")).dump(),
            R"({"properties":7})");
}

}  // namespace
}  // namespace holdfast::spec
