#pragma once

// The contract of accounts, budgets, usage and bills (platform/contract.h): nothing is spent that was not
// held before, however many want it at once and whenever the process dies, and what was used is counted once.

#include <gmock/gmock.h>

#include <atomic>
#include <thread>
#include <vector>

#include "platform/budget_rules.h"
#include "platform/contract.h"
#include "platform/step_rules.h"

namespace holdfast::platform {

namespace contract {

inline StepWrite opening(const std::string& run, const BudgetLimits& limits, const std::string& parent = {}) {
  StepWrite step;
  step.key = "begin-" + run;
  step.run = run;
  step.result = "{}";
  step.account.emplace();
  step.account->run = run;
  step.account->parent = parent;
  step.account->agent = "a";
  step.account->version = "v1";
  step.account->limits = limits;
  return step;
}

inline Reservation wanting(const std::string& key, const std::string& run, std::int64_t tokens,
                           std::int64_t money) {
  Reservation out;
  out.key = key;
  out.run = run;
  out.most.tokens = tokens;
  out.most.money = money;
  out.most.calls = 1;
  out.priced = true;
  out.model = "m";
  return out;
}

inline Usage used(const std::string& key, const std::string& run, std::int64_t tokens,
                  std::optional<std::int64_t> cost) {
  Usage out;
  out.key = key;
  out.run = run;
  out.agent = "a";
  out.version = "v1";
  out.provider = "openai";
  out.model = "m";
  out.input_tokens = tokens;
  out.cost = cost;
  out.price_as_of = cost ? "2026-11-28" : "";
  return out;
}

inline Usage tool_call(const std::string& key, const std::string& run) {
  Usage out = used(key, run, 0, std::nullopt);
  out.provider = out.model = "";
  out.tool = "refund";
  return out;
}

}  // namespace contract

// 1,000 calls of 20 sub-agents want to spend at once what is enough for 137 of them; the process dies in
// between.
TEST_P(StoreContract, RacingReservationsNeverOverspend) {
  constexpr int kChildren = 20;
  constexpr int kThreads = 8;
  constexpr int kOfEach = 125;
  constexpr std::int64_t kPrice = 1'000;
  constexpr std::int64_t kEnough = 137;
  BudgetLimits limits;
  limits.money = kEnough * kPrice + kPrice - 1;
  ASSERT_TRUE(store_->commit_step(contract::opening("root", limits)));
  for (int i = 0; i < kChildren; ++i)
    ASSERT_TRUE(store_->commit_step(contract::opening("child-" + std::to_string(i), {}, "root")));
  std::atomic<int> granted = 0;
  std::atomic<int> failed = 0;
  const auto race = [&](int thread, int from, int to) {
    for (int i = from; i < to; ++i) {
      const std::string run = "child-" + std::to_string(i % kChildren);
      auto reserved = store_->reserve(
          contract::wanting(std::to_string(thread) + "/" + std::to_string(i), run, 10, kPrice));
      if (!reserved) ++failed;
      if (reserved && !reserved->refused) ++granted;
    }
  };
  const auto all_at_once = [&](int from, int to) {
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) threads.emplace_back(race, t, from, to);
    for (std::thread& thread : threads) thread.join();
  };
  all_at_once(0, 10);
  close();  // nothing is settled: what was held outlives who held it
  open();
  all_at_once(0, kOfEach);  // the first 80 again, under their keys
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(granted, kEnough + 80) << "the first 80 hold once, and are told so twice";
  const Account root = **store_->account("root");
  EXPECT_EQ(root.reserved.money, kEnough * kPrice);
  EXPECT_EQ(root.reserved.calls, kEnough);
  std::int64_t of_children = 0;
  for (int i = 0; i < kChildren; ++i)
    of_children += (*store_->account("child-" + std::to_string(i)))->reserved.money;
  EXPECT_EQ(of_children, root.reserved.money);
}

