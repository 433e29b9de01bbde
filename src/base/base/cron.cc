#include "base/cron.h"

#include <charconv>
#include <chrono>
#include <sstream>
#include <string_view>
#include <vector>

#include "base/ascii.h"

namespace holdfast {

namespace {

using Field = CronFields::Field;

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

bool parse_item(std::string_view item, int which, CronFields& cron) {
  Field& field = cron.fields[static_cast<std::size_t>(which)];
  int step = 1;
  bool stepped = false;
  if (const auto slash = item.find('/'); slash != std::string_view::npos) {
    const auto parsed = number(item.substr(slash + 1));
    if (!parsed || *parsed <= 0) return false;
    step = *parsed;
    stepped = true;
    cron.overstepped = cron.overstepped || step > field.high - field.low + 1;
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

bool has(const Field& field, unsigned value) {
  return (field.bits >> value & 1) != 0;
}

bool day_matches(const CronFields& cron, std::chrono::year_month_day date, unsigned weekday) {
  const bool month_day = has(cron.fields[2], static_cast<unsigned>(date.day()));
  const bool week_day = has(cron.fields[4], weekday);
  // As cron has it: two restricted day fields are alternatives.
  return cron.fields[2].any || cron.fields[4].any ? month_day && week_day : month_day || week_day;
}

}  // namespace

std::optional<CronFields> parse_cron(std::string text) {
  if (text == "@yearly" || text == "@annually") text = "0 0 1 1 *";
  if (text == "@monthly") text = "0 0 1 * *";
  if (text == "@weekly") text = "0 0 * * 0";
  if (text == "@daily" || text == "@midnight") text = "0 0 * * *";
  if (text == "@hourly") text = "0 * * * *";
  CronFields cron;
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  if (words.size() != 5) return std::nullopt;
  for (std::size_t i = 0; i < 5; ++i) {
    std::string_view rest = words[i];
    while (true) {
      const auto comma = rest.find(',');
      if (!parse_item(rest.substr(0, comma), static_cast<int>(i), cron)) return std::nullopt;
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return cron;
}

std::optional<std::int64_t> next_cron_minute(const CronFields& cron, std::int64_t from) {
  using namespace std::chrono;
  // Minute by minute would take long over years: skip whole days that cannot match.
  constexpr std::int64_t kMinutesOfDay = 24 * 60;
  auto day = sys_days{floor<days>(minutes{from})};
  auto first = static_cast<int>(from - day.time_since_epoch().count() * kMinutesOfDay);
  // The longest wait there is: from one 29 February over a year like 2100 to the next.
  for (int i = 0; i < 366 * 9; ++i, day += days{1}, first = 0) {
    const year_month_day date{day};
    if (!has(cron.fields[3], static_cast<unsigned>(date.month()))) continue;
    if (!day_matches(cron, date, weekday{day}.c_encoding())) continue;
    for (int at = first; at < kMinutesOfDay; ++at) {
      if (has(cron.fields[1], static_cast<unsigned>(at / 60)) &&
          has(cron.fields[0], static_cast<unsigned>(at % 60))) {
        return day.time_since_epoch().count() * kMinutesOfDay + at;
      }
    }
  }
  return std::nullopt;
}

}  // namespace holdfast
