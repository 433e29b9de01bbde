// Goal: a block that calls a model is an agent of one call, known by flow and block, and nothing else is.

#include "definition/agent_in_flow.h"

#include <gtest/gtest.h>

#include "activities/catalog.h"

namespace holdfast::agent {
namespace {

constexpr std::string_view kFlow = R"({"spec":{"blocks":[{"id":"begin","type":"start"},
  {"id":"sum","type":"model","with":{"model":{"provider":"openai","name":"m"},"prompt":"{{ input }}","system":"Be brief.",
   "output_schema":{"type":"object"}}}]}})";

TEST(AgentInFlow, IsReadOutOfItsBlock) {
  const std::string name = protocol::agent_of_block("flow:order", "sum");
  const auto block = protocol::block_of_agent(name);
  ASSERT_TRUE(block);
  EXPECT_EQ(block->flow, "flow:order");
  const auto read = agent_in_flow(agent_catalog(), kFlow, *block);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->name, "flow:order.sum");
  EXPECT_TRUE(read->orchestration.single);
  EXPECT_EQ(read->prompt, "Be brief.");
  EXPECT_EQ(read->output_schema, Json({{"type", "object"}}));
}

TEST(AgentInFlow, IsFoundInABody) {
  constexpr std::string_view kInBody = R"({"spec":{"blocks":[{"id":"begin","type":"start"},
    {"id":"each","type":"map","with":{"over":2},"blocks":[{"id":"a","type":"join"},
     {"id":"sum","type":"model","with":{"model":{"provider":"openai","name":"m"},"prompt":"{{ item }}"}}]}]}})";
  const auto read = agent_in_flow(agent_catalog(), kInBody, {"flow:order", "sum"});
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->name, "flow:order.sum");
}

TEST(AgentInFlow, OtherNamesAreNoBlocks) {
  EXPECT_FALSE(protocol::block_of_agent("flow:order"));
  EXPECT_FALSE(protocol::block_of_agent("helper"));
  EXPECT_EQ(agent_in_flow(agent_catalog(), kFlow, {"flow:order", "begin"}).error().code(), Code::kNotFound);
  EXPECT_EQ(agent_in_flow(agent_catalog(), "no flow", {"flow:order", "sum"}).error().code(), Code::kDataLoss);
}

}  // namespace
}  // namespace holdfast::agent
