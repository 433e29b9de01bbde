// Goal: a receiver that follows Standard Webhooks takes what is sent for genuine and for one event however
// often it comes; the secret goes nowhere else. Method: requests through a client that keeps them, signatures
// by the example of the specification.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixture/manual_clock.h"
#include "tool/kept_request.h"
#include "tool/read_tool.h"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const char* variable(const char* name) {
  const std::string_view asked = name;
  if (asked == "HOOK") return "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  if (asked == "SHORT") return "whsec_AAAA";
  return nullptr;
}

ToolEnding call(KeptRequest& client, std::string_view section, const Json& arguments,
                std::string_view written = {}) {
  ToolContext context;
  context.written = written;
  context.http = &client;
  fixture::ManualClock clock;
  clock.ns = 1'614'265'330'000'000'000;
  context.clock = &clock;
  context.idempotency_key = "msg_p5jXN8AQM9LWM0D4loKWxJek";
  const grant::Permits permits(
      {*grant::parse_grant("env:HOOK@hooks.example"), *grant::parse_grant("env:SHORT")}, {}, variable);
  context.permits = &permits;
  const ToolSpec tool =
      read_tool("{name: refunded, type: webhook, parameters: {properties: {id: {}}}, webhook: {" +
                std::string(section) + "}}");
  return find_activity_tool("webhook")->run(tool, arguments, context);
}

TEST(WebhookTool, IsSignedAndKnownAgainByItsId) {
  KeptRequest client;
  const ToolEnding ending = call(client, "url: \"https://hooks.example/x\", secret_env: HOOK", {{"id", 7}});
  ASSERT_EQ(ending.ending, Ending::kDone) << ending.text;
  EXPECT_EQ(client.request.url, "https://hooks.example/x");
  EXPECT_EQ(client.header("webhook-id"), "msg_p5jXN8AQM9LWM0D4loKWxJek");
  EXPECT_EQ(client.header("webhook-timestamp"), "1614265330");
  EXPECT_EQ(client.request.body,
            R"({"data":{"id":7},"timestamp":"2021-02-25T15:02:10.000Z","type":"refunded"})");
  EXPECT_THAT(client.header("webhook-signature"), ::testing::MatchesRegex("v1,[A-Za-z0-9+/]{43}="));
}

TEST(WebhookTool, WhatItSaysCanBeChosen) {
  KeptRequest client;
  ASSERT_EQ(
      call(client,
           "url: \"https://hooks.example/x\", secret_env: HOOK, event: order.refunded, data: {o: \"{id}\"}",
           {{"id", 7}})
          .ending,
      Ending::kDone);
  EXPECT_THAT(client.request.body, HasSubstr(R"("data":{"o":7})"));
  EXPECT_THAT(client.request.body, HasSubstr(R"("type":"order.refunded")"));
}

TEST(WebhookTool, ArgumentsKeepTheOrderInWhichTheyWereWritten) {
  const std::string written = R"({"id":{"z":1,"a":2},"b":3})";
  const std::string section = "url: \"https://hooks.example/x\", secret_env: HOOK";
  KeptRequest client;
  ASSERT_EQ(call(client, section, Json::parse(written), written).ending, Ending::kDone);
  EXPECT_THAT(client.request.body, HasSubstr(R"({"data":{"id":{"z":1,"a":2},"b":3},"timestamp":)"));
  ASSERT_EQ(call(client, section + ", data: {o: \"{id}\"}", Json::parse(written), written).ending,
            Ending::kDone);
  EXPECT_THAT(client.request.body, HasSubstr(R"("data":{"o":{"z":1,"a":2}})"));
}

TEST(WebhookTool, WithoutItsSecretNothingIsSentAndNoneIsTold) {
  KeptRequest client;
  ToolEnding ending = call(client, "url: \"https://elsewhere.example\", secret_env: HOOK", {});
  EXPECT_EQ(ending.ending, Ending::kFailed);
  EXPECT_THAT(ending.text, HasSubstr("HOOK"));
  ending = call(client, "url: \"https://hooks.example\", secret_env: SHORT", {});
  EXPECT_EQ(ending.ending, Ending::kFailed);
  EXPECT_THAT(ending.text, Not(HasSubstr("AAAA")));
  EXPECT_EQ(client.requests, 0);
}

TEST(WebhookTool, ABusyReceiverIsToldAgain) {
  KeptRequest client;
  for (const auto& [status, expected] : std::initializer_list<std::pair<int, Ending>>{
           {503, Ending::kRetry}, {500, Ending::kRetry}, {429, Ending::kRetry}, {404, Ending::kFailed}}) {
    client.status = status;
    EXPECT_EQ(call(client, "url: \"https://hooks.example\", secret_env: HOOK", {}).ending, expected)
        << status;
  }
}

}  // namespace
}  // namespace holdfast::agent
