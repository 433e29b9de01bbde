#include "spec/cel_arithmetic.h"

#include <limits>

#include <fmt/format.h>

namespace holdfast::spec::cel {

namespace {

constexpr Nanos kSecond = 1'000'000'000;

std::string_view sign_of(Op op) {
  switch (op) {
    case Op::kAdd: return "+";
    case Op::kSubtract: return "-";
    case Op::kMultiply: return "*";
    case Op::kDivide: return "/";
    default: return "%";
  }
}

std::unexpected<Error> overflow(std::string_view type) {
  return std::unexpected(Error{ErrorKind::kOverflow, fmt::format("the {} overflows", type), 0});
}
std::unexpected<Error> no_overload(Op op, const Value& left, const Value& right) {
  return std::unexpected(
      Error{ErrorKind::kNoOverload,
            fmt::format("`{}` does not take {} and {}", sign_of(op), left.type(), right.type()), 0});
}

template <typename Integer>
Evaluated of_integers(Op op, Integer a, Integer b, std::string_view type) {
  Integer out = 0;
  bool over = false;
  switch (op) {
    case Op::kAdd: over = __builtin_add_overflow(a, b, &out); break;
    case Op::kSubtract: over = __builtin_sub_overflow(a, b, &out); break;
    case Op::kMultiply: over = __builtin_mul_overflow(a, b, &out); break;
    default:
      if (b == 0) return std::unexpected(Error{ErrorKind::kDivideByZero, "division by zero", 0});
      if constexpr (std::is_signed_v<Integer>) over = a == std::numeric_limits<Integer>::min() && b == -1;
      if (!over) out = op == Op::kDivide ? a / b : a % b;
  }
  if (over) return overflow(type);
  return Value(out);
}

Evaluated of_times(Op op, const Value& left, const Value& right) {
  const auto* ad = left.as<Duration>();
  const auto* at = left.as<Timestamp>();
  const auto* bd = right.as<Duration>();
  const auto* bt = right.as<Timestamp>();
  const bool adds = op == Op::kAdd;
  if (op != Op::kAdd && op != Op::kSubtract) return no_overload(op, left, right);
  if (at && bt) {
    if (adds) return no_overload(op, left, right);
    const Nanos out = at->nanos - bt->nanos;
    if (!is_duration(out)) return overflow("duration");
    return Value(Duration{out});
  }
  if (ad && bd) {
    const Nanos out = adds ? ad->nanos + bd->nanos : ad->nanos - bd->nanos;
    if (!is_duration(out)) return overflow("duration");
    return Value(Duration{out});
  }
  if (at && bd) {
    const Nanos out = adds ? at->nanos + bd->nanos : at->nanos - bd->nanos;
    if (!is_timestamp(out)) return overflow("timestamp");
    return Value(Timestamp{out});
  }
  if (ad && bt && adds) return of_times(op, right, left);
  return no_overload(op, left, right);
}

Evaluated joined(const Value& left, const Value& right) {
  if (left.text() && right.text()) return Value(*left.text() + *right.text());
  if (left.bytes() && right.bytes()) return Value::bytes(*left.bytes() + *right.bytes());
  const auto* a = left.as<List>();
  const auto* b = right.as<List>();
  if (!a || !b) return no_overload(Op::kAdd, left, right);
  std::vector<Value> items(**a);
  items.insert(items.end(), (*b)->begin(), (*b)->end());
  return Value::list(std::move(items));
}

double as_double(const Value& value) {
  if (const auto* one = value.as<std::int64_t>()) return static_cast<double>(*one);
  if (const auto* one = value.as<std::uint64_t>()) return static_cast<double>(*one);
  return *value.as<double>();
}

}  // namespace

bool is_timestamp(Nanos nanos) {
  return nanos >= Nanos{-62'135'596'800} * kSecond && nanos < Nanos{253'402'300'800} * kSecond;
}

bool is_duration(Nanos nanos) {
  return nanos >= std::numeric_limits<std::int64_t>::min() &&
         nanos <= std::numeric_limits<std::int64_t>::max();
}

Evaluated negate(const Value& value) {
  if (const auto* one = value.as<std::int64_t>()) {
    if (*one == std::numeric_limits<std::int64_t>::min()) return overflow("int");
    return Value(-*one);
  }
  if (const auto* one = value.as<double>()) return Value(-*one);
  return std::unexpected(Error{ErrorKind::kNoOverload, fmt::format("`-` does not take {}", value.type()), 0});
}

Evaluated arithmetic(Op op, const Value& left, const Value& right) {
  const auto* ai = left.as<std::int64_t>();
  const auto* bi = right.as<std::int64_t>();
  if (ai && bi) return of_integers(op, *ai, *bi, "int");
  const auto* a_large = left.as<std::uint64_t>();
  const auto* b_large = right.as<std::uint64_t>();
  if (a_large && b_large) return of_integers(op, *a_large, *b_large, "uint");
  const auto* ad = left.as<double>();
  const auto* bd = right.as<double>();
  if (ad && bd) {
    switch (op) {
      case Op::kAdd: return Value(*ad + *bd);
      case Op::kSubtract: return Value(*ad - *bd);
      case Op::kMultiply: return Value(*ad * *bd);
      case Op::kDivide: return Value(*ad / *bd);
      default: return no_overload(op, left, right);
    }
  }
  const bool times = left.as<Duration>() || left.as<Timestamp>();
  if (times && (right.as<Duration>() || right.as<Timestamp>())) return of_times(op, left, right);
  if (op == Op::kAdd) return joined(left, right);
  return no_overload(op, left, right);
}

Evaluated sum(const std::vector<Value>& items) {
  Nanos whole = 0;
  double broken = 0;
  bool exact = true;
  for (const Value& item : items) {
    if (const auto* one = item.as<std::int64_t>())
      whole += *one;
    else if (const auto* large = item.as<std::uint64_t>())
      whole += *large;
    else if (!item.as<double>())
      return std::unexpected(
          Error{ErrorKind::kNoOverload, fmt::format("sum() adds numbers, and not {}", item.type()), 0});
    else
      exact = false;
    broken += as_double(item);
  }
  if (!exact) return Value(broken);
  if (whole >= std::numeric_limits<std::int64_t>::min() && whole <= std::numeric_limits<std::int64_t>::max())
    return Value(static_cast<std::int64_t>(whole));
  if (whole >= 0 && whole <= std::numeric_limits<std::uint64_t>::max())
    return Value(static_cast<std::uint64_t>(whole));
  return overflow("sum");
}

}  // namespace holdfast::spec::cel
