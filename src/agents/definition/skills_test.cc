// Goal: a skill is what its files say, pinned by their hash, and bounded. Method: definitions as text.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "activities/catalog.h"
#include "base/json.h"
#include "definition/definition.h"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;

const std::string kMain = "---\nname: refunds\ndescription: How refunds are made.\n---\nAsk first.\n";

Json with_skills(const Json& skills) {
  return {
      {"apiVersion", "holdfast.dev/v1"},
      {"kind", "Agent"},
      {"metadata", {{"name", "a"}}},
      {"spec", {{"model", {{"provider", "openai"}, {"name", "m"}}}, {"prompt", "p"}, {"skills", skills}}}};
}
Result<AgentDefinition> read(const Json& skills) {
  return parse_definition(dump_json(with_skills(skills)), "agent.yaml");
}
std::string error_of(const Json& skills) {
  const auto parsed = read(skills);
  return parsed ? "" : parsed.error().message();
}

TEST(Skills, AreInTheVersionOfTheirDefinition) {
  const auto one = read(Json::array({{{"files", {{"SKILL.md", kMain}, {"forms/a.md", "A"}}}}}));
  ASSERT_TRUE(one) << one.error().message();
  ASSERT_EQ(one->skills.size(), 1u);
  EXPECT_EQ(one->skills[0].name, "refunds");
  EXPECT_EQ(one->skills[0].description, "How refunds are made.");
  const auto other = read(Json::array({{{"files", {{"SKILL.md", kMain}, {"forms/a.md", "B"}}}}}));
  EXPECT_NE(version_of(*one), version_of(*other));
  EXPECT_NE(one->skills[0].sha256, other->skills[0].sha256);
  const auto again = parse_definition(canonical_json(*one), "agent.yaml");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(version_of(*again), version_of(*one));
}

TEST(Skills, MistakesAreTold) {
  EXPECT_THAT(error_of(Json::array({Json::object()})), HasSubstr("`path`, its folder, or `files`"));
  EXPECT_THAT(error_of(Json::array({{{"files", {{"a.md", "x"}}}}})), HasSubstr("there is no SKILL.md"));
  EXPECT_THAT(error_of(Json::array({{{"files", {{"SKILL.md", "Ask first."}}}}})),
              HasSubstr("begin with `---`"));
  EXPECT_THAT(error_of(Json::array({{{"files", {{"SKILL.md", "---\nname: A B\n---\n"}}}}})),
              HasSubstr("`name` may hold"));
  EXPECT_THAT(error_of(Json::array({{{"files", {{"SKILL.md", "---\nname: a\n---\n"}}}}})),
              HasSubstr("`description`"));
  for (const char* path : {"../x", "/etc/passwd", "a//b", "a/./b", "a/", "a\\b"}) {
    EXPECT_THAT(error_of(Json::array({{{"files", {{"SKILL.md", kMain}, {path, "x"}}}}})),
                HasSubstr("no path within the folder"))
        << path;
  }
  EXPECT_THAT(error_of(Json::array({{{"files", {{"SKILL.md", kMain}, {"a", std::string(70'000, 'x')}}}}})),
              HasSubstr("70000 bytes"));
  EXPECT_THAT(error_of(Json::array({{{"sha256", std::string(64, 'a')}, {"files", {{"SKILL.md", kMain}}}}})),
              HasSubstr("have another one"));
  const Json twice = {{"files", {{"SKILL.md", kMain}}}};
  EXPECT_THAT(error_of(Json::array({twice, twice})), HasSubstr("already"));
  Json many = {{"SKILL.md", kMain}};
  for (int i = 0; i < 10; ++i) many["f" + std::to_string(i)] = std::string(60'000, 'x');
  EXPECT_THAT(error_of(Json::array({{{"files", many}}})), HasSubstr("bytes of skills"));
}

}  // namespace
}  // namespace holdfast::agent
