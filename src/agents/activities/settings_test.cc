// Goal: a run cannot be started with settings that would fail it later, and who it tells is bounded by the
// same grants as its tools. Method: settings against a definition and grants.

#include "activities/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "activities/catalog.h"
#include "net/reach.h"

namespace holdfast::agent {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

platform::Definition definition(std::string_view more) {
  const std::string text =
      "apiVersion: holdfast.dev/v1\nkind: Agent\nmetadata: {name: a}\nspec:\n"
      "  model: {provider: openai, name: m}\n  prompt: p\n" +
      std::string(more);
  auto read = parse_definition(text, "agent.yaml");
  EXPECT_TRUE(read) << read.error().message() << text;
  platform::Definition out;
  out.name = "a";
  out.hash = "v";
  out.text = read ? canonical_json(*read) : "";
  return out;
}

const char* kBinding =
    "  tools:\n    - name: look\n      type: http\n      parameters: {properties: {customer: {type: "
    "integer}}}\n"
    "      http: {url: \"https://shop.example/{customer}\"}\n      bind: {customer: {run: customer_id}}\n";

TEST(RunSettings, TheContextMustHoldWhatIsBound) {
  const grant::Grants grants(nullptr);
  EXPECT_EQ(check_settings(definition(kBinding), "", grants).code(), Code::kFailedPrecondition);
  EXPECT_TRUE(check_settings(definition(kBinding), R"({"context":{"customer_id":42}})", grants).ok());
  EXPECT_EQ(check_settings(definition(kBinding), R"({"context":{"customer_id":"x"}})", grants).code(),
            Code::kInvalidArgument);
  EXPECT_TRUE(check_settings(definition(""), R"({"context":{"anything":[1]}})", grants).ok());
  EXPECT_EQ(check_settings(definition(""), R"({"context":"text"})", grants).code(), Code::kInvalidArgument);
}

TEST(RunSettings, TheEnvironmentIsOneOfThem) {
  RunSettings settings;
  EXPECT_EQ(settings_text(settings), "");
  settings.environment = "production";
  EXPECT_EQ(settings_text(settings), R"({"environment":"production"})");
  EXPECT_EQ(read_settings(settings_text(settings))->environment, "production");
  EXPECT_EQ(read_settings(R"({"context":{"environment":"x"}})")->environment, "");
}

constexpr const char* kHook = R"({"notify":[{"on":["completed"],"type":"webhook",
  "webhook":{"url":"https://hooks.example/x","secret_env":"HOOK"}}]})";

TEST(RunSettings, WhomToNotifyIsCheckedAndGranted) {
  grant::Grants grants(nullptr);
  const Status refused = check_settings(definition(""), kHook, grants);
  EXPECT_EQ(refused.code(), Code::kPermissionDenied);
  EXPECT_THAT(net::missing_grants(refused), Contains("env:HOOK@hooks.example"));
  grants.allow(*grant::parse_grant("env:HOOK@hooks.example"));
  EXPECT_TRUE(check_settings(definition(""), kHook, grants).ok());
  const Status wrong =
      check_settings(definition(""), R"({"notify":[{"on":["done"],"type":"webhok"}]})", grants);
  EXPECT_EQ(wrong.code(), Code::kInvalidArgument);
  EXPECT_THAT(std::string(wrong.message()), HasSubstr("completed, failed, approval"));
  EXPECT_THAT(std::string(wrong.message()), HasSubstr("did you mean `webhook`?"));
}

TEST(RunSettings, ADefinitionNotifiesToo) {
  const auto read = parse_definition(
      definition("  notify:\n    - {on: [failed, approval], type: slack, slack: {webhook_env: SLACK}}\n")
          .text,
      "a");
  ASSERT_TRUE(read) << read.error().message();
  ASSERT_EQ(read->notify.size(), 1u);
  EXPECT_EQ(notified_events(read->notify), 6u);
  EXPECT_FALSE(Json::parse(definition("").text)["spec"].contains("notify"));
}

}  // namespace
}  // namespace holdfast::agent
