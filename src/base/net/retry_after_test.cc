// Every form of the header that servers send, and those that mean nothing.

#include "net/retry_after.h"

#include <gtest/gtest.h>

namespace holdfast::net {
namespace {

using std::chrono::milliseconds;

// 2026-11-28T15:00:00Z
const WallTime kNow{std::chrono::seconds(1'795'878'000)};

std::optional<milliseconds> read(Headers headers) {
  HttpHead head;
  head.headers = std::move(headers);
  return retry_after(head, kNow);
}

TEST(RetryAfter, SecondsMillisecondsAndDates) {
  EXPECT_EQ(read({{"retry-after", "7"}}), milliseconds(7000));
  EXPECT_EQ(read({{"retry-after", "2.5"}}), milliseconds(2500));
  EXPECT_EQ(read({{"retry-after-ms", "40"}, {"retry-after", "9"}}), milliseconds(40));
  EXPECT_EQ(read({{"retry-after", "Sat, 28 Nov 2026 15:00:30 GMT"}}), milliseconds(30'000));
}

TEST(RetryAfter, WhatIsUnreadableOrPastIsNone) {
  EXPECT_EQ(read({}), std::nullopt);
  for (const char* text :
       {"", "0", "-3", "soon", "7 days", "nan", "inf", "-inf", "1e999", "Sat, 28 Nov 2026 14:59:59 GMT"}) {
    EXPECT_EQ(read({{"retry-after", text}}), std::nullopt) << text;
  }
  for (const char* text : {"x", "inf", "NaN"})
    EXPECT_EQ(read({{"retry-after-ms", text}, {"retry-after", "9"}}), milliseconds(9000)) << text;
}

TEST(RetryAfter, HasALimit) {
  EXPECT_EQ(read({{"retry-after", "1e300"}}), kLongestRetryAfter);
  EXPECT_EQ(read({{"retry-after", "99999999999999999999"}}), kLongestRetryAfter);
}

}  // namespace
}  // namespace holdfast::net
