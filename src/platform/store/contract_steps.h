#pragma once

// The contract of steps and effects (platform/contract.h): an activity may run again, and leaves one step,
// one count of its tokens, one effect.

#include <gmock/gmock.h>

#include "base/sha256.h"
#include "platform/contract.h"

namespace holdfast::platform {

TEST_P(StoreContract, ARepeatedStepFindsItsRecordAndCountsItsTokensOnce) {
  StepWrite step;
  step.key = "turn-1";
  step.run = "r";
  step.expected = Store::empty_conversation("c");
  step.messages = {"hello"};
  step.result = R"({"ok":true})";
  Usage usage;
  usage.key = "turn-1";
  usage.run = "r";
  usage.input_tokens = 10;
  usage.output_tokens = 3;
  step.usage = {usage};
  Result<StepRecord> first = store_->commit_step(step);
  ASSERT_TRUE(first) << first.error().to_string();
  EXPECT_FALSE(first->replayed);
  close();
  open();
  step.messages = {"something else"};
  Result<StepRecord> again = store_->commit_step(step);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(again->appended->head, first->appended->head);
  EXPECT_EQ(again->result, step.result);
  EXPECT_EQ((*store_->lookup_step("turn-1"))->appended->head, first->appended->head);
  EXPECT_TRUE((*store_->lookup_step("turn-1"))->replayed);
  EXPECT_FALSE(store_->lookup_step("turn-2")->has_value());
  EXPECT_EQ(store_->head("c", 0)->sequence, 1u);
  EXPECT_EQ(store_->usage_of_run("r")->input_tokens, 10);
  EXPECT_EQ(store_->usage_of_run("r")->calls, 1);
}

TEST_P(StoreContract, AFailingStepLeavesNothing) {
  StepWrite step;
  step.key = "k";
  step.run = "r";
  step.expected = Store::empty_conversation("c");
  step.messages = {"hello"};
  step.usage.resize(1);  // without a key: refused after the messages were written
  EXPECT_EQ(store_->commit_step(step).error().code(), Code::kInvalidArgument);
  EXPECT_FALSE(store_->lookup_step("k")->has_value());
  EXPECT_EQ(store_->head("c", 0).error().code(), Code::kNotFound);
}

TEST_P(StoreContract, SweepForgetsStepsOfARunAndKeepsItsMessages) {
  StepWrite step;
  step.key = "k";
  step.run = "r";
  step.expected = Store::empty_conversation("c");
  step.messages = {"hello"};
  ASSERT_TRUE(store_->commit_step(step));
  EXPECT_THAT(*store_->runs_with_steps(clock_.now() + std::chrono::seconds(1), 10),
              ::testing::ElementsAre("r"));
  EXPECT_TRUE(store_->runs_with_steps(clock_.now() - std::chrono::hours(1), 10)->empty());
  EXPECT_EQ(*store_->sweep_steps("r"), 1);
  EXPECT_FALSE(store_->lookup_step("k")->has_value());
  EXPECT_EQ(store_->head("c", 0)->sequence, 1u);
}

TEST_P(StoreContract, AnEffectIsFreshOnceThenUnknownUntilSettled) {
  EffectIntent intent;
  intent.key = "e";
  intent.run = "r";
  intent.tool = "refund";
  intent.effect = Effect::kAtMostOnce;
  intent.arguments_sha256 = sha256_hex("{}");
  EXPECT_FALSE(store_->lookup_effect("e")->has_value());
  EXPECT_EQ(store_->settle_effect("e", true, "{}").error().code(), Code::kFailedPrecondition);
  Result<EffectRecord> begun = store_->begin_effect(intent);
  EXPECT_EQ(begun->state, EffectState::kFresh);
  EXPECT_EQ(begun->fence, 1);
  close();
  open();
  begun = store_->begin_effect(intent);
  EXPECT_EQ(begun->state, EffectState::kUnknown);
  EXPECT_EQ(begun->fence, 2);
  EXPECT_EQ(begun->intent.effect, Effect::kAtMostOnce);
  EXPECT_EQ((*store_->lookup_effect("e"))->state, EffectState::kUnknown);
  ASSERT_TRUE(store_->settle_effect("e", true, "done"));
  EXPECT_EQ(store_->settle_effect("e", false, "other")->result, "done");
  begun = store_->begin_effect(intent);
  EXPECT_EQ(begun->state, EffectState::kSettled);
  EXPECT_TRUE(begun->succeeded);
  intent.tool = "other";
  EXPECT_EQ(store_->begin_effect(intent).error().code(), Code::kFailedPrecondition);
}

}  // namespace holdfast::platform