TEST_P(StoreContract, WhatIsSettledIsBookedOnceAndTheRestIsFree) {
  BudgetLimits limits;
  limits.money = 1'000;
  limits.tokens = 100;
  ASSERT_TRUE(store_->commit_step(contract::opening("r", limits)));
  EXPECT_FALSE(store_->reserve(contract::wanting("r/1", "r", 60, 800))->refused);
  auto refused = store_->reserve(contract::wanting("r/2", "r", 60, 100));
  ASSERT_TRUE(refused->refused);
  EXPECT_EQ(refused->refused->budget, Budget::kTokens);
  EXPECT_EQ(refused->refused->run, "r");
  EXPECT_FALSE(refused->refused->park);
  refused = store_->reserve(contract::wanting("r/3", "r", 10, 201));
  ASSERT_TRUE(refused->refused);
  EXPECT_EQ(refused->refused->budget, Budget::kMoney);
  EXPECT_THAT(refused->refused->message, ::testing::HasSubstr("holdfast budget r --money"));
  StepWrite step;
  step.key = "turn-1";
  step.run = "r";
  step.result = "{}";
  step.usage = {contract::used("turn-1", "r", 20, 300)};
  step.settles = "r/1";
  ASSERT_TRUE(store_->commit_step(step));
  close();
  open();
  ASSERT_TRUE(store_->commit_step(step));
  Account account = **store_->account("r");
  EXPECT_EQ(account.used.cost, 300);
  EXPECT_EQ(account.used.input_tokens, 20);
  EXPECT_EQ(account.used.calls, 1);
  EXPECT_EQ(account.reserved, Quantity());
  EXPECT_FALSE(store_->reserve(contract::wanting("r/3", "r", 10, 201))->refused);
  // One that nobody settled stays held; one that used nothing is let go.
  ASSERT_TRUE(store_->settle_reservation("r/3").ok());
  ASSERT_TRUE(store_->settle_reservation("r/3").ok());
  EXPECT_EQ((*store_->account("r"))->reserved, Quantity());
}

