#pragma once

// Temporal's list filter, parsed: comparisons joined by AND, OR, NOT and parentheses, then GROUP BY and ORDER
// BY. Pure functions. A bad query is kInvalidArgument and names the position (the first character is 1).
// Names and types are checked later (visibility/sql.h).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "holdfast/status.h"

namespace holdfast::visibility {

// A comparison more is a bad query: SQLite bounds the depth of what it is given.
inline constexpr int kMaxComparisons = 400;

using Value = std::variant<std::int64_t, double, bool, std::string>;

struct Name {
  std::string text;
  std::size_t position = 0;
};

enum class Operator : std::uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kGreater,
  kLessOrEqual,
  kGreaterOrEqual,
  kIn,
  kNotIn,
  kBetween,
  kNotBetween,
  kStartsWith,
  kNotStartsWith,
  kIsNull,
  kIsNotNull,
};

struct Literal {
  Value value;
  std::size_t position = 0;
};

struct Expression {
  enum class Kind : std::uint8_t { kAnd, kOr, kNot, kComparison };
  Kind kind = Kind::kComparison;
  std::vector<Expression> operands;  // kAnd, kOr: two or more; kNot: one
  Name name;                         // the rest: kComparison
  Operator op = Operator::kEqual;
  std::vector<Literal> values;
};

struct Order {
  Name name;
  bool descending = false;
};

struct Query {
  bool filtered = false;  // whether `filter` holds anything
  Expression filter;
  std::vector<Name> group_by;
  std::vector<Order> order_by;
};

Result<Query> parse_query(std::string_view text);

// What is written like a number, whole; nothing: it is none, or too large.
std::optional<std::variant<std::int64_t, double>> parse_number(std::string_view text);

// kInvalidArgument, "bad query at position 7: ...".
std::unexpected<Status> bad_query(std::size_t position, std::string_view why);

}  // namespace holdfast::visibility
