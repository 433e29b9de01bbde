#include "os/time_zone.h"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>
#include <fmt/format.h>

#include <chrono>

namespace holdfast::os {

struct TimeZone::Rules {
  absl::TimeZone zone;
};

namespace {

// Between two dues of a schedule: nine years of a place that changes its clocks often.
constexpr int kMaxTransitions = 200;

using Kind = absl::TimeZone::TimeInfo;

absl::CivilMinute minute_of(std::int64_t minute) {
  return absl::CivilMinute(1970, 1, 1) + minute;
}

std::int64_t civil_minute(const absl::TimeZone& zone, absl::Time at) {
  return absl::CivilMinute(absl::ToCivilSecond(at, zone)) - minute_of(0);
}

// The moment of a transition: one of its two sides is a time that was jumped over or came twice.
absl::Time moment_of(const absl::TimeZone& zone, const absl::TimeZone::CivilTransition& transition) {
  const auto from = zone.At(transition.from);
  return from.kind == Kind::UNIQUE ? zone.At(transition.to).trans : from.trans;
}

// Whether a time that the clocks jump over is due. Every hour that passes has one that they show.
bool is_due_in_jump(const CronFields& cron, const absl::TimeZone::CivilTransition& transition) {
  if (cron.every_hour() || transition.to <= transition.from) return false;
  const auto due = next_cron_minute(cron, absl::CivilMinute(transition.from) - minute_of(0));
  return due && minute_of(*due) < absl::CivilMinute(transition.to);
}

WallTime wall_time(absl::Time at) {
  return WallTime(std::chrono::nanoseconds(absl::ToUnixNanos(at)));
}

bool is_second_time(const absl::TimeZone& zone, absl::Time at, std::int64_t minute) {
  const auto info = zone.At(minute_of(minute));
  return info.kind == Kind::REPEATED && at >= info.trans;
}

}  // namespace

Result<TimeZone> TimeZone::load(const std::string& name) {
  auto rules = std::make_shared<Rules>();
  // A path is no name, and no name begins or ends with a slash.
  const bool named = !name.empty() && name.size() <= 100 && name.front() != '/' && name.front() != ':' &&
                     name.find("..") == std::string::npos;
  if (!named || !absl::LoadTimeZone(name, &rules->zone)) {
    return fail(Code::kInvalidArgument,
                fmt::format("there is no time zone `{}`: give a name such as Europe/Berlin or UTC", name));
  }
  return TimeZone(std::move(rules));
}

std::optional<WallTime> TimeZone::next(const CronFields& cron, WallTime after) const {
  const absl::TimeZone& zone = rules_->zone;
  const auto whole = std::chrono::floor<std::chrono::minutes>(after.time_since_epoch()).count() + 1;
  absl::Time at = absl::UnixEpoch() + absl::Minutes(whole);
  for (int i = 0; i < kMaxTransitions; ++i) {
    const std::int64_t now = civil_minute(zone, at);
    const auto due = next_cron_minute(cron, now);
    if (!due) return std::nullopt;
    const absl::Time then = at + absl::Minutes(*due - now);
    absl::TimeZone::CivilTransition transition;
    bool changes = zone.NextTransition(at - absl::Seconds(1), &transition);
    if (changes && moment_of(zone, transition) == at) {
      if (is_due_in_jump(cron, transition)) return wall_time(at);
      changes = zone.NextTransition(at, &transition);
    }
    if (changes && moment_of(zone, transition) <= then) {
      at = moment_of(zone, transition);
    } else if (!cron.every_hour() && is_second_time(zone, then, *due)) {
      at = then + absl::Minutes(1);
    } else {
      return wall_time(then);
    }
  }
  return std::nullopt;
}

bool SystemZoneRules::known(const std::string& zone) const {
  return TimeZone::load(zone).has_value();
}

std::optional<std::int64_t> SystemZoneRules::next(const std::string& zone, const CronFields& cron,
                                                  std::int64_t after) const {
  const auto place = TimeZone::load(zone);
  if (!place) return std::nullopt;
  const auto due = place->next(cron, WallTime(std::chrono::nanoseconds(after)));
  if (!due) return std::nullopt;
  return std::chrono::nanoseconds(due->time_since_epoch()).count();
}

}  // namespace holdfast::os
