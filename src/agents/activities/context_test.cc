// Goal: what is left out of a context is what the policy says, and a call never loses its result. Method:
// made up transcripts.

#include "activities/context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

class Context : public ::testing::Test {
 protected:
  Context() {
    agent_.context.emplace();
    agent_.context->keep_last = 2;
  }
  void say(model::Message message, std::size_t bytes = 10) {
    auto said = std::make_shared<Said>();
    said->sequence = transcript_.said.size() + 1;
    said->message = std::move(message);
    said->bytes = bytes;
    if (said->sequence == 1) transcript_.first = said;
    transcript_.said.push_back(std::move(said));
  }
  void user(const std::string& text) { say(model::Message::user(text)); }
  void assistant(const std::string& text) { say(model::Message::assistant(text)); }
  void call(const std::string& id) { say(model::Message::assistant("", {{id, "lookup", "{}"}})); }
  void result(const std::string& id, const std::string& text) { say(model::Message::tool(id, text)); }
  std::vector<std::string> told() const {
    std::vector<std::string> out;
    for (const model::Message& message : context_messages(agent_, transcript_, {}))
      out.push_back(message.text());
    return out;
  }

  AgentDefinition agent_;
  Transcript transcript_;
};

TEST_F(Context, ACallIsNeverCutFromItsResult) {
  user("go");
  for (const char* id : {"a", "b", "c"}) {
    call(id);
    result(id, id);
  }
  // Two would be kept, `c` and its result; of three the first would be a result.
  auto cut = cut_of(agent_, transcript_);
  ASSERT_TRUE(cut.has_value());
  EXPECT_EQ(cut->begin, 1u);  // the first message is pinned
  EXPECT_EQ(cut->end, 5u);
  agent_.context->keep_last = 3;
  EXPECT_EQ(cut_of(agent_, transcript_)->end, 3u);
  agent_.context->keep_last = 5;
  EXPECT_FALSE(cut_of(agent_, transcript_).has_value());
  agent_.context->pin_first = false;
  agent_.context->keep_last = 2;
  EXPECT_EQ(cut_of(agent_, transcript_)->begin, 0u);
}

TEST_F(Context, FewerAreKeptWhenTheyAreLarge) {
  user("go");
  agent_.context->keep_last = 6;
  agent_.context->window = 1000;
  for (int i = 0; i < 8; ++i) say(model::Message::user("large"), 1000);
  EXPECT_EQ(transcript_.said.size() - cut_of(agent_, transcript_)->end, 2u);
}

TEST_F(Context, ASummaryStandsBehindWhatIsPinned) {
  user("go");
  assistant("yes");
  user("on");
  transcript_.said.erase(transcript_.said.begin(), transcript_.said.begin() + 2);
  transcript_.summary.emplace();
  transcript_.summary->text = "he said yes";
  transcript_.summary->from = 2;
  transcript_.summary->to = 2;
  EXPECT_THAT(told(), ElementsAre("go", HasSubstr("messages 2 to 2)]\nhe said yes"), "on"));
  transcript_.summary->from = 1;
  EXPECT_THAT(told(), ElementsAre(HasSubstr("he said yes"), "on"));
}

TEST_F(Context, OlderResultsAreTrimmed) {
  const std::string large(5000, 'x');
  for (const char* id : {"a", "b"}) {
    call(id);
    result(id, large);
  }
  EXPECT_THAT(told()[1], SizeIs(5000));
  agent_.context->trim_tool_results.emplace();
  agent_.context->trim_tool_results->keep_last = 1;
  EXPECT_THAT(told()[1], StartsWith(std::string(2000, 'x') + "\n[3000 bytes"));
  EXPECT_EQ(told()[3], large);
}

TEST_F(Context, WhatCameAfterTheLastCallIsCountedByItsBytes) {
  user(std::string(4000, 'x'));
  const auto messages = context_messages(agent_, transcript_, {});
  EXPECT_EQ(expected_tokens(agent_, messages, {}, 0), 1000);
  EXPECT_EQ(expected_tokens(agent_, messages, {model::Message::tool("a", std::string(400, 'y'))}, 70'000),
            70'100);
}

TEST_F(Context, WhatIsSummarizedIsMaterial) {
  user("go");
  call("a");
  result("a", "Ada, 20 euros");
  const std::string material = material_of(transcript_, {1, 3});
  EXPECT_THAT(material, HasSubstr("call of lookup: {}"));
  EXPECT_THAT(material, HasSubstr("## tool\nAda, 20 euros"));
  EXPECT_THAT(material, Not(HasSubstr("go")));
}

}  // namespace
}  // namespace holdfast::agent
