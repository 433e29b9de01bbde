#include "history/cron.h"

#include <atomic>
#include <charconv>
#include <string_view>

#include "base/cron.h"

namespace holdfast::history::cron {
namespace {

std::atomic<const ZoneRules*> zone_rules = nullptr;

struct Schedule {
  Ns every = 0;  // 0: the fields
  CronFields fields;
  std::string zone;  // empty: UTC
};

// No interval is longer: a moment after one still has a time.
constexpr Ns kMaxEvery = 100LL * 365 * 24 * 60 * kMinute;

// Go's: decimal numbers with units, "1h30m", "1.5s". Nothing for what is longer than kMaxEvery.
std::optional<Ns> parse_go_duration(std::string_view text) {
  Ns total = 0;
  bool any = false;
  while (!text.empty()) {
    const std::string_view digits = text.substr(0, text.find_first_not_of("0123456789."));
    double value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    text.remove_prefix(digits.size());
    Ns unit = 0;
    if (text.starts_with("ms")) {
      unit = kMillisecond;
      text.remove_prefix(2);
    } else if (text.starts_with("s") || text.starts_with("m") || text.starts_with("h")) {
      unit = text[0] == 's' ? kSecond : text[0] == 'm' ? kMinute : 60 * kMinute;
      text.remove_prefix(1);
    } else {
      return std::nullopt;
    }
    const double ns = value * static_cast<double>(unit);
    if (ns > static_cast<double>(kMaxEvery - total)) return std::nullopt;
    total += static_cast<Ns>(ns);
    any = true;
  }
  return any ? std::optional(total) : std::nullopt;
}

// Takes "CRON_TZ=ZONE " or "TZ=ZONE " from the front of the text.
std::string take_zone(std::string* text) {
  for (const std::string_view prefix : {"CRON_TZ=", "TZ="}) {
    if (!text->starts_with(prefix)) continue;
    const auto end = text->find(' ');
    if (end == std::string::npos) return {};
    std::string zone = text->substr(prefix.size(), end - prefix.size());
    text->erase(0, end + 1);
    return zone == "UTC" || zone == "Etc/UTC" ? std::string() : zone;
  }
  return {};
}

std::optional<Schedule> parse(std::string text) {
  Schedule schedule;
  schedule.zone = take_zone(&text);
  if (text.starts_with("@every ")) {
    const auto every = parse_go_duration(std::string_view(text).substr(7));
    if (!every || *every < kSecond) return std::nullopt;
    schedule.every = *every;
    return schedule;
  }
  const auto fields = parse_cron(std::move(text));
  if (!fields) return std::nullopt;
  schedule.fields = *fields;
  return schedule;
}

}  // namespace

void set_zones(const ZoneRules* zones) {
  zone_rules = zones;
}

std::string problem(const std::string& schedule) {
  if (schedule.empty()) return {};
  const ZoneRules* zones = zone_rules;
  const auto parsed = parse(schedule);
  const std::string wrong = "invalid CronSchedule. \"" + schedule + "\": ";
  if (!parsed)
    return wrong + "five fields, in UTC or behind CRON_TZ=ZONE, @hourly and the like, or @every 90s.";
  if (!parsed->zone.empty() && (zones == nullptr || !zones->known(parsed->zone)))
    return wrong + "there is no time zone " + parsed->zone + ".";
  if (next(schedule, 0, 0)) return {};
  return wrong + "there is no such date.";
}

std::optional<Ns> next(const std::string& text, Ns start, Ns after) {
  const auto schedule = parse(text);
  if (!schedule) return std::nullopt;
  if (schedule->every > 0) {
    const Ns every = schedule->every / kSecond * kSecond;
    const Ns rounds = after < start ? 0 : (after - start) / every;
    Ns at = 0;
    if (__builtin_mul_overflow(rounds + 1, every, &at) || __builtin_add_overflow(start, at, &at))
      return std::nullopt;
    return at;
  }
  if (!schedule->zone.empty()) {
    const ZoneRules* zones = zone_rules;
    if (zones == nullptr) return std::nullopt;
    return zones->next(schedule->zone, schedule->fields, after);
  }
  const auto minute = next_cron_minute(schedule->fields, after / kMinute + 1);
  return minute ? std::optional(*minute * kMinute) : std::nullopt;
}

}  // namespace holdfast::history::cron
