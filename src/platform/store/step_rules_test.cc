// When a step or an effect begins, repeats or is done.

#include "platform/step_rules.h"

#include <gtest/gtest.h>

#include "fixture/manual_clock.h"

namespace holdfast::platform::rules {
namespace {

TEST(StepRules, ARecordedStepIsReplayed) {
  const fixture::ManualClock clock;
  StepWrite step;
  step.key = "k";
  step.run = "r";
  step.result = "1";
  const Change<StepRecord> first = commit_step(step, std::nullopt, clock.now());
  EXPECT_EQ(first.write, Write::kInsert);
  EXPECT_FALSE(first.row.replayed);
  EXPECT_EQ(first.row.at, clock.now());
  step.result = "2";
  const Change<StepRecord> again = commit_step(step, first.row, clock.now());
  EXPECT_EQ(again.write, Write::kNothing);
  EXPECT_TRUE(again.row.replayed);
  EXPECT_EQ(again.row.result, "1");
}

TEST(StepRules, MessagesNeedAPlace) {
  StepWrite step;
  EXPECT_EQ(check_step(step).code(), Code::kInvalidArgument);  // no key
  step.key = "k";
  EXPECT_TRUE(check_step(step).ok());
  step.messages = {"hello"};
  EXPECT_EQ(check_step(step).code(), Code::kInvalidArgument);
  step.expected.emplace();
  EXPECT_TRUE(check_step(step).ok());
}

class EffectRules : public ::testing::Test {
 protected:
  EffectRules() {
    intent_.key = "e";
    intent_.tool = "refund";
    intent_.effect = Effect::kAtMostOnce;
  }

  fixture::ManualClock clock_;
  EffectIntent intent_;
};

TEST_F(EffectRules, AnAttemptAfterAnotherDoesNotKnowAndHasTheNextFence) {
  const Change<EffectRecord> first = *begin_effect(intent_, std::nullopt, clock_.now());
  EXPECT_EQ(first.write, Write::kInsert);
  EXPECT_EQ(first.row.state, EffectState::kFresh);
  EXPECT_EQ(first.row.fence, 1);
  const Change<EffectRecord> second = *begin_effect(intent_, first.row, clock_.now());
  EXPECT_EQ(second.write, Write::kUpdate);
  EXPECT_EQ(second.row.state, EffectState::kUnknown);
  EXPECT_EQ(second.row.fence, 2);
}

TEST_F(EffectRules, TheFirstSettlementStands) {
  const EffectRecord begun = begin_effect(intent_, std::nullopt, clock_.now())->row;
  const Change<EffectRecord> settled = *settle_effect("e", begun, true, "done", clock_.now());
  EXPECT_EQ(settled.write, Write::kUpdate);
  EXPECT_EQ(settled.row.settled_at, clock_.now());
  const Change<EffectRecord> later = *settle_effect("e", settled.row, false, "other", clock_.now());
  EXPECT_EQ(later.write, Write::kNothing);
  EXPECT_EQ(later.row.result, "done");
  EXPECT_EQ(begin_effect(intent_, settled.row, clock_.now())->write, Write::kNothing);
  EXPECT_EQ(settle_effect("e", std::nullopt, true, "", clock_.now()).error().code(),
            Code::kFailedPrecondition);
}

TEST_F(EffectRules, AKeyNamesOneCall) {
  const EffectRecord begun = begin_effect(intent_, std::nullopt, clock_.now())->row;
  EffectIntent other = intent_;
  other.arguments_sha256 = "x";
  EXPECT_EQ(begin_effect(other, begun, clock_.now()).error().code(), Code::kFailedPrecondition);
  other = intent_;
  other.effect = Effect::kPure;
  EXPECT_EQ(begin_effect(other, begun, clock_.now()).error().code(), Code::kFailedPrecondition);
  other = intent_;
  other.run = "after continue-as-new";  // the run is no part of the call
  EXPECT_TRUE(begin_effect(other, begun, clock_.now()));
}

}  // namespace
}  // namespace holdfast::platform::rules
