#pragma once

// The contract of lists and counts (platform/contract.h): each run is in one bin and stands there as the
// store has it written down, a time leaves out nothing that is in it, and pages neither repeat nor skip.

#include <gmock/gmock.h>

#include <map>
#include <string>
#include <vector>

#include "platform/contract.h"
#include "platform/contract_budgets.h"

namespace holdfast::platform {

namespace contract {

inline void start(Store& store, const std::string& run, const std::string& agent,
                  const std::string& conversation = {}) {
  StartIntent intent;
  intent.run = run;
  intent.agent = agent;
  intent.input = "{}";
  intent.conversation = conversation;
  ASSERT_TRUE(store.start_run(intent));
}

inline void end(Store& store, const std::string& run, const std::string& status) {
  Bill bill;
  bill.run = run;
  bill.status = status;
  ASSERT_TRUE(store.write_bill(bill));
}

}  // namespace contract

TEST_P(StoreContract, RunsOfATimeComeInPages) {
  using std::chrono::seconds;
  const WallTime begin = clock_.now();
  for (const char* run : {"r0", "r1", "r2", "r3", "r4"}) {
    contract::start(*store_, run, run == std::string("r2") ? "other" : "a");
    clock_.ns += 1'000'000'000;
  }
  // A clock that was set back: the newest row is of an earlier time.
  clock_.ns -= 4'000'000'000;
  contract::start(*store_, "back", "a");
  const auto listed = [&](const std::string& agent, const TimeRange& range) {
    RunFilter filter;
    filter.agent = agent;
    filter.limit = 2;
    std::vector<std::string> seen;
    for (auto page = index_->runs(filter, range); page && !page->empty();
         page = index_->runs(filter, range)) {
      for (const RunRecord& run : *page) seen.push_back(run.run);
      filter.after = seen.back();
    }
    return seen;
  };
  TimeRange range;
  EXPECT_THAT(listed("", range), ::testing::ElementsAre("back", "r4", "r3", "r2", "r1", "r0"));
  range.from = begin + seconds(1);
  range.to = begin + seconds(3);
  EXPECT_THAT(listed("", range), ::testing::ElementsAre("back", "r2", "r1"));
  EXPECT_THAT(listed("a", range), ::testing::ElementsAre("back", "r1"));
  range.to.reset();
  EXPECT_THAT(listed("other", range), ::testing::ElementsAre("r2"));
  range.to = range.from;
  EXPECT_THAT(listed("", range), ::testing::IsEmpty());
  RunFilter filter;
  filter.after = "none";
  EXPECT_EQ(index_->runs(filter, {}).error().code(), Code::kInvalidArgument);
}

TEST_P(StoreContract, EachRunIsCountedOnceAsItStands) {
  EXPECT_FALSE(index_->run_span()->has_value());
  const WallTime begin = clock_.now();
  for (const char* run : {"queued", "running", "paused", "parked", "asked", "done", "failed"}) {
    contract::start(*store_, run, run == std::string("failed") ? "other" : "a");
    if (run != std::string("queued")) ASSERT_TRUE(store_->mark_started(run, "engine").ok());
    clock_.ns += 1'000'000'000;
  }
  for (const auto& [run, kind] :
       {std::pair("paused", protocol::HoldKind::kPaused), std::pair("parked", protocol::HoldKind::kParked)}) {
    HeldRun held;
    held.run = run;
    held.kind = kind;
    ASSERT_TRUE(store_->hold_run(held).ok());
  }
  for (const char* run : {"asked", "done"}) {
    Approval approval;
    approval.id = std::string("of-") + run;
    approval.run = run;
    approval.tool = "pay";
    ASSERT_TRUE(store_->request_approval(approval));
  }
  contract::end(*store_, "done", "completed");  // whatever else a row says
  contract::end(*store_, "failed", "failed");

  const auto span = index_->run_span();
  ASSERT_TRUE(span && *span);
  EXPECT_EQ((*span)->first, begin);
  EXPECT_EQ((*span)->second, begin + std::chrono::seconds(6));
  RunCountQuery query;
  query.from = query.origin = begin;
  query.to = begin + std::chrono::seconds(7);
  query.width = std::chrono::seconds(2);
  const auto counted = [&] {
    std::map<std::string, std::int64_t> out;
    for (const RunCount& one : *index_->run_counts(query))
      out[std::to_string(one.bin) + " " + one.status] += one.count;
    return out;
  };
  EXPECT_THAT(counted(), ::testing::ElementsAre(std::pair("0 queued", 1), std::pair("0 running", 1),
                                                std::pair("1 parked", 1), std::pair("1 paused", 1),
                                                std::pair("2 completed", 1), std::pair("2 waiting", 1),
                                                std::pair("3 failed", 1)));
  query.agent = "other";
  EXPECT_THAT(counted(), ::testing::ElementsAre(std::pair("3 failed", 1)));
  query.agent.clear();
  query.from = begin + std::chrono::seconds(5);
  query.to = begin + std::chrono::seconds(6);
  EXPECT_THAT(counted(), ::testing::ElementsAre(std::pair("2 completed", 1)));
}

TEST_P(StoreContract, ConversationsComeByTheirNewestRun) {
  contract::start(*store_, "alone", "a");
  contract::start(*store_, "a1", "a", "first");
  contract::start(*store_, "b1", "a", "second");
  clock_.ns += 1'000'000'000;
  contract::start(*store_, "a2", "a", "first");
  const auto page = index_->conversations("", 1);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->size(), 1u);
  EXPECT_EQ(page->front().id, "first");
  EXPECT_EQ(page->front().newest, "a2");
  EXPECT_EQ(page->front().runs, 2);
  EXPECT_EQ(page->front().at, clock_.now());
  const auto next = index_->conversations(page->front().newest, 10);
  ASSERT_EQ(next->size(), 1u);
  EXPECT_EQ(next->front().id, "second");
  EXPECT_EQ(index_->conversations("none", 10).error().code(), Code::kInvalidArgument);
}

