// Goal: what `spec.budgets` says is what a run may use, and a mistake has its place. Method: whole files.

#include "definition/budgets.h"

#include <gmock/gmock.h>

#include "activities/catalog.h"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;

Result<AgentDefinition> parse(const std::string& budgets) {
  return parse_definition(R"(apiVersion: holdfast.dev/v1
kind: Agent
metadata: {name: a}
spec:
  model: {provider: openai, name: m}
  prompt: p
)" + budgets,
                          "agent.yaml");
}

TEST(Budgets, EachIsRead) {
  const auto agent = parse(
      "  budgets: {tokens: 200000, money: 2.50 USD, calls: 50, tool_calls: 0, depth: 2, wall_time: 2h, "
      "on_budget: park}\n");
  ASSERT_TRUE(agent) << agent.error().message();
  const BudgetSpec& budgets = agent->budgets;
  EXPECT_EQ(budgets.tokens, 200'000);
  EXPECT_EQ(budgets.money, 2'500'000'000);
  EXPECT_EQ(budgets.calls, 50);
  EXPECT_EQ(budgets.tool_calls, 0);
  EXPECT_EQ(budgets.depth, 2);
  EXPECT_EQ(budgets.wall_time, std::chrono::hours(2));
  EXPECT_TRUE(budgets.park);
  const auto again = parse_definition(canonical_json(*agent), "canonical");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(version_of(*again), version_of(*agent));
}

TEST(Budgets, WithoutThemADefinitionIsWhatItWas) {
  const auto agent = parse("");
  ASSERT_TRUE(agent);
  EXPECT_THAT(canonical_json(*agent), ::testing::Not(HasSubstr("budgets")));
  EXPECT_EQ(version_of(*parse("  budgets: {money: 2.5 USD}\n")),
            version_of(*parse("  budgets: {money: 2.50 USD}\n")));
}

TEST(Budgets, MistakesHaveTheirPlace) {
  const auto error = [](const std::string& budgets) {
    const auto agent = parse(budgets);
    return agent ? std::string("read") : agent.error().message();
  };
  EXPECT_THAT(error("  budgets: {money: 2.50}\n"), HasSubstr("agent.yaml:7:20: `spec.budgets.money`"));
  EXPECT_THAT(error("  budgets: {money: 2.50 EUR}\n"), HasSubstr("2.50 USD"));
  EXPECT_THAT(error("  budgets: {money: 0 USD}\n"), HasSubstr("more than nothing"));
  EXPECT_THAT(error("  budgets: {money: -1 USD}\n"), HasSubstr("is no amount"));
  EXPECT_THAT(error("  budgets: {tokens: 0}\n"), HasSubstr("tokens"));
  EXPECT_THAT(error("  budgets: {depth: 9}\n"), HasSubstr("depth"));
  EXPECT_THAT(error("  budgets: {on_budget: park}\n"), HasSubstr("names no budget"));
  EXPECT_THAT(error("  budgets: {mony: 1 USD}\n"), HasSubstr("money"));
}

}  // namespace
}  // namespace holdfast::agent
