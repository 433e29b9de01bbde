// Goal: a run spends no more than its budgets let it, says what it cost, and goes on when they are raised.
// Method: whole runs on a real engine and real stores; the scripted model counts its tokens, and a price list
// of the test's says what they cost.

#include <cstdlib>

#include <gmock/gmock.h>

#include "base/money.h"
#include "harness.h"

namespace holdfast::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// A dollar for a million tokens in, two for a million out.
price::PriceTable priced() {
  return *price::PriceTable::read(
      R"({"format": 1, "as_of": "2026-11-28", "currency": "USD", "per_tokens": 1000000, "providers": [
          {"name": "scripted", "hosts": ["127.0.0.1"], "models": [
            {"match": ["*"], "input": "1.00", "cached_input": "0.10", "output": "2.00"}]}]})",
      "test");
}

constexpr const char* kTwoTurns = R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: lookup, arguments: {order_id: 7}}]
    usage: {input: 1000, output: 10, cached: 400}
  - when: {turn: 1}
    text: done
    usage: {input: 1100, output: 20, reasoning: 5}
)";

// Why the run failed; empty: it did not.
std::string failure_of(Platform& p, const WorkflowHandle& run) {
  auto result = run.result<agent::RunResult>(std::chrono::seconds(60));
  p.record(run);
  EXPECT_TRUE(result.has_value()) << result.error().to_string();
  if (!result || result->ok()) return {};
  const auto* failure = find_failure<ApplicationFailure>(result->error());
  return failure ? failure->type() + ": " + failure->message() : result->error().to_string();
}

void raise(Platform& p, const WorkflowHandle& run, const platform::BudgetLimits& limits) {
  platform::Raise wanted;
  wanted.run = run.workflow_id();
  wanted.limits = limits;
  auto raised = p.store().raise_budget(wanted);
  ASSERT_TRUE(raised) << raised.error().to_string();
  agent::BudgetNews news;
  news.run = run.workflow_id();
  auto told = run.update<Json>(protocol::kBudgetUpdate, news);
  ASSERT_TRUE(told.has_value() && told->ok());
}

