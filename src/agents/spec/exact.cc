#include "spec/exact.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

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

}  // namespace

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
