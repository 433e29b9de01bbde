// YAML of strangers: whatever its aliases make of it, reading it ends, in a problem with a place.

#include "spec/yaml_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::spec {
namespace {

using ::testing::HasSubstr;

struct Read {
  nlohmann::json json;
  std::string problems;
};
Read read(const std::string& text) {
  YamlProblems problems("f.yaml");
  std::size_t nodes_left = kMaxYamlNodes;
  Read out;
  out.json = yaml_to_json(YAML::Load(text), problems, nodes_left);
  out.problems = problems.status().message();
  return out;
}

TEST(YamlToJson, AnAliasInsideWhatItNamesHasNoEnd) {
  for (const char* text : {"&a [*a]", "&a {b: *a}", "&a [*a, *a, *a]", "a: &a {b: &b {c: *a, d: *b}}"}) {
    EXPECT_THAT(read(text).problems, HasSubstr("does an alias (`*name`) stand inside what it names?"))
        << text;
  }
}

TEST(YamlToJson, DepthAndSizeAreBounded) {
  const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(read(nested(100)).problems, "");
  EXPECT_THAT(read(nested(102)).problems, HasSubstr("nests deeper than 100 levels"));
  std::string laughs = "- &a0 [x, x]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string below = "*a" + std::to_string(i - 1);
    laughs += "- &a" + std::to_string(i) + " [" + below + ", " + below + "]\n";
  }
  EXPECT_THAT(read(laughs).problems, HasSubstr("more than 100000 values"));
  EXPECT_EQ(read("a: &x {b: 1}\nc: *x").json, (nlohmann::json{{"a", {{"b", 1}}}, {"c", {{"b", 1}}}}));
}

TEST(YamlToJson, IntegersAreExactOrRefused) {
  EXPECT_EQ(read("18446744073709551615").json.dump(), "18446744073709551615");
  EXPECT_EQ(read("-9223372036854775808").json.dump(), "-9223372036854775808");
  EXPECT_EQ(read("+9007199254740993").json.dump(), "9007199254740993");
  EXPECT_EQ(read("+5").json.dump(), "5.0");
  EXPECT_EQ(read("1e3").json.dump(), "1000.0");
  EXPECT_EQ(read("'18446744073709551616'").json, "18446744073709551616");
  EXPECT_THAT(read("a: 18446744073709551616").problems,
              HasSubstr("f.yaml:1:4: the integer has more than 64"));
  EXPECT_THAT(read("[-9223372036854775809]").problems, HasSubstr("more than 64 bits"));
}

TEST(YamlToJson, TagsAreObeyed) {
  EXPECT_EQ(
      read("[!!str 007, !!str 5, !!str true, !!int \"5\", !!float 5, !!null ~, !!bool true]").json.dump(),
      R"(["007","5","true",5,5,null,true])");
  EXPECT_THAT(read("a: !!int x").problems, HasSubstr("f.yaml:1:4: the value is not what its tag says"));
}

TEST(YamlToJson, WhatJsonDoesNotHaveIsSaid) {
  for (const char* text : {".inf", "-.inf", "+.Inf", ".nan", "1e400", "-1e999"}) {
    EXPECT_THAT(read("a: " + std::string(text)).problems, HasSubstr("beyond what JSON has")) << text;
    EXPECT_EQ(read("a: '" + std::string(text) + "'").problems, "") << text;
  }
  EXPECT_THAT(read("a: {<<: {y: 1}}").problems, HasSubstr("`<<` does not merge here"));
  EXPECT_EQ(read("a: {'<<': {y: 1}}").problems, "");
}

}  // namespace
}  // namespace holdfast::spec
