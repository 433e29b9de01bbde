#include "spec/exact.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/json.h"

namespace holdfast::spec {

using nlohmann::json;

namespace {

constexpr double kTwo63 = 9223372036854775808.0;
constexpr double kTwo64 = 18446744073709551616.0;

std::partial_ordering reversed(std::partial_ordering order) {
  if (order < 0) return std::partial_ordering::greater;
  return order > 0 ? std::partial_ordering::less : order;
}

// `real` has the same whole part as an integer of 64 bits, which decides; then what is left of it.
template <typename Integer>
std::partial_ordering compare_parts(Integer integer, double real) {
  const double whole = std::trunc(real);
  if (const auto order = integer <=> static_cast<Integer>(whole); order != 0) return order;
  return whole <=> real;
}

// An integer against a fraction.
std::partial_ordering compare_mixed(const json& integer, double real) {
  if (std::isnan(real)) return std::partial_ordering::unordered;
  if (integer.is_number_unsigned()) {
    if (real >= kTwo64) return std::partial_ordering::less;
    if (real < 0) return std::partial_ordering::greater;
    return compare_parts(integer.get<std::uint64_t>(), real);
  }
  if (real >= kTwo63) return std::partial_ordering::less;
  if (real < -kTwo63) return std::partial_ordering::greater;
  return compare_parts(integer.get<std::int64_t>(), real);
}

std::partial_ordering compare_integers(const json& a, const json& b) {
  if (a.is_number_unsigned()) {
    const auto left = a.get<std::uint64_t>();
    if (b.is_number_unsigned()) return left <=> b.get<std::uint64_t>();
    return std::cmp_less(left, b.get<std::int64_t>())      ? std::partial_ordering::less
           : std::cmp_greater(left, b.get<std::int64_t>()) ? std::partial_ordering::greater
                                                           : std::partial_ordering::equivalent;
  }
  if (!b.is_number_unsigned()) return a.get<std::int64_t>() <=> b.get<std::int64_t>();
  return reversed(compare_integers(b, a));
}

__extension__ using Wide = unsigned __int128;

// A number as it is written: digits * 10^power. The sign is left out, which no multiple depends on.
struct Decimal {
  std::uint64_t digits = 0;
  int power = 0;
};

// Doubles are written with the fewest digits that read back as they are: 17 at most.
std::optional<Decimal> decimal_of(const json& number) {
  if (number.is_number_unsigned()) return Decimal{number.get<std::uint64_t>(), 0};
  if (number.is_number_integer()) {
    const auto value = number.get<std::int64_t>();
    return Decimal{value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value), 0};
  }
  if (!std::isfinite(number.get<double>())) return std::nullopt;
  Decimal out;
  bool behind_point = false;
  const std::string text = dump_json(number);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.') {
      behind_point = true;
    } else if (c == 'e') {
      out.power += std::stoi(text.substr(i + 1));
      break;
    } else if (c != '-') {
      if (out.digits > (UINT64_MAX - 9) / 10) return std::nullopt;
      out.digits = out.digits * 10 + static_cast<std::uint64_t>(c - '0');
      out.power -= behind_point ? 1 : 0;
    }
  }
  while (out.digits != 0 && out.digits % 10 == 0) {
    out.digits /= 10;
    ++out.power;
  }
  return out;
}

}  // namespace

bool is_multiple(const json& value, const json& factor) {
  const std::optional<Decimal> of = decimal_of(value);
  const std::optional<Decimal> by = decimal_of(factor);
  if (!of || !by || by->digits == 0) return false;
  if (of->digits == 0) return true;
  int more = of->power - by->power;
  if (more >= 0) {  // of.digits * 10^more, modulo by.digits
    Wide rest = of->digits % by->digits;
    for (; more > 0 && rest != 0; --more) rest = rest * 10 % by->digits;
    return rest == 0;
  }
  Wide divisor = by->digits;
  for (; more < 0; ++more) {
    divisor *= 10;
    if (divisor > of->digits) return false;
  }
  return of->digits % divisor == 0;
}

std::string value_key(const json& value) {
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (std::trunc(number) == number && number < kTwo64 && number >= 0)
      return std::to_string(static_cast<std::uint64_t>(number));
    if (std::trunc(number) == number && number >= -kTwo63 && number < 0)
      return std::to_string(static_cast<std::int64_t>(number));
  }
  if (!value.is_structured()) return dump_json(value);
  std::string out = value.is_array() ? "[" : "{";
  for (const auto& [key, inner] : value.items()) {
    if (value.is_object()) out += dump_json(json(key)) + ':';
    out += value_key(inner) + ',';
  }
  return out + (value.is_array() ? ']' : '}');
}

std::partial_ordering compare_numbers(const json& a, const json& b) {
  if (!a.is_number() || !b.is_number()) return std::partial_ordering::unordered;
  if (a.is_number_float() && b.is_number_float()) return a.get<double>() <=> b.get<double>();
  if (b.is_number_float()) return compare_mixed(a, b.get<double>());
  if (a.is_number_float()) return reversed(compare_mixed(b, a.get<double>()));
  return compare_integers(a, b);
}

bool same_value(const json& a, const json& b) {
  if (a.is_number() || b.is_number()) return compare_numbers(a, b) == 0;
  if (a.type() != b.type() || a.size() != b.size()) return false;
  if (a.is_array()) return std::equal(a.begin(), a.end(), b.begin(), same_value);
  if (!a.is_object()) return a == b;
  for (const auto& [key, value] : a.items()) {
    const auto other = b.find(key);
    if (other == b.end() || !same_value(value, *other)) return false;
  }
  return true;
}

}  // namespace holdfast::spec
