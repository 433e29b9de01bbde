// Goal: nothing but a clear answer settles whether a call took effect, and no hook is called with half of
// what it needs. Method: answers as tools give them.

#include "activities/effect_hooks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::agent {
namespace {

using spec::Truth;
using ::testing::HasSubstr;

TEST(EffectHooks, AnAnswerIsReadByWhatItShows) {
  const Reconcile plain;
  EXPECT_EQ(took_effect(plain, R"({"happened": true})"), Truth::kTrue);
  EXPECT_EQ(took_effect(plain, R"({"happened": false, "rows": [1]})"), Truth::kFalse);
  EXPECT_EQ(took_effect(plain, R"({"rows": []})"), Truth::kFalse);
  EXPECT_EQ(took_effect(plain, R"({"rows": [{"id": 1}]})"), Truth::kTrue);
  EXPECT_EQ(took_effect(plain, "[]"), Truth::kFalse);
  for (const char* unclear :
       {"", "ok", "true", "{}", R"({"happened": "yes"})", R"({"rows": 3})", R"({"rows": [)"})
    EXPECT_EQ(took_effect(plain, unclear), Truth::kUnknown) << unclear;
}

TEST(EffectHooks, AConditionDecidesWhereThereIsOne) {
  Reconcile hook;
  hook.happened = *spec::Condition::parse("status == \"paid\"");
  EXPECT_EQ(took_effect(hook, R"({"status": "paid"})"), Truth::kTrue);
  EXPECT_EQ(took_effect(hook, R"({"status": "none"})"), Truth::kFalse);
  EXPECT_EQ(took_effect(hook, R"({"error": "try later"})"), Truth::kUnknown);
  hook.happened = *spec::Condition::parse("result == \"yes\"");
  EXPECT_EQ(took_effect(hook, "yes"), Truth::kTrue);
}

TEST(EffectHooks, ArgumentsAreMadeOfTheCallAndItsResult) {
  HookCall hook;
  hook.tool = "cancel";
  hook.arguments = Json::parse(R"({"id": "{result.id}", "why": "undo {key} of {arguments.order}"})");
  ToolSpec called;
  called.parameters = Json::parse(
      R"({"type": "object", "properties": {"id": {"type": "integer"}, "why": {"type": "string"}}, "required": ["id"]})");
  auto made = hook_arguments(hook, called, hook_document(Json{{"order", 7}}, "k1", R"({"id": 3})"));
  ASSERT_TRUE(made.has_value()) << made.error().message();
  EXPECT_EQ(*made, Json::parse(R"({"id": 3, "why": "undo k1 of 7"})"));
  auto none = hook_arguments(hook, called, hook_document(Json{{"order", 7}}, "k1", "accepted"));
  ASSERT_FALSE(none.has_value());
  EXPECT_THAT(none.error().message(), HasSubstr("result.id"));
  auto wrong = hook_arguments(hook, called, hook_document(Json{{"order", 7}}, "k1", R"({"id": "x"})"));
  ASSERT_FALSE(wrong.has_value());
  EXPECT_THAT(wrong.error().message(), HasSubstr("integer"));
}

// Another number would take back another effect.
TEST(EffectHooks, ANumberIsGivenOnAsItWasWrittenOrNotAtAll) {
  HookCall hook;
  hook.tool = "cancel";
  hook.arguments = Json::parse(R"({"id": "{result.id}"})");
  ToolSpec called;
  called.parameters = Json{{"additionalProperties", true}};
  for (const char* number : {"9223372036854775808123", "12345678901234567890.5", "1e400"}) {
    const std::string result = std::string(R"({"id": )") + number + R"(, "name": "a"})";
    const auto made = hook_arguments(hook, called, hook_document(Json::object(), "k1", result));
    ASSERT_FALSE(made.has_value()) << *made;
    EXPECT_THAT(made.error().message(), HasSubstr(number));
  }
  hook.arguments = Json::parse(R"({"id": "order {result.id}", "name": "{result.name}"})");
  const auto text = hook_arguments(
      hook, called, hook_document(Json::object(), "k1", R"({"id": 9223372036854775808123, "name": "a"})"));
  ASSERT_TRUE(text.has_value()) << text.error().message();
  EXPECT_EQ(*text, Json::parse(R"({"id": "order 9223372036854775808123", "name": "a"})"));
}

}  // namespace
}  // namespace holdfast::agent
