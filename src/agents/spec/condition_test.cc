// Goal: a condition says true, false or unknown, and never guesses. Method: a table of conditions and
// arguments.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spec/condition.h"

namespace holdfast::spec {
namespace {

using Json = nlohmann::json;
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
      {"account == 2512292042121000099", {{"account", 2512292042121000001}}, Truth::kFalse},
      {"account in [2512292042121000099]", {{"account", 2512292042121000001}}, Truth::kFalse},
      {"account == 2512292042121000099", {{"account", 2512292042121000099}}, Truth::kTrue},
      {"account == -1", {{"account", 18446744073709551615u}}, Truth::kFalse},
      {"account == 18446744073709551615", {{"account", 18446744073709551615u}}, Truth::kTrue},
      {"account > 0", {{"account", 18446744073709551615u}}, Truth::kTrue},
      {"amount <= 9007199254740992.0", {{"amount", 9007199254740993}}, Truth::kFalse},
      {"amount == 100", {{"amount", 100.0}}, Truth::kTrue},
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
                            {"a == 18446744073709551616", "more than 64 bits at column 6"},
                            {"a > -9223372036854775809", "more than 64 bits"},
                            {"a == 1e999", "expected a number"},
                            {"a == 1e5x", "expected a number"}}) {
    auto condition = Condition::parse(text);
    ASSERT_FALSE(condition.has_value()) << text;
    EXPECT_THAT(condition.error().message(), HasSubstr(what)) << text;
  }
  EXPECT_FALSE(Condition::parse(std::string(500, '(')).has_value());
  EXPECT_FALSE(Condition::parse(std::string(2000, ' ')).has_value());
}

}  // namespace
}  // namespace holdfast::spec
