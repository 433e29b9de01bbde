// Goal: bins of a histogram are few, begin at whole widths, and hold every moment of their time. Method: the
// pure functions, at the edges.

#include "platform/run_index.h"

#include <gtest/gtest.h>

namespace holdfast::platform {
namespace {

using std::chrono::hours;
using std::chrono::nanoseconds;
using std::chrono::seconds;

const WallTime kNoon(seconds(1'764'417'600));

TEST(RunIndex, BinsBeginAtWholeWidths) {
  EXPECT_EQ(bin_begin(kNoon + seconds(59), seconds(60)), kNoon);
  EXPECT_EQ(bin_begin(kNoon + seconds(60), seconds(60)), kNoon + seconds(60));
  EXPECT_EQ(bin_begin(kNoon - nanoseconds(1), seconds(60)), kNoon - seconds(60));
  EXPECT_EQ(bin_begin(WallTime(seconds(-1)), seconds(60)), WallTime(seconds(-60)));
}

TEST(RunIndex, ATimeIsAtMostSoManyBins) {
  EXPECT_EQ(bin_width(kNoon, kNoon, 60), seconds(1));
  EXPECT_EQ(bin_width(kNoon, kNoon + seconds(60), 60), seconds(1));
  EXPECT_EQ(bin_width(kNoon, kNoon + seconds(61), 60), seconds(5));
  EXPECT_EQ(bin_width(kNoon, kNoon + hours(24), 24), seconds(3600));
  // One that begins in the middle of a bin has one bin more.
  EXPECT_EQ(bin_width(kNoon + seconds(1), kNoon + hours(24) + seconds(1), 24), seconds(3 * 3600));
  EXPECT_EQ(bin_width(WallTime(), kNoon, 60), seconds(365 * 86'400));
  EXPECT_EQ(bin_width(WallTime(), kNoon, 1), seconds(365 * 86'400));  // the widest that there is
}

}  // namespace
}  // namespace holdfast::platform
