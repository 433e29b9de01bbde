#include "history/cron.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <sstream>
#include <string_view>
#include <vector>

#include "base/ascii.h"

namespace holdfast::history::cron {
namespace {

struct Field {
  int low;
  int high;
  std::uint64_t bits = 0;
  bool any = false;
};

struct Schedule {
  Ns every = 0;
  std::array<Field, 5> fields{Field{0, 59}, Field{0, 23}, Field{1, 31}, Field{1, 12}, Field{0, 6}};
};

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int> name_or_number(std::string_view text, int which) {
  static constexpr std::string_view kMonths = "janfebmaraprmayjunjulaugsepoctnovdec";
  static constexpr std::string_view kDays = "sunmontuewedthufrisat";
  if (text.size() == 3 && (which == 3 || which == 4)) {
    const std::string lower = ascii_lower(text);
    const auto names = which == 3 ? kMonths : kDays;
    for (std::size_t i = 0; i < names.size(); i += 3) {
      if (names.substr(i, 3) == lower) return static_cast<int>(i / 3) + (which == 3 ? 1 : 0);
    }
  }
  return number(text);
}

bool parse_item(std::string_view item, int which, Field& field) {
  int step = 1;
  bool stepped = false;
  if (const auto slash = item.find('/'); slash != std::string_view::npos) {
    const auto parsed = number(item.substr(slash + 1));
    if (!parsed || *parsed <= 0) return false;
    step = *parsed;
    stepped = true;
    item = item.substr(0, slash);
  }
  int low = field.low;
  int high = field.high;
  if (item == "*" || item == "?") {
    field.any = field.any || !stepped;
  } else if (const auto dash = item.find('-'); dash != std::string_view::npos) {
    const auto first = name_or_number(item.substr(0, dash), which);
    const auto last = name_or_number(item.substr(dash + 1), which);
    if (!first || !last) return false;
    low = *first;
    high = *last;
  } else {
    const auto only = name_or_number(item, which);
    if (!only) return false;
    low = *only;
    high = stepped ? field.high : low;
  }
  if (which == 4 && low == 7) low = high = 0;
  if (low < field.low || high > field.high || low > high) return false;
  for (int value = low; value <= high; value += step) field.bits |= 1ULL << value;
  return true;
}

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

std::optional<Schedule> parse(std::string text) {
  for (const char* prefix : {"CRON_TZ=UTC ", "TZ=UTC ", "CRON_TZ=Etc/UTC ", "TZ=Etc/UTC "}) {
    if (text.starts_with(prefix)) text = text.substr(std::string_view(prefix).size());
  }
  Schedule schedule;
  if (text.starts_with("@every ")) {
    const auto every = parse_go_duration(std::string_view(text).substr(7));
    if (!every || *every < kSecond) return std::nullopt;
    schedule.every = *every;
    return schedule;
  }
  if (text == "@yearly" || text == "@annually") text = "0 0 1 1 *";
  if (text == "@monthly") text = "0 0 1 * *";
  if (text == "@weekly") text = "0 0 * * 0";
  if (text == "@daily" || text == "@midnight") text = "0 0 * * *";
  if (text == "@hourly") text = "0 * * * *";
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  if (words.size() != 5) return std::nullopt;
  for (std::size_t i = 0; i < 5; ++i) {
    std::string_view rest = words[i];
    while (true) {
      const auto comma = rest.find(',');
      if (!parse_item(rest.substr(0, comma), static_cast<int>(i), schedule.fields[i])) return std::nullopt;
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return schedule;
}

bool has(const Field& field, unsigned value) {
  return (field.bits >> value & 1) != 0;
}

bool day_matches(const Schedule& schedule, std::chrono::year_month_day date, unsigned weekday) {
  const bool month_day = has(schedule.fields[2], static_cast<unsigned>(date.day()));
  const bool week_day = has(schedule.fields[4], weekday);
  // As cron has it: two restricted day fields are alternatives.
  return schedule.fields[2].any || schedule.fields[4].any ? month_day && week_day : month_day || week_day;
}

}  // namespace

std::string problem(const std::string& schedule) {
  if (schedule.empty()) return {};
  if (parse(schedule)) {
    if (next(schedule, 0, 0)) return {};
    return "invalid CronSchedule. \"" + schedule + "\": there is no such date.";
  }
  return "invalid CronSchedule. \"" + schedule +
         "\": five fields in UTC, @hourly and the like, or @every 90s.";
}

std::optional<Ns> next(const std::string& text, Ns start, Ns after) {
  using namespace std::chrono;
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
  // Minute by minute would take long over years: skip whole days that cannot match.
  const std::int64_t minute = after / kMinute + 1;
  auto day = sys_days{days{minute / (24 * 60)}};
  int first = static_cast<int>(minute % (24 * 60));
  // The longest wait there is: from one 29 February over a year like 2100 to the next.
  for (int i = 0; i < 366 * 9; ++i, day += days{1}, first = 0) {
    const year_month_day date{day};
    if (!has(schedule->fields[3], static_cast<unsigned>(date.month()))) continue;
    if (!day_matches(*schedule, date, weekday{day}.c_encoding())) continue;
    for (int at = first; at < 24 * 60; ++at) {
      if (has(schedule->fields[1], static_cast<unsigned>(at / 60)) &&
          has(schedule->fields[0], static_cast<unsigned>(at % 60))) {
        return (static_cast<Ns>(day.time_since_epoch().count()) * 24 * 60 + at) * kMinute;
      }
    }
  }
  return std::nullopt;
}

}  // namespace holdfast::history::cron
