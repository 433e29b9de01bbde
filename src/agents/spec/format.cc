#include "spec/format.h"

#include <chrono>
#include <cstddef>
#include <optional>

namespace holdfast::spec {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
// Of a character beyond ASCII.
bool is_foreign(char c) {
  return static_cast<unsigned char>(c) >= 0x80;
}
bool is_visible(char c) {
  return c > 0x20 && c != 0x7f;
}

// So many digits off the front, as a number up to `most`.
std::optional<int> take_digits(std::string_view& text, std::size_t digits, int most) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(0, digits)) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return value <= most ? std::optional(value) : std::nullopt;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || !any_of.contains(text.front())) return false;
  text.remove_prefix(1);
  return true;
}

bool take_date(std::string_view& text) {
  using namespace std::chrono;
  const auto y = take_digits(text, 4, 9999);
  if (!y || !take(text, "-")) return false;
  const auto m = take_digits(text, 2, 12);
  if (!m || !take(text, "-")) return false;
  const auto d = take_digits(text, 2, 31);
  return d && year_month_day(year(*y), month(static_cast<unsigned>(*m)), day(static_cast<unsigned>(*d))).ok();
}

bool take_clock(std::string_view& text) {
  const auto hour = take_digits(text, 2, 23);
  if (!hour || !take(text, ":")) return false;
  return take_digits(text, 2, 59).has_value();
}

bool take_time(std::string_view& text) {
  if (!take_clock(text) || !take(text, ":") || !take_digits(text, 2, 60)) return false;  // 60: a leap second
  if (take(text, ".")) {
    if (text.empty() || !is_digit(text.front())) return false;
    while (!text.empty() && is_digit(text.front())) text.remove_prefix(1);
  }
  if (take(text, "Zz")) return true;
  return take(text, "+-") && take_clock(text);
}

bool is_domain(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  char before = '.';
  for (const char c : text) {
    if (!is_letter(c) && !is_digit(c) && c != '-' && c != '.' && !is_foreign(c)) return false;
    if ((c == '.' || c == '-') && before == '.') return false;
    if (c == '.' && before == '-') return false;
    before = c;
  }
  return before != '.' && before != '-';
}

bool is_email(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos || at == 0 || at > 64) return false;
  const std::string_view local = text.substr(0, at);
  if (local.front() == '.' || local.back() == '.' || local.contains("..")) return false;
  for (const char c : local) {
    if (!is_foreign(c) && (!is_visible(c) || std::string_view("@\"(),:;<>[]\\").contains(c))) return false;
  }
  return is_domain(text.substr(at + 1));
}

bool is_uri(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon + 1 == text.size() || !is_letter(text.front())) return false;
  for (const char c : text.substr(0, colon)) {
    if (!is_letter(c) && !is_digit(c) && !std::string_view("+-.").contains(c)) return false;
  }
  const auto is_hex = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); };
  for (std::size_t i = colon + 1; i < text.size(); ++i) {
    const char c = text[i];
    if (!is_foreign(c) && (!is_visible(c) || std::string_view("\"<>\\^`{|}").contains(c))) return false;
    if (c == '%' && (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2]))) return false;
  }
  return true;
}

}  // namespace

bool is_of_format(std::string_view format, std::string_view text) {
  if (format == "date") return take_date(text) && text.empty();
  if (format == "time") return take_time(text) && text.empty();
  if (format == "date-time") return take_date(text) && take(text, "Tt") && take_time(text) && text.empty();
  if (format == "email") return is_email(text);
  if (format == "uri") return is_uri(text);
  return true;
}

}  // namespace holdfast::spec
