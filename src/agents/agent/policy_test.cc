// Goal: no call passes an approval rule by leaving an argument out or sending another type. Method: tables of
// conditions and arguments, and rule lists against calls.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/json_schema.h"
#include "agent/policy.h"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;

TEST(Condition, Truth) {
  struct Row {
    std::string_view condition;
    Json arguments;
    Truth expected;
  };
  const Row rows[] = {
      {"amount > 100", {{"amount", 100}}, Truth::kFalse},
      {"amount > 100", {{"amount", 100.01}}, Truth::kTrue},
      {"amount > 100", {{"amount", "5000"}}, Truth::kUnknown},
      {"amount > 100", Json::object(), Truth::kUnknown},
      {"amount > 100 or vip", {{"amount", 1}, {"vip", true}}, Truth::kTrue},
      {"amount > 100 and vip", {{"amount", 1}}, Truth::kFalse},
      {"amount > 100 and vip", {{"amount", 200}}, Truth::kUnknown},
      {"not (a == 1 or b == 2)", {{"a", 3}, {"b", 4}}, Truth::kTrue},
      {"country in [\"DE\", 'FR']", {{"country", "FR"}}, Truth::kTrue},
      {"country in [\"DE\", \"FR\"]", {{"country", "US"}}, Truth::kFalse},
      {"account in [\"111\"]", {{"account", 111}}, Truth::kUnknown},
      {"account in [\"111\", 7]", {{"account", 111}}, Truth::kFalse},
      {"account in [\"111\", 111]", {{"account", 111}}, Truth::kTrue},
      {"not account in [111, 222]", {{"account", "111"}}, Truth::kUnknown},
      {"account in []", {{"account", 111}}, Truth::kFalse},
      {"order.total >= -1.5e1 && order.open", {{"order", {{"total", -15}, {"open", true}}}}, Truth::kTrue},
      {"note != null", {{"note", nullptr}}, Truth::kFalse},
      {"name < \"m\"", {{"name", "bob"}}, Truth::kTrue},
      {"inside == true", {{"inside", true}}, Truth::kTrue},
  };
  for (const Row& row : rows) {
    auto condition = Condition::parse(row.condition);
    ASSERT_TRUE(condition.has_value()) << row.condition << ": " << condition.error().message();
    EXPECT_EQ(condition->evaluate(row.arguments), row.expected) << row.condition << " with " << row.arguments;
  }
}

TEST(Condition, ErrorsHaveTheirColumn) {
  for (auto [text, what] : {std::pair{"amount >", "expected an argument name or a value at column 9"},
                            {"amount = 5", "write `==` at column 8"},
                            {"(a == 1", "expected `)` at column 8"},
                            {"a == 'x", "not closed"},
                            {"a in 5", "needs a list"},
                            {"a == 1 b", "expected `and`"},
                            {"", "expected an argument name"},
                            {"a == 1e5x", "expected a number"}}) {
    auto condition = Condition::parse(text);
    ASSERT_FALSE(condition.has_value()) << text;
    EXPECT_THAT(condition.error().message(), HasSubstr(what)) << text;
  }
  EXPECT_FALSE(Condition::parse(std::string(500, '(')).has_value());
  EXPECT_FALSE(Condition::parse(std::string(2000, ' ')).has_value());
}

ApprovalSpec rules(std::vector<std::tuple<std::string, std::string, Action>> list) {
  ApprovalSpec out;
  for (auto& [tool, when, action] : list) {
    ApprovalRule rule;
    rule.tool = tool;
    rule.action = action;
    if (!when.empty()) rule.when = *Condition::parse(when);
    out.rules.push_back(std::move(rule));
  }
  return out;
}

TEST(Policy, FirstMatchDecides) {
  ApprovalSpec spec = rules({{"refund", "amount > 5000", Action::kDeny},
                             {"refund", "amount > 100", Action::kAsk},
                             {"delete", "", Action::kAsk}});
  EXPECT_EQ(check_policy(spec, "refund", {{"amount", 50}}).action, Action::kAllow);
  EXPECT_EQ(check_policy(spec, "refund", {{"amount", 180}}).action, Action::kAsk);
  EXPECT_EQ(check_policy(spec, "refund", {{"amount", 9000}}).action, Action::kDeny);
  EXPECT_EQ(check_policy(spec, "delete", Json::object()).action, Action::kAsk);
  EXPECT_EQ(check_policy(spec, "other", Json::object()).action, Action::kAllow);
  spec.fallback = Action::kDeny;
  EXPECT_EQ(check_policy(spec, "other", Json::object()).action, Action::kDeny);
}

TEST(Policy, DoubtNeverLetsACallPass) {
  ApprovalSpec asks = rules({{"refund", "amount > 100", Action::kAsk}});
  EXPECT_EQ(check_policy(asks, "refund", Json::object()).action, Action::kAsk);
  EXPECT_EQ(check_policy(asks, "refund", {{"amount", "1"}}).action, Action::kAsk);
  ApprovalSpec denies = rules({{"pay", "account in [\"111\"]", Action::kDeny}});
  EXPECT_EQ(check_policy(denies, "pay", {{"account", 111}}).action, Action::kDeny);
  EXPECT_EQ(check_policy(denies, "pay", {{"account", "222"}}).action, Action::kAllow);
  ApprovalSpec allows = rules({{"refund", "amount <= 100", Action::kAllow}, {"*", "", Action::kAsk}});
  EXPECT_EQ(check_policy(allows, "refund", Json::object()).action, Action::kAsk);
  EXPECT_EQ(check_policy(allows, "refund", {{"amount", 20}}).action, Action::kAllow);
}

TEST(JsonSchema, SaysWhatAModelShouldChange) {
  Json schema = Json::parse(R"({"type":"object","required":["id"],"additionalProperties":false,"properties":{
    "id":{"type":"integer","minimum":1},"note":{"type":["string","null"],"maxLength":5},
    "kind":{"enum":["a","b"]},"tags":{"type":"array","items":{"type":"string"},"maxItems":2}}})");
  EXPECT_EQ(check_schema(schema), std::nullopt);
  EXPECT_EQ(validate(schema, {{"id", 3}, {"note", nullptr}, {"kind", "a"}, {"tags", {"x"}}}), std::nullopt);
  EXPECT_EQ(validate(schema, Json::object()), "`id` is missing");
  EXPECT_EQ(validate(schema, {{"id", "3"}}), "`id` must be an integer, not a string");
  EXPECT_EQ(validate(schema, {{"id", 0}}), "`id` must be at least 1");
  EXPECT_EQ(validate(schema, {{"id", 1}, {"x", 1}}), "`x` is not an argument of this tool");
  EXPECT_EQ(validate(schema, {{"id", 1}, {"kind", "c"}}), "`kind` must be one of [\"a\",\"b\"]");
  EXPECT_EQ(validate(schema, {{"id", 1}, {"note", 5}}), "`note` must be a string or null, not an integer");
  EXPECT_EQ(validate(schema, {{"id", 1}, {"tags", {"x", 1}}}), "`tags[1]` must be a string, not an integer");
  EXPECT_EQ(validate(schema, Json::array()), "the arguments must be an object, not a list");
  EXPECT_TRUE(check_schema(Json::parse(R"({"type":"objekt"})")).has_value());
  EXPECT_TRUE(check_schema(Json::parse(R"({"properties":{"a":{"oneOf":[]}}})")).has_value());
}

}  // namespace
}  // namespace holdfast::agent
