// Goal: what a definition says of several sub-agents for one call is checked where it stands, and the
// workflow gets all it needs to run them. Method: definitions through the type's functions; whole calls are
// in tests/agent_e2e.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "activities/one_tool.h"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;

TEST(AgentsToolType, AllAreToldTheInput) {
  const auto agent = read_one_tool("{name: t, type: agents, agents: {run: [x, y@production], join: first}}");
  ASSERT_TRUE(agent) << agent.error().message();
  const ToolSpec& tool = agent->tools.at(0);
  EXPECT_EQ(tool.parameters["required"], Json::array({"input"}));
  protocol::PlannedCall planned;
  EXPECT_EQ(tool.type->plan({tool, {{"input", "go"}}, WallTime()}, planned), std::nullopt);
  EXPECT_EQ(planned.input, Json::parse(R"({"run":["x","y@production"],"first":true})"));
  const auto again = parse_definition(canonical_json(*agent), "a");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(version_of(*again), version_of(*agent));
}

TEST(AgentsToolType, OneIsRunForEachItem) {
  const auto agent = read_one_tool("{name: t, type: agents, agents: {run: [x], for_each: topics, max: 2}}");
  ASSERT_TRUE(agent) << agent.error().message();
  const ToolSpec& tool = agent->tools.at(0);
  EXPECT_EQ(tool.parameters["properties"]["topics"]["maxItems"], 2);
  protocol::PlannedCall planned;
  EXPECT_EQ(tool.type->plan({tool, {{"topics", {"a", "b"}}}, WallTime()}, planned), std::nullopt);
  EXPECT_EQ(planned.input, Json::parse(R"({"run":["x"],"first":false,"for_each":"topics","items":2})"));
  const auto wrong = tool.type->plan({tool, {{"topics", {"a", "b", "c"}}}, WallTime()}, planned);
  ASSERT_TRUE(wrong);
  EXPECT_THAT(*wrong, HasSubstr("a list of 1 to 2 items"));
  const auto again = parse_definition(canonical_json(*agent), "a");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(version_of(*again), version_of(*agent));
}

TEST(AgentsToolType, MistakesAreToldWithTheirPlace) {
  EXPECT_THAT(error_of_tool("{name: t, type: agents}"), HasSubstr("with `run`, the agents' names"));
  EXPECT_THAT(error_of_tool("{name: t, type: agents, agents: {run: []}}"),
              HasSubstr("a list of 1 to 32 agents"));
  EXPECT_THAT(error_of_tool("{name: t, type: agents, agents: {run: [X Y]}}"),
              HasSubstr("`spec.tools[0].agents.run`"));
  EXPECT_THAT(error_of_tool("{name: t, type: agents, agents: {run: [x], join: any}}"), HasSubstr("join"));
  EXPECT_THAT(error_of_tool("{name: t, type: agents, agents: {run: [x, y], for_each: topics}}"),
              HasSubstr("runs one agent for each item"));
  EXPECT_THAT(error_of_tool("{name: t, type: agents, agents: {run: [x], max: 3}}"),
              HasSubstr("is for `for_each`"));
  EXPECT_THAT(error_of_tool("{name: t, type: agents, agents: {run: [x], for_each: topics}, "
                            "parameters: {properties: {questions: {type: array}}}}"),
              HasSubstr("`for_each` names `topics`"));
  EXPECT_THAT(error_of_tool("{name: t, type: agents, effect: pure, agents: {run: [x]}}"),
              HasSubstr("remove `effect`"));
}

}  // namespace
}  // namespace holdfast::agent
