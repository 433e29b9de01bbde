#include "base/money.h"

#include <limits>

namespace holdfast {

namespace {

constexpr std::size_t kDecimals = 9;
constexpr std::string_view kCurrency = " USD";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

Status not_an_amount(std::string_view text) {
  return {Code::kInvalidArgument, "`" + std::string(text.substr(0, 40)) +
                                      "` is no amount: digits, and at most nine decimals behind a point"};
}

// The digits as a number; none: there are none, or too many.
std::optional<std::int64_t> number(std::string_view digits) {
  if (digits.empty()) return std::nullopt;
  std::int64_t out = 0;
  for (const char c : digits) {
    if (!is_digit(c)) return std::nullopt;
    const auto shifted = checked_multiply(out, 10);
    const auto next = shifted ? checked_add(*shifted, c - '0') : std::nullopt;
    if (!next) return std::nullopt;
    out = *next;
  }
  return out;
}

}  // namespace

std::optional<std::int64_t> checked_add(std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  if (__builtin_add_overflow(a, b, &out)) return std::nullopt;
  return out;
}

std::optional<std::int64_t> checked_multiply(std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  if (__builtin_mul_overflow(a, b, &out)) return std::nullopt;
  return out;
}

std::int64_t saturating_add(std::int64_t a, std::int64_t b) {
  if (const auto sum = checked_add(a, b)) return *sum;
  return b > 0 ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int64_t>::min();
}

Result<std::int64_t> parse_nano_dollars(std::string_view text) {
  const std::size_t point = text.find('.');
  const auto dollars = number(text.substr(0, point));
  if (!dollars) return fail(not_an_amount(text));
  std::int64_t nanos = 0;
  if (point != std::string_view::npos) {
    std::string decimals(text.substr(point + 1));
    if (decimals.empty() || decimals.size() > kDecimals) return fail(not_an_amount(text));
    decimals.append(kDecimals - decimals.size(), '0');
    const auto read = number(decimals);
    if (!read) return fail(not_an_amount(text));
    nanos = *read;
  }
  const auto whole = checked_multiply(*dollars, kNanosPerDollar);
  const auto out = whole ? checked_add(*whole, nanos) : std::nullopt;
  if (!out) {
    return fail(Code::kInvalidArgument,
                "`" + std::string(text.substr(0, 40)) + "` is more than 9,223,372,036 dollars");
  }
  return *out;
}

Result<std::int64_t> parse_usd(std::string_view text) {
  if (!text.ends_with(kCurrency)) {
    return fail(Code::kInvalidArgument,
                "`" + std::string(text.substr(0, 40)) + "` is no amount of money: write it as `2.50 USD`");
  }
  text.remove_suffix(kCurrency.size());
  return parse_nano_dollars(text);
}

std::string format_dollars(std::int64_t nanos) {
  // The lowest number has no positive counterpart among signed ones.
  const std::uint64_t amount =
      nanos < 0 ? 0 - static_cast<std::uint64_t>(nanos) : static_cast<std::uint64_t>(nanos);
  std::string decimals = std::to_string(amount % static_cast<std::uint64_t>(kNanosPerDollar));
  decimals.insert(0, kDecimals - decimals.size(), '0');
  while (decimals.size() > 2 && decimals.back() == '0') decimals.pop_back();
  return (nanos < 0 ? "-" : "") + std::to_string(amount / static_cast<std::uint64_t>(kNanosPerDollar)) + '.' +
         decimals;
}

}  // namespace holdfast
