#pragma once

// The words of a CEL expression. Private to this room; see spec/cel.h.

#include <expected>
#include <string>
#include <string_view>

#include "spec/cel.h"

namespace holdfast::spec::cel {

struct Token {
  enum class Kind : std::uint8_t { kEnd, kName, kQuotedName, kLiteral, kSign };
  Kind kind = Kind::kEnd;
  std::size_t at = 0;  // bytes from the start
  std::string text;    // of a name and a sign
  Value value;         // of a literal
};

// Reads one token behind another.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_(text) {}
  // The next one, which `negative` says is the number behind a `-`.
  std::expected<Token, Error> next(bool negative = false);
  // A number follows immediately.
  bool number_follows() const;

 private:
  void skip();
  std::expected<Token, Error> number(Token out, bool negative);
  std::expected<Token, Error> quoted(Token out, std::size_t prefix);
  std::expected<std::string, Error> escaped(bool bytes);
  Error error(std::string message) const { return {ErrorKind::kSyntax, std::move(message), at_ + 1}; }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace holdfast::spec::cel
