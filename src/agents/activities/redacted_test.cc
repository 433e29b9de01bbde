// What a model said is stored without the values of secrets, and what is signed is left out as a whole.

#include "activities/redacted.h"

#include <gtest/gtest.h>

namespace holdfast::agent {
namespace {

TEST(Redacted, TextsAndCallsHaveSomethingInTheirPlace) {
  const Redaction redaction({Redaction::Secret("KEY", "sk-very-secret")});
  model::Message message = model::Message::assistant(
      "it is sk-very-secret", {model::ToolCall("c", "look", R"({"k":"sk-very-secret"})")});
  EXPECT_EQ(redact(redaction, message), 0u);
  EXPECT_EQ(message.text(), "it is [secret KEY]");
  EXPECT_EQ(message.tool_calls[0].arguments, R"({"k":"[secret KEY]"})");
}

TEST(Redacted, WhatIsSignedIsLeftOutAsAWhole) {
  const Redaction redaction({Redaction::Secret("KEY", "sk-very-secret")});
  model::Message message = model::Message::assistant("hello", {model::ToolCall("c", "look", "{}")});
  message.content.push_back(
      model::Part::opaque(R"({"type":"thinking","thinking":"sk-very-secret","signature":"s"})"));
  message.content.push_back(model::Part::opaque(R"({"type":"thinking","thinking":"fine","signature":"s"})"));
  message.content[0].extra = R"({"citations":["sk-very-secret"]})";
  message.tool_calls[0].extra = R"({"thought":"sk-very-secret"})";
  message.extra = R"({"reasoning_content":"sk-very-secret"})";
  EXPECT_EQ(redact(redaction, message), 4u);
  ASSERT_EQ(message.content.size(), 2u);
  EXPECT_EQ(message.content[1].json, R"({"type":"thinking","thinking":"fine","signature":"s"})");
  EXPECT_EQ(model::to_json(message).find("sk-very"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::agent
