#pragma once

// The contract of the outbox (platform/contract.h): what a step tells is as durable as the step, is told
// once, and comes back when the log has lost it. Erasing the log stands for a crash that took it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "platform/contract.h"
#include "platform/contract_streams.h"

namespace holdfast::platform {

inline StepWrite plain_step(const std::string& key) {
  StepWrite step;
  step.key = key;
  step.run = "r";
  step.result = "{}";
  return step;
}

inline std::vector<OutboxRow> rows_of(Store& store) {
  return *dynamic_cast<OutboxTable&>(store).outbox_rows(0);
}

inline std::string text_of(Streams& streams, const std::string& step) {
  std::string text;
  const Result<ChunkPage> page = streams.read_chunks("r", step, 0, 0, 100);
  for (const Chunk& chunk : page->chunks) text += chunk.text;
  return text;
}

TEST_P(StoreContract, WhatAStepTellsComesBackWhenTheLogLostIt) {
  ASSERT_TRUE(streams_->publish_soon("r", "step.started", "{}", "step/1/started").ok());
  auto writer = *streams_->open("r", "1", 1);
  ASSERT_TRUE(writer->append("Hel").ok());
  ASSERT_TRUE(writer->append(std::string("lo\0\xc3", 4)).ok());  // bytes, not text
  ASSERT_TRUE(outbox_->commit_step(plain_step("s1"), {{"r", "step.completed", R"({"n":1})", "step/1"},
                                                      {"caller", "step.completed", "{}", "child/1"}}));
  EXPECT_EQ(streams_->publish("r", "later", "{}")->seq, 5u);
  ASSERT_TRUE(streams_->erase({"r", "caller"}).ok());
  close();
  open();
  EXPECT_THAT(types(*streams_->read("r", "", 100)),
              ::testing::ElementsAre("step.started", kDeltaEvent, kDeltaEvent, "step.completed"));
  EXPECT_EQ(text_of(*streams_, "1"), std::string("Hello\0\xc3", 7));
  EXPECT_TRUE((*streams_->find("r", "step/1"))->data == R"({"n":1})");
  EXPECT_EQ(streams_->read("caller", "", 100)->events.size(), 1u);
  EXPECT_THAT(rows_of(*store_), ::testing::IsEmpty());
}

inline Approval asked_to_pay() {
  Approval asked;
  asked.id = "ap";
  asked.run = "r";
  asked.tool = "pay";
  asked.arguments = "{}";
  return asked;
}

// Though somebody else has written the outcome into its row before: only the run tells.
TEST_P(StoreContract, WhatARunTellsOfAnApprovalIsAsDurableAsItsOutcome) {
  const Approval asked = asked_to_pay();
  ASSERT_TRUE(store_->request_approval(asked));
  Approval outcome = asked;
  outcome.status = ApprovalStatus::kApproved;
  ASSERT_TRUE(store_->settle_approval(outcome));
  const std::vector<Told> tells = {{"r", "approval.decided", "{}", "ap/decided"},
                                   {"feed", "approval.decided", "{}", "ap"}};
  ASSERT_TRUE(outbox_->settle_approval(outcome, tells));
  ASSERT_TRUE(outbox_->settle_approval(outcome, tells)) << "an activity retry";
  outcome.status = ApprovalStatus::kRejected;
  EXPECT_EQ(outbox_->settle_approval(outcome, tells).error().code(), Code::kFailedPrecondition);
  EXPECT_EQ(streams_->publish("r", "later", "{}")->seq, 2u) << "told once";
  ASSERT_TRUE(streams_->erase({"r", "feed"}).ok());
  close();
  open();
  EXPECT_EQ(streams_->read("r", "", 100)->events.size(), 1u);
  EXPECT_EQ(streams_->read("feed", "", 100)->events.size(), 1u);
}

// The intent of a call stands in the ledger if and only if it is known how the call was approved.
TEST_P(StoreContract, AnApprovalIsSettledTogetherWithTheIntentOfItsCall) {
  const Approval asked = asked_to_pay();
  ASSERT_TRUE(store_->request_approval(asked));
  EffectIntent intent;
  intent.key = "k";
  intent.run = "r";
  intent.tool = "pay";
  intent.effect = Effect::kAtMostOnce;
  intent.arguments_sha256 = "ab";
  const std::vector<Told> tells = {{"r", "approval.decided", "{}", "ap/decided"}};
  Approval outcome = asked;
  EXPECT_EQ(outbox_->begin_effect(intent, outcome, tells).error().code(), Code::kInvalidArgument)
      << "it is pending: there is no outcome";
  outcome.status = ApprovalStatus::kApproved;
  EXPECT_EQ(outbox_->begin_effect(intent, outcome, tells)->state, EffectState::kFresh);
  EXPECT_EQ(store_->approval("ap")->status, ApprovalStatus::kApproved);
  EXPECT_EQ(outbox_->begin_effect(intent, outcome, tells)->state, EffectState::kUnknown) << "a retry";
  intent.key = "other";
  outcome.status = ApprovalStatus::kRejected;
  EXPECT_EQ(outbox_->begin_effect(intent, outcome, tells).error().code(), Code::kFailedPrecondition);
  EXPECT_FALSE(store_->lookup_effect("other")->has_value()) << "neither is written";
  EXPECT_EQ(streams_->publish("r", "later", "{}")->seq, 2u) << "told once";
  ASSERT_TRUE(streams_->erase({"r"}).ok());
  close();
  open();
  EXPECT_EQ(streams_->read("r", "", 100)->events.size(), 1u);
}

TEST_P(StoreContract, WhatTheLogHasIsNotToldAgain) {
  auto writer = *streams_->open("r", "1", 1);
  ASSERT_TRUE(writer->append("Hel").ok());
  ASSERT_TRUE(writer->flush().ok());
  ASSERT_TRUE(writer->append("lo").ok());
  ASSERT_TRUE(outbox_->commit_step(plain_step("s1"), {{"r", "step.completed", "{}", "step/1"}}));
  EXPECT_EQ(rows_of(*store_).size(), 1u);
  close();  // writes what waits
  open();
  EXPECT_THAT(types(*streams_->read("r", "", 100)),
              ::testing::ElementsAre(kDeltaEvent, kDeltaEvent, kDeltaEvent, "step.completed"));
  EXPECT_EQ(text_of(*streams_, "1"), "Hello");
  // Nor is it added to an attempt that another one has replaced.
  clock_.ns += 1'000'000'000;
  auto second = *streams_->open("r", "1", 1);
  ASSERT_TRUE(second->append("Good").ok());
  ASSERT_TRUE(outbox_->commit_step(plain_step("s2"), {{"r", "step.completed", "{}", "step/2"}}));
  auto third = *streams_->open("r", "1", 1);
  ASSERT_TRUE(third->append("Better").ok());
  close();
  open();
  EXPECT_EQ(text_of(*streams_, "1"), "Better");
}

TEST_P(StoreContract, AStepThatWasThereTellsNothing) {
  ASSERT_TRUE(store_->commit_step(plain_step("s1")));
  const std::vector<Told> told = {{"r", "step.completed", "{}", "step/1"}};
  EXPECT_TRUE(outbox_->commit_step(plain_step("s1"), told)->replayed);
  ASSERT_TRUE(streams_->publish("r", "x", "{}"));
  EXPECT_THAT(types(*streams_->read("r", "", 100)), ::testing::ElementsAre("x"));
  EXPECT_THAT(rows_of(*store_), ::testing::IsEmpty());
  // To a log that is closed nobody tells anything, and the step is done all the same.
  ASSERT_TRUE(streams_->publish("r", "run.closed", "{}", kClosingKey));
  EXPECT_FALSE(outbox_->commit_step(plain_step("s2"), {{"r", "late", "{}", "late"}})->replayed);
  EXPECT_EQ(outbox_->commit_step(plain_step("s3"), {{"r", "x", "{}", ""}}).error().code(),
            Code::kInvalidArgument);
}

TEST_P(StoreContract, ASettlementTellsOnce) {
  EffectIntent intent;
  intent.key = "k";
  intent.run = "r";
  intent.tool = "pay";
  ASSERT_TRUE(store_->begin_effect(intent));
  const auto first = outbox_->settle_effect("r", "k", true, "1", {{"r", "done", "1", "step/1"}});
  EXPECT_TRUE(first->second);
  EXPECT_EQ(rows_of(*store_).size(), 1u);
  const auto second = outbox_->settle_effect("r", "k", false, "2", {{"r", "done", "2", "step/2"}});
  EXPECT_FALSE(second->second);
  EXPECT_EQ(second->first.result, "1");
  EXPECT_EQ(rows_of(*store_).size(), 1u);
  ASSERT_TRUE(streams_->publish("r", "x", "{}"));
  EXPECT_THAT(types(*streams_->read("r", "", 100)), ::testing::ElementsAre("done", "x"));
}

TEST_P(StoreContract, RecordsThatComeWithAStepAreWrittenOnceAndTogether) {
  StepWrite tool = plain_step("tool:k");
  tool.result = R"({"text":"7"})";
  Usage usage;
  usage.key = "tool:k";
  usage.run = "r";
  usage.tool = "lookup";
  tool.usage = {usage};
  ASSERT_TRUE(outbox_->commit_step(plain_step("s1"), {}, {tool}));
  EXPECT_EQ((*store_->lookup_step("tool:k"))->result, tool.result);
  StepWrite other = tool;
  other.result = R"({"text":"8"})";
  ASSERT_TRUE(outbox_->commit_step(plain_step("s2"), {}, {other}));
  EXPECT_EQ((*store_->lookup_step("tool:k"))->result, tool.result);
  EXPECT_EQ(store_->usage_of_run("r")->tool_calls, 1);
  // One that cannot be written takes the step with it.
  StepWrite wrong = plain_step("");
  EXPECT_FALSE(outbox_->commit_step(plain_step("s3"), {}, {wrong}));
  EXPECT_FALSE(*store_->lookup_step("s3"));
}

TEST_P(StoreContract, RowsGoManyAtATimeAndWithTheirHistory) {
  for (std::size_t i = 0; i <= Outbox::kForgottenTogether; ++i) {
    const std::string n = std::to_string(i);
    ASSERT_TRUE(outbox_->commit_step(plain_step("s" + n), {{"r", "x", "{}", "x" + n}}));
    ASSERT_TRUE(streams_->publish("r", "y", "{}"));  // the log has them
  }
  EXPECT_LE(rows_of(*store_).size(), 2u);
  ASSERT_TRUE(outbox_->commit_step(plain_step("last"), {{"r", "x", "{}", "last"}}));
  EXPECT_THAT(rows_of(*store_), ::testing::Not(::testing::IsEmpty()));
  GoneHistory gone;
  gone.run = "r";
  ASSERT_TRUE(store_->forget_histories({gone}).ok());
  EXPECT_THAT(rows_of(*store_), ::testing::IsEmpty());
}

}  // namespace holdfast::platform
