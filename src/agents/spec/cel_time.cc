#include "spec/cel_time.h"

#include <array>
#include <charconv>
#include <chrono>

#include <fmt/format.h>

#include "spec/cel_arithmetic.h"

namespace holdfast::spec::cel {

namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr Nanos kSecond = 1'000'000'000;
constexpr Nanos kMinute = 60 * kSecond;
constexpr Nanos kHour = 60 * kMinute;
constexpr Nanos kDay = 24 * kHour;

// Exactly so many digits, which go away.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int out = 0;
  for (const char c : text.substr(0, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    out = out * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return out;
}

bool take(std::string_view& text, std::string_view any) {
  if (text.empty() || !any.contains(text.front())) return false;
  text.remove_prefix(1);
  return true;
}

// ".5" and the like; nothing is no fraction.
std::optional<Nanos> take_fraction(std::string_view& text) {
  if (!text.starts_with('.')) return Nanos{0};
  text.remove_prefix(1);
  Nanos out = 0;
  Nanos unit = kSecond / 10;
  std::size_t digits = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1), ++digits) {
    out += unit * (text.front() - '0');
    unit /= 10;
  }
  if (digits == 0 || digits > 9) return std::nullopt;
  return out;
}

std::optional<Nanos> take_offset(std::string_view& text) {
  if (take(text, "Zz")) return Nanos{0};
  const bool west = text.starts_with('-');
  if (!take(text, "+-")) return std::nullopt;
  const auto hours = take_digits(text, 2);
  if (!hours || *hours > 23 || !take(text, ":")) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  const Nanos out = *hours * kHour + *minutes * kMinute;
  return west ? -out : out;
}

std::optional<Nanos> take_days(std::string_view& text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day) return std::nullopt;
  const year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                            std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return Nanos{sys_days(date).time_since_epoch().count()} * kDay;
}

struct Unit {
  std::string_view name;
  Nanos length;
};
// The longer name first.
constexpr std::array<Unit, 8> kUnits = {{{"ns", 1},
                                         {"us", 1'000},
                                         {"µs", 1'000},
                                         {"ms", 1'000'000},
                                         {"h", kHour},
                                         {"m", kMinute},
                                         {"s", kSecond},
                                         {"d", kDay}}};

// One number with its unit, which go away.
std::optional<Nanos> take_part(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
  std::uint64_t whole = 0;
  if (end > 0 && std::from_chars(text.data(), text.data() + end, whole).ec != std::errc())
    return std::nullopt;
  text.remove_prefix(end);
  const bool broken = text.starts_with('.');
  const auto fraction = end == 0 && !broken ? std::nullopt : take_fraction(text);
  if (!fraction) return std::nullopt;
  for (const Unit& unit : kUnits) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    const Nanos most = Nanos{315'576'000'000} * kSecond;
    if (Nanos{whole} > most / unit.length) return std::nullopt;
    return Nanos{whole} * unit.length + *fraction * unit.length / kSecond;
  }
  return std::nullopt;
}

// At most nine digits, none at the end that says nothing.
std::string fraction_text(Nanos nanos) {
  if (nanos == 0) return "";
  std::string digits = fmt::format("{:09}", static_cast<std::int64_t>(nanos));
  while (digits.ends_with('0')) digits.pop_back();
  return "." + digits;
}

// Rounds to the past.
Nanos floor_div(Nanos a, Nanos b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

}  // namespace

std::optional<Nanos> parse_timestamp(std::string_view text) {
  const auto day = take_days(text);
  if (!day || !take(text, "Tt")) return std::nullopt;
  const auto hours = take_digits(text, 2);
  if (!hours || *hours > 23 || !take(text, ":")) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || *minutes > 59 || !take(text, ":")) return std::nullopt;
  const auto seconds = take_digits(text, 2);
  if (!seconds || *seconds > 59) return std::nullopt;
  const auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return std::nullopt;
  const Nanos out = *day + *hours * kHour + *minutes * kMinute + *seconds * kSecond + *fraction - *offset;
  return is_timestamp(out) ? std::optional(out) : std::nullopt;
}

std::string format_timestamp(Nanos nanos) {
  const Date date = date_of(nanos);
  const Nanos second = floor_div(nanos, kSecond);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}Z", date.year, date.month + 1, date.day,
                     date.hours, date.minutes, date.seconds, fraction_text(nanos - second * kSecond));
}

std::optional<Nanos> parse_span(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return Nanos{0};
  if (text.empty()) return std::nullopt;
  Nanos out = 0;
  while (!text.empty()) {
    const auto part = take_part(text);
    if (!part) return std::nullopt;
    out += *part;
    if (!is_duration(out)) return std::nullopt;
  }
  return negative ? -out : out;
}

std::string format_span(Nanos nanos) {
  const bool negative = nanos < 0;
  const Nanos size = negative ? -nanos : nanos;
  return fmt::format("{}{}{}s", negative ? "-" : "", static_cast<std::int64_t>(size / kSecond),
                     fraction_text(size % kSecond));
}

Date date_of(Nanos nanos) {
  const Nanos day = floor_div(nanos, kDay);
  const Nanos rest = nanos - day * kDay;
  const sys_days at{days(static_cast<int>(day))};
  const year_month_day date(at);
  Date out;
  out.year = static_cast<int>(date.year());
  out.month = static_cast<std::int64_t>(static_cast<unsigned>(date.month())) - 1;
  out.day = static_cast<std::int64_t>(static_cast<unsigned>(date.day()));
  out.day_of_year =
      (at - sys_days(year_month_day{date.year(), std::chrono::January, std::chrono::day(1)})).count();
  out.day_of_week = std::chrono::weekday(at).c_encoding();
  out.hours = static_cast<std::int64_t>(rest / kHour);
  out.minutes = static_cast<std::int64_t>(rest % kHour / kMinute);
  out.seconds = static_cast<std::int64_t>(rest % kMinute / kSecond);
  out.milliseconds = static_cast<std::int64_t>(rest % kSecond / 1'000'000);
  return out;
}

std::optional<Nanos> zone_offset(std::string_view zone) {
  if (zone == "UTC" || zone == "Z") return Nanos{0};
  std::string text(zone);
  if (!text.starts_with('+') && !text.starts_with('-')) text = "+" + text;
  std::string_view rest = text;
  const auto out = take_offset(rest);
  return rest.empty() ? out : std::nullopt;
}

}  // namespace holdfast::spec::cel