TEST(Budgets, ARunSaysWhatItCost) {
  Platform p(kTwoTurns);
  p.prices = priced();
  p.deploy("cost");
  auto run = p.start("cost", "go");
  const agent::RunResult result = p.finish(run);
  EXPECT_EQ(result.usage.input_tokens, 2'100);
  EXPECT_EQ(result.usage.cached_input_tokens, 400);
  EXPECT_EQ(result.usage.reasoning_tokens, 5);
  const platform::UsageTotal total = *p.store().usage_of_run(run.workflow_id());
  EXPECT_EQ(total.calls, 2);
  EXPECT_EQ(total.tool_calls, 1);
  EXPECT_EQ(total.cost, 1'700 * 1'000 + 400 * 100 + 30 * 2'000);
  EXPECT_EQ(total.unpriced_calls, 0);
  EXPECT_EQ(total.price_as_of, "2026-11-28");
  EXPECT_EQ((*p.store().account(run.workflow_id()))->used, total);
  for (const platform::Event& event : p.events(run.workflow_id())) {
    const Json data = Json::parse(event.data);
    if (event.type == "step.completed" && data["kind"] == "model")
      EXPECT_EQ(data["cost"]["price_as_of"], "2026-11-28");
  }
}

TEST(Budgets, AModelWithoutAPriceIsUnpricedAndNotFree) {
  Platform p(kTwoTurns);
  p.deploy("unpriced");
  auto run = p.start("unpriced", "go");
  p.finish(run);
  const platform::UsageTotal total = *p.store().usage_of_run(run.workflow_id());
  EXPECT_EQ(total.unpriced_calls, 2);
  EXPECT_EQ(total.cost, 0);
  EXPECT_EQ(total.price_as_of, "");
}

TEST(Budgets, AnUnknownPriceUnderABudgetOfMoneyIsRefusedAtTheStart) {
  Platform p(kTwoTurns);
  p.deploy("refused", "  budgets: {money: 1.00 USD}");
  auto run = p.start("refused", "go");
  EXPECT_THAT(failure_of(p, run), AllOf(HasSubstr("UnpricedModelError"), HasSubstr("`refused` at 127.0.0.1"),
                                        HasSubstr("--prices FILE")));
  EXPECT_EQ(p.scripted->requests(), 0u);
}

TEST(Budgets, AUsedUpBudgetEndsTheRunAndIsNamed) {
  Platform p(kTwoTurns);
  p.prices = priced();
  p.deploy("spent", "  budgets: {money: 0.0036 USD}", "", "    max_tokens: 50");
  auto run = p.start("spent", "go");
  EXPECT_THAT(failure_of(p, run), AllOf(HasSubstr("BudgetExceeded"), HasSubstr("`money`"),
                                        HasSubstr("holdfast budget " + run.workflow_id() + " --money")));
  EXPECT_EQ(p.scripted->requests(), 1u);
  const platform::Account account = **p.store().account(run.workflow_id());
  EXPECT_LE(account.used.cost + account.reserved.money, 3'600'000);
  EXPECT_GT(account.used.cost, 0);
  EXPECT_EQ(account.reserved, platform::Quantity()) << "what was settled is held no more";
}

TEST(Budgets, AParkedRunGoesOnWhenItsBudgetIsRaised) {
  Platform p(kTwoTurns);
  p.prices = priced();
  p.deploy("parked", "  budgets: {calls: 1, on_budget: park}");
  auto run = p.start("parked", "go");
  ASSERT_TRUE(eventually([&] { return p.status(run)["phase"] == "budget"; })) << p.status(run).dump();
  EXPECT_EQ((*p.store().account(run.workflow_id()))->waiting_on, run.workflow_id());
  p.stop_workers();
  p.start_workers();
  platform::BudgetLimits limits;
  limits.calls = 5;
  raise(p, run, limits);
  EXPECT_EQ(p.finish(run).output, "done");
  EXPECT_EQ(p.scripted->requests(), 2u);
  EXPECT_EQ((*p.store().account(run.workflow_id()))->waiting_on, "");
}

TEST(Budgets, CallsOfToolsAreCountedBeforeTheyAreMade) {
  Platform p(R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: note, arguments: {text: one}}]
  - when: {turn: 1}
    tool_calls: [{name: note, arguments: {text: two}}]
  - when: {turn: 2}
    text: done
)");
  p.deploy("tools", "  budgets: {tool_calls: 1}");
  auto run = p.start("tools", "go");
  EXPECT_THAT(failure_of(p, run), AllOf(HasSubstr("BudgetExceeded"), HasSubstr("`tool_calls`")));
  EXPECT_EQ(p.receiver->deliveries(), 1);
}

TEST(Budgets, ASubAgentDrawsOnItsParentsBudget) {
  Platform p(R"(
replies:
  - when: {model: head, turn: 0}
    tool_calls: [{name: ask_hand, arguments: {input: Who ordered 7}}]
  - when: {model: head, turn: 1}
    text: "It says: {{last}}"
  - when: {model: hand, turn: 0}
    tool_calls: [{name: lookup, arguments: {order_id: 7}}]
  - when: {model: hand, turn: 1}
    text: Ada did.
)");
  p.deploy("hand");
  p.deploy("head", "  budgets: {calls: 2, on_budget: park}",
           "    - {name: ask_hand, type: agent, agent: hand}");
  auto run = p.start("head", "go");
  const std::string id = run.workflow_id();
  std::vector<std::string> waiting;
  ASSERT_TRUE(eventually([&] {
    platform::Raise same;
    same.run = id;
    same.limits.calls = 2;
    auto raised = p.store().raise_budget(same);
    if (raised) waiting = raised->waiting;
    return waiting.size() == 1;
  })) << "the sub-agent waits for its caller's budget";
  EXPECT_NE(waiting.front(), id);
  platform::Raise more;
  more.run = id;
  more.limits.calls = 10;
  ASSERT_TRUE(p.store().raise_budget(more));
  agent::BudgetNews news;
  news.run = id;
  auto told = p.client().workflow(waiting.front()).update<Json>(protocol::kBudgetUpdate, news);
  ASSERT_TRUE(told.has_value() && told->ok());
  EXPECT_EQ(p.finish(run).output, "It says: Ada did.");
  const platform::Account account = **p.store().account(id);
  EXPECT_EQ(account.used.calls, 4);
  EXPECT_EQ(account.used.tool_calls, 2);
  EXPECT_EQ(p.store().usage_of_run(id)->calls, 2);
}

