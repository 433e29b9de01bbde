// Goal: a message reaches a channel as text, whatever the model wrote, once at most; what Slack answers is
// taken for what it says. Method: requests through a client that keeps them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/clock.h"
#include "tool/kept_request.h"
#include "tool/read_tool.h"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;

const char* variable(const char* name) {
  const std::string_view asked = name;
  if (asked == "URL") return "https://hooks.slack.com/services/T0/B0/x";
  if (asked == "ELSEWHERE") return "https://hooks.slack.com.evil.example/services/T0/B0/x";
  if (asked == "TOKEN") return "xoxb-1";
  return nullptr;
}

ToolEnding call(KeptRequest& client, std::string_view section, const std::string& text,
                ToolContext context = {}) {
  context.http = &client;
  const os::SystemClock clock;
  context.clock = &clock;
  context.idempotency_key = "k";
  const grant::Permits permits(
      {*grant::parse_grant("env:URL@hooks.slack.com"), *grant::parse_grant("env:ELSEWHERE@hooks.slack.com"),
       *grant::parse_grant("env:TOKEN@slack.com")},
      {}, variable);
  context.permits = &permits;
  const ToolSpec tool = read_tool("{name: tell, type: slack, slack: {" + std::string(section) + "}}");
  EXPECT_EQ(tool.effect, Effect::kAtMostOnce);
  return find_activity_tool("slack")->run(tool, {{"text", text}}, context);
}

TEST(SlackTool, AnIncomingWebhookGetsTextAndNoMarkup) {
  KeptRequest client;
  ASSERT_EQ(call(client, "webhook_env: URL, text: \"*Refund*: {text}\"", "<!channel> a & b").ending,
            Ending::kDone);
  EXPECT_EQ(client.request.url, "https://hooks.slack.com/services/T0/B0/x");
  EXPECT_EQ(Json::parse(client.request.body), Json({{"text", "*Refund*: &lt;!channel&gt; a &amp; b"}}));
  client.requests = 0;
  const ToolEnding ending = call(client, "webhook_env: ELSEWHERE", "x");
  EXPECT_EQ(ending.ending, Ending::kFailed);
  EXPECT_THAT(ending.text, HasSubstr("holds no URL below https://hooks.slack.com"));
  EXPECT_EQ(client.requests, 0);
}

TEST(SlackTool, ChatPostMessageSaysInItsBodyWhetherItWasTaken) {
  KeptRequest client;
  client.body = R"({"ok":true,"ts":"1.2"})";
  ASSERT_EQ(call(client, "token_env: TOKEN, channel: C1", "hi").ending, Ending::kDone);
  EXPECT_EQ(client.request.url, "https://slack.com/api/chat.postMessage");
  EXPECT_EQ(client.header("Authorization"), "Bearer xoxb-1");
  EXPECT_EQ(Json::parse(client.request.body), Json({{"text", "hi"}, {"channel", "C1"}}));
  client.body = R"({"ok":false,"error":"channel_not_found"})";
  const ToolEnding refused = call(client, "token_env: TOKEN, channel: C1", "hi");
  EXPECT_EQ(refused.ending, Ending::kFailed);
  EXPECT_THAT(refused.text, HasSubstr("channel_not_found"));
  client.body = "<html>";
  EXPECT_EQ(call(client, "token_env: TOKEN, channel: C1", "hi").ending, Ending::kUnknown);
  client.status = 500;
  EXPECT_EQ(call(client, "token_env: TOKEN, channel: C1", "hi").ending, Ending::kUnknown);
  client.status = 429;
  EXPECT_EQ(call(client, "token_env: TOKEN, channel: C1", "hi").ending, Ending::kFailed);
}

// Of a message that asks for a decision; its text stays text.
TEST(SlackTool, ButtonsCarryTheLinkAndAnAnswerFollowsItsMessage) {
  KeptRequest client;
  client.body = R"({"ok":true,"ts":"1.2"})";
  ToolContext context;
  context.decide_url = "https://h.example/decide/id.code";
  const std::string section = "token_env: TOKEN, channel: C1";
  ASSERT_EQ(call(client, section + ", buttons: true", "<b>", context).ending, Ending::kDone);
  const Json asked = Json::parse(client.request.body);
  EXPECT_EQ(asked["unfurl_links"], false);
  EXPECT_EQ(asked["blocks"][0]["text"]["text"], "&lt;b&gt;");
  const Json& buttons = asked["blocks"][1]["elements"];
  ASSERT_EQ(buttons.size(), 3u);
  EXPECT_EQ(buttons[0]["action_id"], "holdfast_approve");
  EXPECT_EQ(buttons[0]["value"], "id.code");
  EXPECT_EQ(buttons[1]["action_id"], "holdfast_reject");
  EXPECT_EQ(buttons[2]["url"], context.decide_url);
  ASSERT_EQ(call(client, section, "hi", context).ending, Ending::kDone);
  EXPECT_FALSE(Json::parse(client.request.body).contains("blocks"));
  context.asks_question = true;
  ASSERT_EQ(call(client, section + ", buttons: true", "hi", context).ending, Ending::kDone);
  EXPECT_EQ(Json::parse(client.request.body)["blocks"][1]["elements"].size(), 1u);
  ToolContext after;
  after.follows = "1700000000.000100";
  ASSERT_EQ(call(client, section, "done", after).ending, Ending::kDone);
  EXPECT_EQ(Json::parse(client.request.body)["thread_ts"], "1700000000.000100");
  after.follows = "a key, and no time";
  ASSERT_EQ(call(client, section, "done", after).ending, Ending::kDone);
  EXPECT_FALSE(Json::parse(client.request.body).contains("thread_ts"));
}

}  // namespace
}  // namespace holdfast::agent
