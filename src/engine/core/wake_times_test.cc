// Goal: an execution is looked at when it needs it, once. Method: times are set, moved and taken back.

#include "engine/wake_times.h"

#include <gtest/gtest.h>

namespace holdfast::engine {
namespace {

const RunKey kOne{"n", "w", "one"};
const RunKey kTwo{"n", "w", "two"};

TEST(WakeTimesTest, TheEarliestIsDueFirst) {
  WakeTimes times;
  EXPECT_EQ(times.next(), 0);
  times.arm(kOne, 200);
  times.arm(kTwo, 100);
  EXPECT_EQ(times.next(), 100);
  EXPECT_EQ(times.due(99), std::nullopt);
  EXPECT_EQ(times.due(100), kTwo);
}

TEST(WakeTimesTest, AnExecutionHasOneTime) {
  WakeTimes times;
  times.arm(kOne, 100);
  times.arm(kOne, 300);
  EXPECT_EQ(times.due(299), std::nullopt);
  EXPECT_EQ(times.due(300), kOne);
  times.arm(kOne, 50);
  EXPECT_EQ(times.next(), 50);
  times.arm(kOne, 0);
  EXPECT_EQ(times.next(), 0);
  EXPECT_EQ(times.due(1'000), std::nullopt);
}

TEST(WakeTimesTest, WhatIsKnownIsNotMadeOld) {
  WakeTimes times;
  times.arm(kOne, 100);
  times.arm_if_unknown(kOne, 300);
  times.arm_if_unknown(kTwo, 200);
  EXPECT_EQ(times.due(100), kOne);
  times.arm(kOne, 0);
  EXPECT_EQ(times.next(), 200);
}

TEST(WakeTimesTest, TakingBackWhatIsNotThereDoesNothing) {
  WakeTimes times;
  times.arm(kOne, 0);
  times.arm(kTwo, 10);
  times.arm(kTwo, 10);
  EXPECT_EQ(times.next(), 10);
  times.arm(kTwo, 0);
  EXPECT_EQ(times.next(), 0);
}

// A server may hold very many executions that only wait.
TEST(WakeTimesTest, AWaiterIsSmall) {
  WakeTimes times;
  const std::string uuid = "0190f2a4-5b6c-7d8e-9f01-23456789abcd";
  times.arm({uuid, uuid, uuid}, 10);
  EXPECT_LT(times.bytes(), 200u);
  times.arm({uuid, uuid, uuid}, 20);
  EXPECT_LT(times.bytes(), 200u);
  times.arm({uuid, uuid, uuid}, 0);
  EXPECT_EQ(times.bytes(), 0u);
}

}  // namespace
}  // namespace holdfast::engine
