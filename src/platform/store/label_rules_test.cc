// What may move a label, and where a way back leads.

#include "platform/label_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/store.h"

namespace holdfast::platform::rules {
namespace {

constexpr WallTime kNow{std::chrono::nanoseconds(7)};

class LabelRules : public ::testing::Test {
 protected:
  LabelRules() {
    wanted_.agent = "refund";
    wanted_.label = "production";
    wanted_.hash = "b";
    wanted_.seen = 3;
    wanted_.actor = "ann";
    there_.has_version = true;
    Label label;
    label.agent = "refund";
    label.label = "production";
    label.move = 3;
    label.hash = "a";
    label.actor = "bob";
    label.back = 2;
    there_.label = label;
    there_.labels = 1;
  }
  Result<Change<Label>> move() { return move_label(wanted_, there_, kNow); }

  LabelMove wanted_;
  LabelRows there_;
};

TEST_F(LabelRules, AMoveKnowsWhereItCameFrom) {
  const auto moved = move();
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->write, Write::kInsert);
  EXPECT_EQ(moved->row.move, 4u);
  EXPECT_EQ(moved->row.previous, "a");
  EXPECT_EQ(moved->row.back, 3u);
  EXPECT_EQ(moved->row.at, kNow);
  EXPECT_EQ(audit_of(moved->row).action, kLabelSet);
}

TEST_F(LabelRules, WhoSawAnotherMoveIsToldWhoMadeIt) {
  wanted_.seen = 2;
  const auto moved = move();
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().code(), Code::kAborted);
  EXPECT_THAT(moved.error().message(), ::testing::HasSubstr("since move 3, by bob"));
  there_.label.reset();
  EXPECT_EQ(move().error().code(), Code::kAborted);
}

TEST_F(LabelRules, WhatIsPromotedIsWhatTheOtherLabelNamesNow) {
  wanted_.how = LabelHow::kPromoted;
  wanted_.source = "staging";
  EXPECT_EQ(move().error().code(), Code::kNotFound);
  there_.source = Label();
  there_.source->hash = "c";
  EXPECT_EQ(move().error().code(), Code::kAborted);
  there_.source->hash = "b";
  EXPECT_EQ(audit_of(move()->row).action, kLabelPromoted);
  // Asked again after the answer was lost, and staging went on meanwhile.
  there_.label->hash = "b";
  there_.source->hash = "c";
  wanted_.seen = 2;
  EXPECT_EQ(move()->write, Write::kNothing);
  there_.source.reset();
  EXPECT_EQ(move().error().code(), Code::kNotFound) << "a misspelt label is told, also when nothing is to do";
}

TEST_F(LabelRules, ARollbackTakesTheWayBackOfWhatItGoesBackTo) {
  wanted_.how = LabelHow::kRolledBack;
  wanted_.hash.clear();
  EXPECT_EQ(move().error().code(), Code::kFailedPrecondition);
  there_.back = Label();
  there_.back->hash = "z";
  there_.back->back = 1;
  const auto moved = move();
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->row.hash, "z");
  EXPECT_EQ(moved->row.back, 1u);
  EXPECT_EQ(audit_of(moved->row).action, kLabelRolledBack);
}

TEST_F(LabelRules, LabelsHaveABound) {
  there_.label.reset();
  wanted_.seen = 0;
  there_.labels = kMaxLabels;
  EXPECT_EQ(move().error().code(), Code::kResourceExhausted);
  there_.labels = kMaxLabels - 1;
  EXPECT_EQ(move()->row.move, 1u);
}

}  // namespace
}  // namespace holdfast::platform::rules
