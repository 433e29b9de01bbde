// Goal: what a definition says of its orchestration is checked where it stands, survives the canonical form,
// and is absent from that of definitions without it. Method: files through the parser.

#include "definition/orchestration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "activities/catalog.h"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;

constexpr const char* kTools = R"(  tools:
    - {name: find, type: sql, sql: {database: /srv/shop.db, statement: SELECT 1}}
    - {name: move, type: sql, sql: {database: /srv/shop.db, statement: DELETE FROM t, read_only: false}}
)";

Result<AgentDefinition> read(const std::string& spec) {
  return parse_definition(
      "apiVersion: holdfast.dev/v1\nkind: Agent\nmetadata: {name: a}\nspec:\n"
      "  model: {provider: openai, name: m}\n  prompt: p\n" +
          spec,
      "agent.yaml");
}
std::string error_of(const std::string& spec) {
  auto definition = read(spec);
  return definition ? "" : std::string(definition.error().message());
}

TEST(Orchestration, SurvivesTheCanonicalForm) {
  const auto agent =
      read(std::string(kTools) +
           "  mode: plan\n  tool_calls: one_activity\n"
           "  plan: {planner: {tools: [find], prompt: Look first.}, reviewer: {}, max_steps: 7, "
           "max_rejections: 0, executor: {tools: [move]}}");
  ASSERT_TRUE(agent) << agent.error().message();
  const auto again = parse_definition(canonical_json(*agent), "a");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(version_of(*again), version_of(*agent));
  const Orchestration& told = again->orchestration;
  EXPECT_TRUE(told.one_activity);
  ASSERT_TRUE(told.planning);
  EXPECT_TRUE(told.planning->reviewer);
  EXPECT_EQ(told.planning->max_steps, 7);
  EXPECT_EQ(told.planning->max_rejections, 0);
  EXPECT_TRUE(is_for_role(told, again->tools[0], "planner"));
  EXPECT_FALSE(is_for_role(told, again->tools[1], "planner"));
  EXPECT_FALSE(is_for_role(told, again->tools[0], "reviewer"));
  EXPECT_FALSE(is_for_role(told, again->tools[0], "executor"));
  EXPECT_TRUE(is_for_role(told, again->tools[1], "executor"));
}

TEST(Orchestration, IsAbsentWhereNothingIsSaid) {
  const auto agent = read(kTools);
  ASSERT_TRUE(agent) << agent.error().message();
  const Json spec = Json::parse(canonical_json(*agent)).at("spec");
  for (const char* key : {"mode", "plan", "tool_calls"}) EXPECT_FALSE(spec.contains(key)) << key;
  const auto said = read(std::string(kTools) + "  mode: react\n  tool_calls: each");
  ASSERT_TRUE(said) << said.error().message();
  EXPECT_EQ(version_of(*said), version_of(*agent));
  EXPECT_TRUE(is_for_role(agent->orchestration, agent->tools[1], ""));
}

TEST(Orchestration, MistakesAreToldWithTheirPlace) {
  EXPECT_THAT(error_of("  mode: planned"), HasSubstr("`spec.mode`"));
  EXPECT_THAT(error_of("  plan: {max_steps: 3}"), HasSubstr("is for `mode: plan`"));
  EXPECT_THAT(error_of("  mode: plan\n  plan: {max_rejections: 1}"), HasSubstr("is for a `reviewer`"));
  EXPECT_THAT(error_of("  mode: plan\n  plan: {planner: {tools: [fnd]}}"),
              HasSubstr("there is no tool `fnd`"));
  EXPECT_THAT(error_of(std::string(kTools) + "  mode: plan\n  plan: {reviewer: {tools: [move]}}"),
              HasSubstr("`move` changes something"));
  EXPECT_THAT(error_of("  mode: plan\n  tools: [{name: make_plan, type: wait}]"),
              HasSubstr("`make_plan` is a tool of the mode `plan`"));
  EXPECT_THAT(error_of("  approvals: {rules: [{tool: make_plan, action: ask}]}"),
              HasSubstr("there is no tool `make_plan`"));
  EXPECT_EQ(error_of("  mode: plan\n  approvals: {rules: [{tool: make_plan, action: ask}]}"), "");
  EXPECT_THAT(error_of(std::string(kTools) + "  mode: single"), HasSubstr("it has no tools; remove them"));
  EXPECT_THAT(error_of("  mode: single\n  limits: {run_timeout: 5m}"),
              HasSubstr("use the `timeout` of the model"));
  EXPECT_EQ(error_of("  mode: single"), "");
}

}  // namespace
}  // namespace holdfast::agent