TEST_P(StoreContract, ASubAgentDrawsOnTheBudgetsAboveIt) {
  BudgetLimits of_root;
  of_root.calls = 2;
  of_root.depth = 1;
  BudgetLimits of_child;
  of_child.money = 50;
  ASSERT_TRUE(store_->commit_step(contract::opening("root", of_root)));
  ASSERT_TRUE(store_->commit_step(contract::opening("child", of_child, "root")));
  EXPECT_TRUE((*store_->account("child"))->budgeted);
  auto too_deep = store_->commit_step(contract::opening("grandchild", {}, "child"));
  ASSERT_FALSE(too_deep);
  ASSERT_TRUE(refusal_of(too_deep.error()));
  EXPECT_EQ(refusal_of(too_deep.error())->budget, Budget::kDepth);
  EXPECT_EQ(refusal_of(too_deep.error())->run, "root");
  EXPECT_FALSE(store_->account("grandchild")->has_value());
  EXPECT_EQ(store_->reserve(contract::wanting("c/1", "child", 1, 51))->refused->run, "child");
  EXPECT_FALSE(store_->reserve(contract::wanting("c/1", "child", 1, 50))->refused);
  EXPECT_FALSE(store_->reserve(contract::wanting("r/1", "root", 1, 1'000))->refused);
  EXPECT_EQ(store_->reserve(contract::wanting("c/2", "child", 1, 0))->refused->run, "root");
  ASSERT_TRUE(store_->settle_reservation("c/1", {contract::used("c/1", "child", 7, 40)}).ok());
  EXPECT_EQ((*store_->account("root"))->used.cost, 40);
  EXPECT_EQ((*store_->account("root"))->used.calls, 1);
  EXPECT_EQ(store_->usage_of_run("root")->calls, 0);
  EXPECT_EQ(store_->usage_of_run("child")->input_tokens, 7);
}

TEST_P(StoreContract, AnUnknownPriceIsNotNothing) {
  BudgetLimits limits;
  limits.money = 1'000;
  StepWrite step = contract::opening("r", limits);
  step.account->model_without_price = "`m` at h";
  auto refused = store_->commit_step(step);
  ASSERT_FALSE(refused);
  ASSERT_TRUE(refusal_of(refused.error()));
  EXPECT_TRUE(refusal_of(refused.error())->unpriced);
  EXPECT_THAT(refused.error().message(), ::testing::HasSubstr("--prices"));
  step.account->limits.money.reset();
  step.account->limits.tokens = 10;
  ASSERT_TRUE(store_->commit_step(step));
  ASSERT_TRUE(store_->record_usage(contract::used("u1", "r", 5, std::nullopt)).ok());
  ASSERT_TRUE(store_->record_usage(contract::used("u2", "r", 5, 7)).ok());
  const UsageTotal total = *store_->usage_of_run("r");
  EXPECT_EQ(total.calls, 2);
  EXPECT_EQ(total.unpriced_calls, 1);
  EXPECT_EQ(total.cost, 7);
  EXPECT_EQ(total.price_as_of, "2026-11-28");
  EXPECT_EQ((*store_->account("r"))->used, total);
}

TEST_P(StoreContract, WhoWaitsForABudgetIsFoundWhenItIsRaised) {
  BudgetLimits limits;
  limits.money = 100;
  limits.tool_calls = 1;
  limits.park = true;
  ASSERT_TRUE(store_->commit_step(contract::opening("root", limits)));
  ASSERT_TRUE(store_->commit_step(contract::opening("child", {}, "root")));
  EXPECT_TRUE(store_->reserve(contract::wanting("c/1", "child", 1, 101))->refused->park);
  EXPECT_EQ((*store_->account("child"))->waiting_on, "root");
  Raise raise;
  raise.run = "root";
  raise.limits.money = 99;
  EXPECT_EQ(store_->raise_budget(raise).error().code(), Code::kInvalidArgument) << "lower";
  raise.limits.money = 200;
  raise.limits.tokens = 5;
  EXPECT_EQ(store_->raise_budget(raise).error().code(), Code::kInvalidArgument) << "none that it has";
  raise.limits.tokens.reset();
  raise.by = "mara";
  EXPECT_THAT(store_->raise_budget(raise)->waiting, ::testing::ElementsAre("child"));
  const auto said = *store_->audit_rows("root", 10);
  const auto row = std::ranges::find(said, kBudgetRaised, &AuditRow::action);
  ASSERT_NE(row, said.end());
  EXPECT_EQ(row->actor, "mara");
  EXPECT_EQ(row->detail, R"({"money_nanos":200})");
  EXPECT_EQ(std::ranges::count(said, kBudgetRaised, &AuditRow::action), 1) << "what was refused is no raise";
  close();
  open();
  EXPECT_FALSE(store_->reserve(contract::wanting("c/1", "child", 1, 101))->refused);
  EXPECT_EQ((*store_->account("child"))->waiting_on, "");
  // A tool call is booked when it is let in, and once.
  EXPECT_FALSE(
      store_->reserve(contract::wanting("t1", "child", 0, 0), contract::tool_call("t1", "child"))->refused);
  EXPECT_FALSE(
      store_->reserve(contract::wanting("t1", "child", 0, 0), contract::tool_call("t1", "child"))->refused);
  EXPECT_EQ(store_->reserve(contract::wanting("t2", "root", 0, 0), contract::tool_call("t2", "root"))
                ->refused->budget,
            Budget::kToolCalls);
  EXPECT_EQ((*store_->account("root"))->used.tool_calls, 1);
  raise.run = "nobody";
  EXPECT_EQ(store_->raise_budget(raise).error().code(), Code::kNotFound);
}

TEST_P(StoreContract, WallTimeEndsAtItsTime) {
  BudgetLimits limits;
  limits.deadline = clock_.now() + std::chrono::hours(1);
  ASSERT_TRUE(store_->commit_step(contract::opening("r", limits)));
  EXPECT_FALSE(store_->reserve(contract::wanting("1", "r", 1, 1))->refused);
  clock_.ns += std::chrono::nanoseconds(std::chrono::hours(1)).count();
  EXPECT_EQ(store_->reserve(contract::wanting("2", "r", 1, 1))->refused->budget, Budget::kWallTime);
  Raise raise;
  raise.run = "r";
  raise.wall_time = std::chrono::hours(2);
  EXPECT_EQ(store_->raise_budget(raise)->account.limits.deadline, *limits.deadline + std::chrono::hours(1));
  EXPECT_FALSE(store_->reserve(contract::wanting("2", "r", 1, 1))->refused);
}

TEST_P(StoreContract, UsageAddsUpByWhatIsAsked) {
  const std::int64_t today = rules::day_of(clock_.now());
  ASSERT_TRUE(store_->record_usage(contract::used("1", "r1", 10, 5)).ok());
  ASSERT_TRUE(store_->record_usage(contract::used("1", "r1", 10, 5)).ok()) << "counts once";
  Usage other = contract::used("2", "r2", 3, std::nullopt);
  other.agent = "b";
  other.model = "n";
  other.uncounted = true;
  ASSERT_TRUE(store_->record_usage(other).ok());
  ASSERT_TRUE(store_->record_usage(contract::tool_call("t", "r1")).ok());
  clock_.ns += std::chrono::nanoseconds(std::chrono::hours(24)).count();
  ASSERT_TRUE(store_->record_usage(contract::used("3", "r1", 1, 100)).ok());
  close();
  open();
  UsageQuery query;
  query.from = today;
  query.to = today + 1;
  UsageReport report = *store_->usage_report(query);
  ASSERT_EQ(report.lines.size(), 2u);
  EXPECT_EQ(report.lines[0].name, "a");
  EXPECT_EQ(report.lines[0].used.calls, 2);
  EXPECT_EQ(report.lines[0].used.tool_calls, 1);
  EXPECT_EQ(report.lines[0].used.cost, 105);
  EXPECT_EQ(report.lines[1].used.unpriced_calls, 1);
  EXPECT_EQ(report.lines[1].used.uncounted_calls, 1);
  EXPECT_EQ(report.total.input_tokens, 14);
  EXPECT_FALSE(report.more);
  query.by = UsageBy::kDay;
  report = *store_->usage_report(query);
  ASSERT_EQ(report.lines.size(), 2u);
  EXPECT_EQ(report.lines[0].day, today + 1);
  EXPECT_EQ(report.lines[1].used.calls, 2);
  query.by = UsageBy::kTool;
  report = *store_->usage_report(query);
  ASSERT_EQ(report.lines.size(), 1u);
  EXPECT_EQ(report.lines[0].name, "refund");
  EXPECT_EQ(report.lines[0].of, "a");
  query.by = UsageBy::kModel;
  query.from = query.to = today;
  report = *store_->usage_report(query);
  ASSERT_EQ(report.lines.size(), 2u);
  EXPECT_EQ(report.lines[0].name, "m");
  EXPECT_EQ(report.lines[0].of, "openai");
  EXPECT_EQ(report.total.cost, 5);
  query.by = UsageBy::kVersion;
  EXPECT_EQ(store_->usage_report(query)->lines.size(), 2u);
  query.from = query.to = today + 7;
  EXPECT_TRUE(store_->usage_report(query)->lines.empty());
  EXPECT_EQ(store_->usage_report(query)->total, UsageTotal());
}

TEST_P(StoreContract, ARunHasOneBillWhichOutlivesItsHistory) {
  ASSERT_TRUE(store_->commit_step(contract::opening("r", {})));
  ASSERT_TRUE(store_->commit_step(contract::opening("child", {}, "r")));
  ASSERT_TRUE(store_->record_usage(contract::used("1", "r", 10, 5)).ok());
  ASSERT_TRUE(store_->record_usage(contract::used("2", "child", 1, 2)).ok());
  EXPECT_FALSE(store_->reserve(contract::wanting("r/9", "r", 4, 30))->refused);
  EXPECT_FALSE(store_->bill("r")->has_value());
  Bill ended;
  ended.run = "r";
  ended.agent = "a";
  ended.status = "terminated";
  ended.ended_at = clock_.now();
  const Bill bill = *store_->write_bill(ended);
  EXPECT_EQ(bill.used.cost, 7);
  EXPECT_EQ(bill.used.calls, 2);
  EXPECT_EQ(bill.unsettled_cost, 30);
  EXPECT_EQ(bill.version, "v1");
  ended.status = "completed";
  EXPECT_EQ(store_->write_bill(ended)->status, "terminated") << "the first stands";
  GoneHistory gone;
  gone.run = "r";
  ASSERT_TRUE(store_->forget_histories({gone}).ok());
  close();
  open();
  ASSERT_TRUE(store_->bill("r")->has_value());
  EXPECT_EQ((*store_->bill("r"))->used, bill.used);
  EXPECT_EQ((*store_->bill("r"))->ended_at, bill.ended_at);
  // A run of an earlier version has no account.
  ASSERT_TRUE(store_->record_usage(contract::used("3", "old", 4, 4)).ok());
  ended.run = "old";
  EXPECT_EQ(store_->write_bill(ended)->used.cost, 4);
}

TEST_P(StoreContract, UsageThatCannotBeIsRefused) {
  Usage usage = contract::used("1", "r", -1, 1);
  EXPECT_EQ(store_->record_usage(usage).code(), Code::kInvalidArgument);
  usage.input_tokens = rules::kMaxTokensOfCall + 1;
  EXPECT_EQ(store_->record_usage(usage).code(), Code::kInvalidArgument);
  usage.input_tokens = 1;
  usage.cost = -1;
  EXPECT_EQ(store_->record_usage(usage).code(), Code::kInvalidArgument);
  EXPECT_EQ(store_->usage_of_run("r")->calls, 0);
}

}  // namespace holdfast::platform
