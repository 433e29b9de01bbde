#pragma once

// A stated subset of CEL, the Common Expression Language: what may be said in rules (docs/guide/policy.md has
// the list). Literals, lists and maps, fields and indexes, `in`, `?:`, `&&` and `||` that absorb errors,
// comparisons, arithmetic that overflows into an error, has(), the macros all, exists, exists_one, map and
// filter, texts with RE2, conversions, durations and timestamps; and sum() of a list, which CEL does not
// have.
//
// Pure: what an expression says depends on its text and its environment. Bounded: in bytes of text, in depth,
// in steps, and in bytes of values it makes; what goes beyond is an error. Errors have a kind and a column.
// Values, any thread.

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "spec/cel_value.h"

namespace holdfast::spec::cel {

inline constexpr std::size_t kMaxTextBytes = 4096;
inline constexpr int kMaxDepth = 160;
inline constexpr std::size_t kMaxSteps = 200'000;
inline constexpr std::size_t kMaxMadeBytes = 8 << 20;

enum class ErrorKind : std::uint8_t {
  kSyntax,
  kUnsupported,  // CEL has it, this subset does not
  kUnknownName,
  kNoOverload,  // an operator or a function does not take these types
  kNoSuchKey,
  kNoSuchIndex,
  kDivideByZero,
  kOverflow,
  kInvalid,  // a conversion or a pattern that cannot be
  kLimit,
  kHost,  // a function of the environment could not say
};
std::string_view to_string(ErrorKind kind);

struct Error {
  ErrorKind kind = ErrorKind::kSyntax;
  std::string message;
  std::size_t column = 0;  // 1-based; 0: of the whole

  std::string text() const;  // "no such key `x` at column 6"
};

using Evaluated = std::expected<Value, Error>;

// What a function of the environment is given: all its arguments.
using Function = std::function<std::expected<Value, std::string>(const std::vector<Value>& arguments)>;

struct Environment {
  std::map<std::string, Value, std::less<>> variables;
  std::map<std::string, Function, std::less<>> functions;
};

struct Node;

class Expression {
 public:
  // `functions`: names that the environment will have besides CEL's own.
  static std::expected<Expression, Error> parse(std::string_view text,
                                                const std::vector<std::string>& functions = {});

  Evaluated evaluate(const Environment& environment) const;

  const std::string& text() const { return text_; }
  // The variables it reads.
  std::vector<std::string> names() const;
  // What it reads of one of them: `args.order.id` and `args["order"]` read `order` of `args`.
  std::vector<std::string> fields_of(std::string_view name) const;
  // The literal texts that a function is given as its only argument; none: one of its calls has another.
  std::optional<std::vector<std::string>> literals_of(std::string_view function) const;

 private:
  std::string text_;
  std::shared_ptr<const Node> root_;  // shared: expressions are copied with their rules and never change
};

}  // namespace holdfast::spec::cel