TEST_P(StoreContract, BudgetsAreListedWithWhoWaitsForThem) {
  BudgetLimits limits;
  limits.tokens = 10;
  limits.park = true;
  const auto open = [&](const std::string& run, const BudgetLimits& of, const std::string& parent = {}) {
    ASSERT_TRUE(store_->commit_step(contract::opening(run, of, parent)));
    clock_.ns += 1'000'000'000;
  };
  open("tight", limits);
  open("child", BudgetLimits(), "tight");
  open("free", BudgetLimits());
  limits.tokens = 1000;
  open("wide", limits);
  contract::end(*store_, "wide", "completed");
  const auto refused = store_->reserve(contract::wanting("k", "child", 11, 0), std::nullopt);
  ASSERT_TRUE(refused && refused->refused && refused->refused->run == "tight");

  const auto all = index_->budgets({});
  ASSERT_TRUE(all) << all.error().to_string();
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ(all->front().account.run, "wide");
  EXPECT_EQ(all->front().status, "completed");
  EXPECT_EQ(all->front().waiting, 0);
  EXPECT_EQ(all->back().account.run, "tight");
  EXPECT_EQ(all->back().account.limits.tokens, 10);
  EXPECT_EQ(all->back().status, "");
  EXPECT_EQ(all->back().waiting, 1);
  BudgetFilter filter;
  filter.limit = 1;
  filter.after = "wide";
  EXPECT_EQ(index_->budgets(filter)->front().account.run, "tight");
  filter.after = "none";
  EXPECT_EQ(index_->budgets(filter).error().code(), Code::kInvalidArgument);
  filter.after.clear();
  filter.waiting = true;
  ASSERT_EQ(index_->budgets(filter)->size(), 1u);
  EXPECT_EQ(index_->budgets(filter)->front().account.run, "tight");
}

}  // namespace holdfast::platform
