// Cron schedules: what is refused at the start of a workflow, because it would never come or has no meaning,
// and the moments of what is not. Times are computed by hand.

#include "history/cron.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace holdfast::history::cron {
namespace {

constexpr Ns kNow = 1'700'000'000 * kSecond;  // 2023-11-14 22:13:20
constexpr Ns kDay = 24 * 60 * kMinute;

TEST(Cron, ADateThatNeverComesIsRefused) {
  for (const char* never : {"0 0 30 2 *", "0 0 31 2 *", "0 0 31 4,6,9,11 *", "* * 30-31 feb *"}) {
    EXPECT_THAT(problem(never), testing::HasSubstr("there is no such date")) << never;
  }
  for (const char* rare : {"0 0 29 2 *", "0 0 30 2 mon", "59 23 31 12 *"})
    EXPECT_EQ(problem(rare), "") << rare;
  // The day of the month or the day of the week.
  EXPECT_TRUE(next("0 0 30 2 mon", kNow, kNow));
  // 2100 is no leap year: from 29 February 2096 it is eight years.
  constexpr Ns kMarch2096 = 3'981'398'400 * kSecond;
  EXPECT_EQ(next("0 0 29 2 *", kNow, kMarch2096), 4'233'686'400 * kSecond);
}

TEST(Cron, AnIntervalThatOverflowsIsRefused) {
  for (const char* wrong : {"@every 99999999999999999999h", "@every 9223372036s", "@every 876001h",
                            "@every 1e3s", "@every infs", "@every nans", "@every 1..5s", "@every .s",
                            "@every -1s", "@every 0s", "@every s", "@every ", "@every 800000h800000h"}) {
    EXPECT_NE(problem(wrong), "") << wrong;
  }
  for (const char* right : {"@every 876000h", "@every 1h30m", "@every 1.5s", "@every 1000ms"}) {
    EXPECT_EQ(problem(right), "") << right;
  }
  EXPECT_EQ(next("@every 1h30m", kNow, kNow), kNow + 90 * kMinute);
  // A moment that has no time any more is never.
  constexpr Ns kLate = std::numeric_limits<Ns>::max() - kDay;
  EXPECT_FALSE(next("@every 876000h", kLate, kLate));
}

// A place whose clocks are five hours behind.
class FiveHoursBehind final : public ZoneRules {
 public:
  bool known(const std::string& zone) const override { return zone == "America/New_York"; }
  std::optional<std::int64_t> next(const std::string& zone, const CronFields& cron,
                                   std::int64_t after) const override {
    if (!known(zone)) return std::nullopt;
    const auto minute = next_cron_minute(cron, after / kMinute + 1 - 300);
    return minute ? std::optional((*minute + 300) * kMinute) : std::nullopt;
  }
};

TEST(Cron, GoesByTheClocksOfAPlace) {
  const FiveHoursBehind zones;
  EXPECT_THAT(problem("CRON_TZ=America/New_York 0 12 * * *"), testing::HasSubstr("no time zone"));
  set_zones(&zones);
  EXPECT_EQ(problem("CRON_TZ=America/New_York 0 12 * * *"), "");
  const Ns noon = kNow / kDay * kDay + kDay + 17 * 60 * kMinute;
  EXPECT_EQ(next("CRON_TZ=America/New_York 0 12 * * *", kNow, kNow), noon);
  EXPECT_EQ(next("TZ=America/New_York 0 12 * * *", kNow, kNow), noon);
  EXPECT_EQ(next("TZ=UTC 0 12 * * *", kNow, kNow), noon - 5 * 60 * kMinute);
  EXPECT_EQ(next("CRON_TZ=America/New_York @every 90m", kNow, kNow), kNow + 90 * kMinute);
  for (const char* wrong : {"CRON_TZ=Nowhere/Land 0 12 * * *", "CRON_TZ=Nowhere/Land @every 90s",
                            "TZ= 0 12 * *", "CRON_TZ=America/New_York"}) {
    EXPECT_NE(problem(wrong), "") << wrong;
  }
  set_zones(nullptr);
}

}  // namespace
}  // namespace holdfast::history::cron
