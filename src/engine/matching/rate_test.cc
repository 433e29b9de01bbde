// So many tasks go in a second, whatever the rate; a second's worth may go at once after a pause, and
// changing the rate wins nothing.

#include "matching/rate.h"

#include <gtest/gtest.h>

namespace holdfast::matching {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

// How many of them go when one is wanted at every millisecond.
int went(Rate& rate, std::int64_t from, std::int64_t to) {
  int count = 0;
  for (std::int64_t now = from; now < to; now += kSecond / 1000) {
    for (; rate.ready() <= now && count < 1'000'000; ++count) rate.went(now);
  }
  return count;
}

TEST(Rate, GoesOnAtItsPace) {
  Rate rate(10);
  EXPECT_EQ(went(rate, kSecond, kSecond + 1), 10) << "a second's worth at once";
  EXPECT_EQ(went(rate, kSecond + kSecond / 1000, 11 * kSecond + 1), 100);
  EXPECT_EQ(went(rate, 100 * kSecond, 100 * kSecond + 1), 10) << "no more after a long pause";
}

TEST(Rate, MayBeLessThanOne) {
  Rate rate(0.5);
  EXPECT_EQ(went(rate, kSecond, kSecond + 1), 1);
  EXPECT_EQ(rate.ready(), 3 * kSecond);
}

TEST(Rate, OfZeroNothingGoes) {
  EXPECT_EQ(Rate(0).ready(), Rate::kNever);
}

TEST(Rate, MayBeAnything) {
  for (const double per_second : {1e-300, 1e-9, 1e9, 1e300}) {
    Rate rate(per_second);
    EXPECT_LE(rate.ready(), kSecond) << per_second;
    rate.went(kSecond);
    EXPECT_LT(rate.ready(), Rate::kNever) << per_second;
  }
}

TEST(Rate, ChangesWithoutAWin) {
  Rate rate(10);
  EXPECT_EQ(went(rate, kSecond, kSecond + 1), 10);
  for (int i = 0; i < 10; ++i) {
    rate.change(11, kSecond);
    rate.change(10, kSecond);
  }
  EXPECT_LE(went(rate, kSecond, kSecond + 1), 1);
  // From nothing to something: it does not wait for what was nothing.
  Rate paused(0);
  paused.change(10, kSecond);
  EXPECT_LE(paused.ready(), kSecond);
  Rate slow(0.001);
  slow.went(kSecond);
  slow.change(10, kSecond);
  EXPECT_LE(slow.ready(), kSecond + kSecond / 10);
}

}  // namespace
}  // namespace holdfast::matching
