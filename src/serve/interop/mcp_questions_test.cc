// Goal: a question of an agent reaches a person at an MCP client as it was asked, and its answer is one of
// its form. Method: approvals as the store has them, and answers as clients send them.

#include "interop/mcp_questions.h"

#include <gtest/gtest.h>

#include "interop/mcp_answers.h"

namespace holdfast::interop {
namespace {

platform::Approval asks(const std::string& properties) {
  platform::Approval out;
  out.id = "q-1";
  out.agent = "care";
  out.tool = "ask";
  out.arguments = "{}";
  protocol::HumanQuestion question;
  question.text = "Refund it?";
  question.form =
      nlohmann::json::parse(R"({"type":"object","properties":)" + properties + R"(,"required":["refund"]})");
  out.question = dump_json(nlohmann::json(question));
  return out;
}

constexpr const char* kFields = R"({"refund":{"type":"boolean"},"why":{"enum":["lost","late"]},
    "note":{"type":"string","maxLength":4,"pattern":"^[a-z]*$"}})";

McpPeer peer() {
  McpPeer out;
  out.revision = std::string(kNewestSessionRevision);
  out.forms = true;
  return out;
}

TEST(McpQuestion, IsAskedInItsOwnWordsAndForm) {
  const auto approval = asks(kFields);
  ASSERT_EQ(asking_of(peer(), true, approval), Asking::kForm);
  const Json params = elicitation_params(peer(), Asking::kForm, approval, "");
  EXPECT_EQ(params["message"], "The agent `care` asks: Refund it?");
  const Json& schema = params["requestedSchema"];
  EXPECT_EQ(schema["required"], Json::parse(R"(["refund"])"));
  EXPECT_EQ(schema["properties"]["refund"]["type"], "boolean");
  EXPECT_EQ(schema["properties"]["why"], Json::parse(R"({"enum":["lost","late"],"type":"string"})"));
  EXPECT_EQ(schema["properties"]["note"], Json::parse(R"({"type":"string","maxLength":4})"));
  EXPECT_FALSE(schema["properties"].contains("decision"));
}

TEST(McpQuestion, WhatAnElicitationCannotAskForIsNoForm) {
  for (const char* fields : {R"({"refund":{"type":"object","format":"file"}})",
                             R"({"refund":{"type":"array"}})", R"({"refund":{"enum":[1,2]}})", "{}"})
    EXPECT_EQ(asking_of(peer(), true, asks(fields)), Asking::kNone) << fields;
  EXPECT_EQ(asking_of(peer(), false, asks(kFields)), Asking::kNone);
}

TEST(McpQuestion, TakesAnswersOfItsForm) {
  const auto approval = asks(kFields);
  const auto said = [&](const char* json) { return decision_in(Json::parse(json), approval); };
  const auto taken = said(R"({"action":"accept","content":{"refund":true,"note":"ok"}})");
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->decision, protocol::DecisionKind::kAnswer);
  EXPECT_EQ(taken->edited_arguments, R"({"note":"ok","refund":true})");
  EXPECT_FALSE(said(R"({"action":"accept","content":{"note":"ok"}})"));
  EXPECT_FALSE(said(R"({"action":"accept","content":{"refund":true,"note":"NO"}})"));
  EXPECT_FALSE(said(R"({"action":"decline"})"));
}

TEST(McpQuestion, IsToldToWhoCannotBeAsked) {
  const Json result = waiting_result("r", {asks(kFields)}, "http://h");
  const std::string text = result["content"][0]["text"];
  EXPECT_NE(text.find("Asked: Refund it? "), std::string::npos) << text;
}

}  // namespace
}  // namespace holdfast::interop
