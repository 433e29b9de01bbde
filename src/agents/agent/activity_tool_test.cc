// Goal: what a definition says of somebody else's activity is checked where it stands, and the workflow gets
// all it needs to schedule it. Method: definitions through the type's functions; whole calls are in
// tests/agent_e2e.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "activities/one_tool.h"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;

TEST(ActivityToolType, TheWorkflowIsToldAllItNeeds) {
  const auto agent = read_one_tool(
      "{name: t, type: activity, effect: at_most_once, parameters: {properties: {a: {}}}, "
      "activity: {name: send, task_queue: team, heartbeat: 5s, start_within: 1m}}");
  ASSERT_TRUE(agent) << agent.error().message();
  const ToolSpec& tool = agent->tools.at(0);
  protocol::PlannedCall planned;
  EXPECT_EQ(tool.type->plan({tool, {{"a", 1}}, WallTime()}, planned), std::nullopt);
  EXPECT_EQ(planned.input, Json::parse(R"({"name":"send","task_queue":"team","heartbeat_ms":5000,"once":true,
      "start_within_ms":60000,"max_result_bytes":65536,"arguments":{"a":1}})"));
  const Needs needs = tool.type->needs(tool);
  ASSERT_EQ(needs.size(), 1u);
  EXPECT_EQ(needs[0].name, "send@team");
  const auto again = parse_definition(canonical_json(*agent), "a");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(version_of(*again), version_of(*agent));
}

TEST(ActivityToolType, MistakesAreToldWithTheirPlace) {
  EXPECT_THAT(error_of_tool("{name: t, type: activity, activity: {name: send, task_queue: team}}"),
              HasSubstr("`spec.tools[0].effect`"));
  EXPECT_THAT(
      error_of_tool(
          "{name: t, type: activity, effect: transactional, activity: {name: send, task_queue: team}}"),
      HasSubstr("cannot be transactional"));
  EXPECT_THAT(
      error_of_tool(
          "{name: t, type: activity, effect: pure, activity: {name: send, task_queue: holdfast-tools}}"),
      HasSubstr("is Holdfast's own"));
  EXPECT_THAT(error_of_tool("{name: t, type: activity, effect: pure}"),
              HasSubstr("with `name` and `task_queue`"));
}

}  // namespace
}  // namespace holdfast::agent
