// Goal: money is exact, and what does not fit is said. Method: texts and numbers at their borders.

#include "base/money.h"

#include <gtest/gtest.h>

#include <limits>

namespace holdfast {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

TEST(Money, IsReadExactly) {
  EXPECT_EQ(*parse_nano_dollars("0"), 0);
  EXPECT_EQ(*parse_nano_dollars("2.50"), 2'500'000'000);
  EXPECT_EQ(*parse_nano_dollars("0.000000001"), 1);
  EXPECT_EQ(*parse_nano_dollars("9223372036.854775807"), kMost);
  EXPECT_EQ(*parse_usd("2.5 USD"), 2'500'000'000);
}

TEST(Money, WhatIsNoAmountIsRefused) {
  for (const char* text : {"", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", " 1", "1 ", "0x1", "1.0000000001",
                           "nan", "9223372036.854775808", "99999999999999999999", "1.2.3"}) {
    EXPECT_FALSE(parse_nano_dollars(text)) << text;
  }
  for (const char* text : {"2.50", "2.50 EUR", "USD", " USD", "2.50USD", "2.50  USD", "2.50 usd"}) {
    EXPECT_FALSE(parse_usd(text)) << text;
  }
}

TEST(Money, IsWrittenAsItIsRead) {
  for (const std::int64_t nanos : {std::int64_t{0}, std::int64_t{1}, std::int64_t{2'500'000'000},
                                   std::int64_t{1'230'000'000}, std::int64_t{999'999'999}, kMost}) {
    EXPECT_EQ(*parse_nano_dollars(format_dollars(nanos)), nanos);
  }
  EXPECT_EQ(format_dollars(2'500'000'000), "2.50");
  EXPECT_EQ(format_dollars(-1'000'000'000), "-1.00");
  EXPECT_EQ(format_dollars(std::numeric_limits<std::int64_t>::min()), "-9223372036.854775808");
}

TEST(Money, OverflowIsSaid) {
  EXPECT_FALSE(checked_add(kMost, 1));
  EXPECT_FALSE(checked_multiply(kMost / 2 + 1, 2));
  EXPECT_EQ(saturating_add(kMost, 1), kMost);
  EXPECT_EQ(saturating_add(-kMost, -kMost), std::numeric_limits<std::int64_t>::min());
}

}  // namespace
}  // namespace holdfast