TEST(Budgets, AnAttemptThatBrokeOffKeepsWhatItHeld) {
  Platform p(R"(
replies:
  - text: one two three four
    faults: [{cut_after: 2, first: 1}]
)");
  p.prices = priced();
  p.deploy("cut", "  budgets: {money: 1.00 USD}");
  auto run = p.start("cut", "go");
  EXPECT_EQ(p.finish(run).output, "one two three four");
  const platform::Account account = **p.store().account(run.workflow_id());
  EXPECT_EQ(account.used.calls, 1);
  EXPECT_EQ(account.reserved.calls, 1) << "nobody knows what the first attempt used";
  EXPECT_GT(account.reserved.money, 0);
}

TEST(Budgets, WhatWasRefusedAsAWholeIsLetGo) {
  Platform p(R"(
replies:
  - text: Patience.
    faults: [{status: 429, retry_after: "0", first: 1}]
)");
  p.prices = priced();
  p.deploy("again", "  budgets: {money: 1.00 USD}");
  auto run = p.start("again", "go");
  p.finish(run);
  EXPECT_EQ((*p.store().account(run.workflow_id()))->reserved, platform::Quantity());
}

TEST(Budgets, AnAbsurdUsageIsNotBookedAsTold) {
  Platform p(R"(
replies:
  - text: done
    usage: {input: 900000000, output: 900000000}
)");
  p.prices = priced();
  p.deploy("absurd", "  budgets: {money: 0.50 USD}");
  auto run = p.start("absurd", "go");
  EXPECT_EQ(p.finish(run).output, "done");
  const platform::UsageTotal total = *p.store().usage_of_run(run.workflow_id());
  EXPECT_LT(total.input_tokens, 100'000);
  EXPECT_LE(total.output_tokens, 1'024);
  EXPECT_LT(total.cost, 500'000'000);
  bool told = false;
  for (const platform::Event& event : p.events(run.workflow_id()))
    told = told || event.data.find("\"usage_told\"") != std::string::npos;
  EXPECT_TRUE(told);
}

TEST(Budgets, WallTimeEndsARunThatWaits) {
  if (std::getenv("HOLDFAST_E2E_ENGINE")) GTEST_SKIP() << "the clock of a Temporal server does not jump";
  Platform p(
      "replies:\n  - when: {turn: 0}\n    tool_calls: [{name: pause, arguments: {duration: 3h}}]\n"
      "  - when: {turn: 1}\n    text: done\n");
  p.deploy("late", "  budgets: {wall_time: 1h}", "    - {name: pause, type: wait, wait: {max: 30d}}");
  auto run = p.start("late", "go");
  ASSERT_TRUE(eventually([&] { return p.count_events(run.workflow_id(), "step.started") == 2; }));
  p.skip(std::chrono::minutes(61));
  EXPECT_THAT(failure_of(p, run), AllOf(HasSubstr("BudgetExceeded"), HasSubstr("`wall_time`")));
}

}  // namespace
}  // namespace holdfast::e2e
