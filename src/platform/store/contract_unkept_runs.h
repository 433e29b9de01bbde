#pragma once

// The contract of runs that are not kept (platform/contract.h): that they are not is stored with their start,
// holds for what they call, and what was said in them goes with their history. What is accounted by stays.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/sha256.h"
#include "platform/contract.h"
#include "platform/contract_budgets.h"

namespace holdfast::platform {

namespace contract {

inline StartIntent unkept_intent(const std::string& run) {
  StartIntent intent;
  intent.run = run;
  intent.agent = "a";
  intent.input = R"("a secret")";
  intent.settings = R"({"response":{"instructions":"another secret"}})";
  intent.keep = false;
  return intent;
}

inline StepWrite said_in(const std::string& run, const Reference& expected) {
  StepWrite step;
  step.key = "step-" + run;
  step.run = run;
  step.expected = expected;
  step.messages = {R"("a secret")"};
  return step;
}

inline GoneHistory gone(const std::string& run) {
  GoneHistory out;
  out.run = run;
  out.status = "completed";
  return out;
}

inline std::vector<std::string> runs_of(const Result<std::vector<UnkeptRun>>& found) {
  std::vector<std::string> out;
  for (const UnkeptRun& one : *found) out.push_back(one.run);
  return out;
}

}  // namespace contract

TEST_P(StoreContract, WhatWasSaidInARunThatIsNotKeptGoesWithItsHistory) {
  ASSERT_TRUE(store_->start_run(contract::unkept_intent("r"))->created);
  ASSERT_TRUE(store_->commit_step(contract::said_in("r", Store::empty_conversation("r"))));
  EffectIntent effect;
  effect.key = "unsettled";
  effect.run = "r";
  effect.tool = "refund";
  effect.arguments_sha256 = sha256_hex("{}");
  ASSERT_TRUE(store_->begin_effect(effect));
  Bill bill;
  bill.run = "r";
  ASSERT_TRUE(store_->write_bill(bill));
  close();
  open();
  ASSERT_TRUE(store_->unkept_run("r")->has_value()) << "it is stored with the start";
  EXPECT_FALSE((*store_->unkept_run("r"))->forgotten_at);
  EXPECT_EQ(store_->head("r", 0)->sequence, 1u) << "it is there for as long as its history";
  const auto record = store_->audit_rows("r", 10)->size();

  ASSERT_TRUE(store_->forget_histories({contract::gone("r")}).ok());
  ASSERT_TRUE(store_->forget_histories({contract::gone("r")}).ok());
  close();
  open();
  EXPECT_EQ(store_->head("r", 0).error().code(), Code::kNotFound);
  EXPECT_FALSE(store_->lookup_step("step-r")->has_value());
  EXPECT_EQ(store_->run_settings("r").value(), "");
  EXPECT_EQ(store_->run("r")->input, "null");
  EXPECT_EQ(store_->run("r")->agent, "a");
  EXPECT_TRUE(store_->bill("r")->has_value());
  EXPECT_TRUE(store_->lookup_effect("unsettled")->has_value());
  EXPECT_EQ(store_->audit_rows("r", 10)->size(), record);
  EXPECT_EQ((*store_->gone_history("r"))->status, "completed");
  EXPECT_TRUE((*store_->unkept_run("r"))->forgotten_at) << "that it was not kept is known for good";
  EXPECT_TRUE(store_->unkept_runs("", "", 10)->empty());
  EXPECT_FALSE(store_->start_run(contract::unkept_intent("r"))->created) << "the same request is that run";
}

TEST_P(StoreContract, WhatARunThatIsNotKeptCallsIsNotKeptEither) {
  for (const char* run : {"kept", "r"}) {
    StartIntent intent = contract::unkept_intent(run);
    intent.keep = intent.run == "kept";
    ASSERT_TRUE(store_->start_run(intent));
    const std::string child = intent.run + "-child";
    ASSERT_TRUE(store_->commit_step(contract::opening(run, {})));
    ASSERT_TRUE(store_->commit_step(contract::opening(child, {}, run)));
    ASSERT_TRUE(store_->commit_step(contract::opening(child + "-child", {}, child)));
    ASSERT_TRUE(store_->keep_as(intent.run + "-news", run).ok());
  }
  EXPECT_FALSE(store_->unkept_run("kept-child")->has_value());
  EXPECT_THAT(contract::runs_of(store_->unkept_runs("", "", 10)),
              ::testing::ElementsAre("r", "r-child", "r-child-child", "r-news"));
  EXPECT_THAT(contract::runs_of(store_->unkept_runs("r", "r-child", 1)),
              ::testing::ElementsAre("r-child-child"));
  EXPECT_EQ((*store_->unkept_run("r-child-child"))->root, "r");
  ASSERT_TRUE(store_->commit_step(contract::said_in("r-child", Store::empty_conversation("r-child"))));
  ASSERT_TRUE(store_->forget_histories({contract::gone("r"), contract::gone("kept")}).ok());
  EXPECT_EQ(store_->head("r-child", 0)->sequence, 1u) << "its history is there still";
  EXPECT_EQ(store_->run("kept")->input, R"("a secret")");
  ASSERT_TRUE(store_->forget_histories({contract::gone("r-child")}).ok());
  EXPECT_EQ(store_->head("r-child", 0).error().code(), Code::kNotFound);
  EXPECT_THAT(contract::runs_of(store_->unkept_runs("r", "", 10)),
              ::testing::ElementsAre("r-child-child", "r-news"));
}

TEST_P(StoreContract, AConversationThatAnotherRunCameToStays) {
  for (const char* conversation : {"own", "shared"}) {
    StartIntent intent = contract::unkept_intent(std::string("in-") + conversation);
    intent.conversation = conversation;
    intent.history = {R"("said before")", R"("and that")"};
    ASSERT_TRUE(store_->start_run(intent)->created);
    EXPECT_EQ(store_->head(conversation, 0)->sequence, 2u) << "it begins with the history, at once";
    EXPECT_FALSE(store_->start_run(intent)->created);
    EXPECT_EQ(store_->head(conversation, 0)->sequence, 2u);
  }
  StartIntent other;
  other.run = "other";
  other.agent = "a";
  other.conversation = "shared";
  other.history = {R"("too late")"};
  ASSERT_TRUE(store_->start_run(other));
  EXPECT_EQ(store_->head("shared", 0)->sequence, 2u) << "what was said there stays as it is";
  ASSERT_TRUE(store_->forget_histories({contract::gone("in-own"), contract::gone("in-shared")}).ok());
  EXPECT_EQ(store_->head("own", 0).error().code(), Code::kNotFound);
  EXPECT_EQ(store_->head("shared", 0)->sequence, 2u);
}

}  // namespace holdfast::platform
