// Goal: a tool of `type: flow` names a flow, and what the model gives is the flow's input.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "activities/one_tool.h"
#include "agent/workflow_tool.h"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;

TEST(FlowTool, IsReadAndPlanned) {
  const auto read = read_one_tool(
      "{name: refund, type: flow, flow: refund@3fa9c1, parameters: {properties: {id: {type: integer}}}}");
  ASSERT_TRUE(read) << read.error().message();
  const ToolSpec& tool = read->tools.front();
  EXPECT_EQ(tool.type->canonical(tool), Json("refund@3fa9c1"));
  EXPECT_EQ(tool.timeout, std::chrono::hours(24));
  protocol::PlannedCall planned;
  EXPECT_EQ(tool.type->plan({tool, Json::object(), WallTime()}, planned), std::nullopt);
  EXPECT_EQ(planned.sub_agent, "flow:refund@3fa9c1");
}

TEST(FlowTool, WhatNamesNoFlowIsRefused) {
  EXPECT_THAT(error_of_tool("{name: refund, type: flow}"), HasSubstr("flow"));
  EXPECT_THAT(error_of_tool("{name: refund, type: flow, flow: 'flow:x'}"),
              HasSubstr("must be a flow's name"));
  EXPECT_THAT(error_of_tool("{name: refund, type: flow, flow: x, effect: pure}"),
              HasSubstr("remove `effect`"));
}

}  // namespace
}  // namespace holdfast::agent
