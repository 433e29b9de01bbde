// Goal: a definition says what people are asked and how the answer looks, mistakes in it are told with their
// place, and the model's part of the question is bounded. Method: definitions and arguments through the
// type's functions; whole runs are in tests/agent_e2e/people_e2e_test.cc.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "activities/one_tool.h"
#include "agent/workflow_tool.h"
#include "base/iso_time.h"
#include "protocol/human_question.h"

namespace holdfast::agent {
namespace {

using protocol::HumanQuestion;
using protocol::PlannedCall;
using ::testing::HasSubstr;

constexpr const char* kRefund =
    "{name: ask, type: human, parameters: {properties: {order: {type: integer}}, required: [order]}, human: "
    "{question: 'Refund order {order}?', deadline: 2d, people: [ann, bob, ann], roles: [approver], form: "
    "{properties: {refund: {type: boolean}}, required: [refund]}, default: {refund: false}}}";

std::string planned(std::string_view entry, const Json& arguments, PlannedCall& call) {
  const auto agent = read_one_tool(entry);
  if (!agent) return agent.error().message();
  const ToolSpec& tool = agent->tools.at(0);
  return tool.type->plan({tool, arguments, *parse_iso_time("2026-11-21T09:00:00Z")}, call).value_or("");
}

TEST(HumanTool, AsksWhatTheModelSaysUnlessTheDefinitionDoes) {
  PlannedCall call;
  EXPECT_EQ(planned("{name: ask, type: human}", {{"question", "Which colour?"}}, call), "");
  auto question = call.input.get<HumanQuestion>();
  EXPECT_EQ(question.text, "Which colour?");
  EXPECT_EQ(question.form["properties"]["answer"]["type"], "string");
  EXPECT_EQ(question.form["additionalProperties"], false);
  EXPECT_EQ(question.deadline_ms, 24 * 3600 * 1000);
  EXPECT_EQ(planned(kRefund, {{"order", 7}}, call), "");
  question = call.input.get<HumanQuestion>();
  EXPECT_EQ(question.text, "Refund order 7?");
  EXPECT_EQ(question.people, (std::vector<std::string>{"ann", "bob"}));
  EXPECT_EQ(question.fallback, Json({{"refund", false}}));
}

TEST(HumanTool, ItsCanonicalFormIsTheSameDefinition) {
  auto plain = read_one_tool(kRefund);
  ASSERT_TRUE(plain.has_value()) << plain.error().message();
  auto again = parse_definition(canonical_json(*plain), "a");
  ASSERT_TRUE(again.has_value()) << again.error().message();
  EXPECT_EQ(version_of(*again), version_of(*plain));
}

TEST(HumanTool, WhatIsWrongIsSaidWithItsPlace) {
  const auto error = [](const std::string& section, const std::string& more = {}) {
    return error_of_tool("{name: ask, type: human, human: " + section + more + "}");
  };
  EXPECT_THAT(error("{question: 'Order {order}?'}"), HasSubstr("`{order}` is no argument"));
  EXPECT_THAT(error("{form: {type: array}}"), HasSubstr("the answer is an object: `type: object`"));
  EXPECT_THAT(error("{form: {properties: {a: {$dynamicRef: x}}}}"), HasSubstr("$dynamicRef"));
  EXPECT_THAT(error("{default: {answer: 7}}"), HasSubstr("is no answer to the form: `answer` must be"));
  EXPECT_THAT(error("{roles: [operator]}"), HasSubstr("`operator` may not decide"));
  EXPECT_THAT(error("{people: [{}]}"), HasSubstr("is a list of names"));
  EXPECT_THAT(error("{whom: ann}"), HasSubstr("whom"));
  EXPECT_THAT(error("{deadline: soon}"), HasSubstr("must be a duration"));
  EXPECT_THAT(error("{}", ", effect: pure"), HasSubstr("asking changes nothing"));
  EXPECT_THAT(error("{}", ", timeout: 1h"), HasSubstr("makes no attempts"));
  EXPECT_THAT(error("{form: {description: '" + std::string(20000, 'x') + "'}}"), HasSubstr("16384 bytes"));
}

TEST(HumanTool, AQuestionIsNoBook) {
  PlannedCall call;
  EXPECT_THAT(planned("{name: ask, type: human}", {{"question", std::string(9000, 'x')}}, call),
              HasSubstr("the question has 9000 bytes"));
}

}  // namespace
}  // namespace holdfast::agent
