// Goal: what a definition says of code is checked where it stands, and what its code may call follows from
// it. Method: definitions through the parser; whole runs are in tests/agent_e2e/code_e2e_test.cc.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "activities/builtin_tools.h"
#include "activities/one_tool.h"
#include "definition/code_calls.h"

namespace holdfast::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kOthers =
    "\n    - {name: wait, type: wait}\n    - {name: ask, type: human}\n"
    "    - {name: beside, type: agent, agent: x, detached: true}\n    - {name: other, type: code}";

std::string with_others(std::string_view code) {
  return "{name: run, type: code" + std::string(code) + "}" + std::string(kOthers);
}

TEST(CodeTool, CallsAllThatCodeCanWhenNothingIsSaid) {
  const auto agent = read_one_tool(with_others(""));
  ASSERT_TRUE(agent) << agent.error().message();
  const ToolSpec& tool = agent->tools.front();
  EXPECT_THAT(callable_tools(*agent, tool), ElementsAre("wait", "ask"));
  EXPECT_EQ(tool.type->canonical(tool), Json::parse(R"({"tools":["*"],"max_calls":100,"time_limit":"1s"})"));
  EXPECT_THAT(description_of(*agent, tool), HasSubstr("these tools: wait, ask"));
  EXPECT_EQ(tool.parameters["required"], Json::array({"code"}));
  protocol::PlannedCall planned;
  EXPECT_EQ(tool.type->plan({tool, {{"code", "return 1"}}, WallTime()}, planned), std::nullopt);
  EXPECT_EQ(planned.input, Json::parse(R"({"max_calls":100,"time_limit_ms":1000})"));
}

TEST(CodeTool, ReadsItsOwnCanonicalForm) {
  const auto agent =
      read_one_tool(with_others(", description: Sums., code: {tools: [wait], max_calls: 7, time_limit: 2s}"));
  ASSERT_TRUE(agent) << agent.error().message();
  EXPECT_THAT(callable_tools(*agent, agent->tools.front()), ElementsAre("wait"));
  EXPECT_THAT(description_of(*agent, agent->tools.front()), HasSubstr("Sums.\nRuns `code`"));
  AgentDefinition closed = *agent;
  close_parameters(closed);
  const auto again = parse_definition(canonical_json(closed), "a");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(version_of(*again), version_of(closed));
}

TEST(CodeTool, WithManyToolsNamesNone) {
  const auto agent = read_one_tool(with_others("") + "\n  tools_loading: search");
  ASSERT_TRUE(agent) << agent.error().message();
  EXPECT_THAT(description_of(*agent, agent->tools.front()), HasSubstr("have found"));
}

TEST(CodeTool, WhatItCannotCallIsRefused) {
  const auto wrong = [](std::string_view code) { return error_of_tool(with_others(code)); };
  EXPECT_THAT(wrong(", code: {tools: [wiat]}"), HasSubstr("did you mean `wait`?"));
  EXPECT_THAT(wrong(", code: {tools: [other]}"), HasSubstr("code does not call code"));
  EXPECT_THAT(wrong(", code: {tools: [run]}"), HasSubstr("code does not call code"));
  EXPECT_THAT(wrong(", code: {tools: [beside]}"), HasSubstr("`beside` is `detached`"));
  EXPECT_THAT(wrong(", code: {tools: [shop__*]}"), HasSubstr("not in spec.mcp_servers"));
  EXPECT_THAT(wrong(", code: {tools: []}"), HasSubstr("names no tool"));
}

TEST(CodeTool, WhatDoesNotApplyIsRefused) {
  const auto wrong = [](std::string_view code) { return error_of_tool(with_others(code)); };
  EXPECT_THAT(wrong(", effect: pure"), HasSubstr("remove it"));
  EXPECT_THAT(wrong(", timeout: 5s"), HasSubstr("makes no attempts"));
  EXPECT_THAT(wrong(", detached: true"), HasSubstr("code is waited for"));
  EXPECT_THAT(wrong(", parameters: {properties: {x: {type: string}}}"), HasSubstr("remove `parameters`"));
  EXPECT_THAT(wrong(", code: {time_limit: 2h}"), HasSubstr("time_limit"));
  EXPECT_THAT(wrong(", code: {max_calls: 1001}"), HasSubstr("max_calls"));
}

}  // namespace
}  // namespace holdfast::agent
