// Goal: what is due on the clocks of a place is due once, also on the days on which they are changed. Method:
// schedules around changes that are in the database.

#include "os/time_zone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "base/iso_time.h"

namespace holdfast::os {
namespace {

using ::testing::ElementsAre;

WallTime utc(int year, unsigned month, unsigned day, int hour, int minute = 0) {
  using namespace std::chrono;
  return WallTime(sys_days(std::chrono::year(year) / month / day).time_since_epoch() + hours(hour) +
                  minutes(minute));
}

std::vector<std::string> dues(const char* zone, const char* cron, WallTime after, int count) {
  std::vector<std::string> out;
  const auto place = TimeZone::load(zone);
  const auto fields = parse_cron(cron);
  if (!place || !fields) return {"wrong"};
  for (int i = 0; i < count; ++i) {
    const auto next = place->next(*fields, after);
    if (!next) break;
    out.push_back(iso_time(*next).substr(0, 16));
    after = *next;
  }
  return out;
}

TEST(ZoneRules, AreThoseOfTheZones) {
  const SystemZoneRules rules;
  EXPECT_TRUE(rules.known("America/New_York"));
  EXPECT_FALSE(rules.known("Nowhere/Land"));
  const auto noon = parse_cron("0 12 * * *");
  constexpr std::int64_t kDecember = 1'764'547'200'000'000'000;  // 2025-12-01 00:00
  EXPECT_EQ(rules.next("America/New_York", *noon, kDecember), kDecember + 17 * 3'600'000'000'000);
  EXPECT_FALSE(rules.next("Nowhere/Land", *noon, kDecember));
}

TEST(TimeZone, AnHourOfThePlaceIsAnotherOfUtcInSummer) {
  EXPECT_THAT(dues("Europe/Berlin", "0 9 * * *", utc(2026, 3, 27, 12), 4),
              ElementsAre("2026-03-28T08:00", "2026-03-29T07:00", "2026-03-30T07:00", "2026-03-31T07:00"));
  EXPECT_THAT(dues("Europe/Berlin", "0 9 * * *", utc(2026, 10, 24, 12), 2),
              ElementsAre("2026-10-25T08:00", "2026-10-26T08:00"));
}

// 02:00 to 03:00 is not there on 29 March.
TEST(TimeZone, WhatClocksJumpOverIsDueWhenTheyJump) {
  EXPECT_THAT(dues("Europe/Berlin", "30 2 * * *", utc(2026, 3, 27, 12), 3),
              ElementsAre("2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"));
}

// 02:00 to 03:00 is there twice on 25 October.
TEST(TimeZone, WhatClocksShowTwiceIsDueOnce) {
  EXPECT_THAT(dues("Europe/Berlin", "30 2 * * *", utc(2026, 10, 24, 12), 2),
              ElementsAre("2026-10-25T00:30", "2026-10-26T01:30"));
  EXPECT_THAT(dues("America/New_York", "30 1 1 11 *", utc(2026, 10, 1, 0), 2),
              ElementsAre("2026-11-01T05:30", "2027-11-01T05:30"));
}

TEST(TimeZone, EveryHourIsEveryHourThatPasses) {
  EXPECT_THAT(dues("Europe/Berlin", "0 * * * *", utc(2026, 10, 24, 23, 30), 4),
              ElementsAre("2026-10-25T00:00", "2026-10-25T01:00", "2026-10-25T02:00", "2026-10-25T03:00"));
  EXPECT_THAT(dues("Europe/Berlin", "*/30 * * * *", utc(2026, 3, 29, 0, 15), 3),
              ElementsAre("2026-03-29T00:30", "2026-03-29T01:00", "2026-03-29T01:30"));
}

TEST(TimeZone, DaysAreThoseOfThePlace) {
  EXPECT_THAT(dues("Asia/Tokyo", "0 0 1 * *", utc(2026, 1, 15, 0), 2),
              ElementsAre("2026-01-31T15:00", "2026-02-28T15:00"));
  EXPECT_THAT(dues("Asia/Kolkata", "15 9 * * 1", utc(2026, 1, 1, 0), 1), ElementsAre("2026-01-05T03:45"));
  EXPECT_THAT(dues("UTC", "0 0 29 2 *", utc(2026, 1, 1, 0), 2),
              ElementsAre("2028-02-29T00:00", "2032-02-29T00:00"));
}

TEST(TimeZone, WhatIsNoZoneIsRefused) {
  for (const char* name : {"", "Europe/Atlantis", "/etc/passwd", "../UTC", ":UTC"}) {
    EXPECT_EQ(TimeZone::load(name).error().code(), Code::kInvalidArgument) << name;
  }
  EXPECT_FALSE(parse_cron("61 * * * *").has_value());
  EXPECT_THAT(dues("UTC", "0 0 30 2 *", utc(2026, 1, 1, 0), 1), ElementsAre());
}

}  // namespace
}  // namespace holdfast::os
