#include "visibility/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "base/text.h"
#include "visibility/index.h"

namespace holdfast::visibility {
namespace {

struct Token {
  enum class Kind : std::uint8_t { kEnd, kWord, kName, kString, kNumber, kSymbol };
  Kind kind = Kind::kEnd;
  std::string text;  // a word as written, a string without quotes
  std::size_t position = 0;
};

bool word_start(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}
bool word_part(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-' || c == ':';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_keyword(std::string_view text, std::string_view keyword) {
  return text.size() == keyword.size() &&
         std::equal(text.begin(), text.end(), keyword.begin(),
                    [](char a, char b) { return std::toupper(static_cast<unsigned char>(a)) == b; });
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> tokens() {
    std::vector<Token> all;
    for (;;) {
      while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
      auto token = next();
      if (!token) return fail(token.error());
      all.push_back(std::move(*token));
      if (all.back().kind == Token::Kind::kEnd) return all;
    }
  }

 private:
  Result<Token> next() {
    Token token;
    token.position = at_ + 1;
    if (at_ >= text_.size()) return token;
    const char c = text_[at_];
    if (c == '\'' || c == '"' || c == '`') return quoted(c);
    if (is_digit(c) || ((c == '-' || c == '+') && at_ + 1 < text_.size() && is_digit(text_[at_ + 1])))
      return number();
    if (word_start(c)) {
      const std::size_t begin = at_;
      while (at_ < text_.size() && word_part(text_[at_])) ++at_;
      token.kind = Token::Kind::kWord;
      token.text = text_.substr(begin, at_ - begin);
      return token;
    }
    token.kind = Token::Kind::kSymbol;
    for (const std::string_view symbol : {"!=", "<>", "<=", ">=", "=", "<", ">", "(", ")", ","}) {
      if (!text_.substr(at_).starts_with(symbol)) continue;
      at_ += symbol.size();
      token.text = symbol == "<>" ? "!=" : symbol;
      return token;
    }
    std::size_t end = at_ + 1;
    while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xC0) == 0x80) ++end;
    return bad_query(token.position,
                     fmt::format("unexpected character \"{}\"", text_.substr(at_, end - at_)));
  }

  // A quote inside is written twice, or behind a backslash.
  Result<Token> quoted(char quote) {
    Token token;
    token.position = at_ + 1;
    token.kind = quote == '`' ? Token::Kind::kName : Token::Kind::kString;
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      const bool doubled = at_ + 1 < text_.size() && text_[at_ + 1] == quote;
      if (c == '\\' && at_ + 1 < text_.size()) {
        token.text.push_back(text_[++at_]);
      } else if (c != quote) {
        token.text.push_back(c);
      } else if (doubled) {
        token.text.push_back(quote);
        ++at_;
      } else {
        ++at_;
        return token;
      }
    }
    return bad_query(token.position, "the quote is never closed");
  }

  Result<Token> number() {
    Token token;
    token.position = at_ + 1;
    token.kind = Token::Kind::kNumber;
    const std::size_t begin = at_;
    ++at_;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      const bool exponent_sign = (c == '-' || c == '+') && (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E');
      if (!word_part(c) && !exponent_sign) break;
      if (c == '-' && !exponent_sign) break;
      ++at_;
    }
    token.text = text_.substr(begin, at_ - begin);
    return token;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  Result<Query> query() {
    Query query;
    const bool tail_only = at_keyword("ORDER") || at_keyword("GROUP");
    if (peek().kind != Token::Kind::kEnd && !tail_only) {
      auto filter = any_of(0);
      if (!filter) return fail(filter.error());
      query.filter = std::move(*filter);
      query.filtered = true;
    }
    if (take_keyword("GROUP")) {
      if (!take_keyword("BY")) return unexpected("BY");
      do {
        auto name = this->name();
        if (!name) return fail(name.error());
        query.group_by.push_back(std::move(*name));
      } while (take_symbol(","));
    }
    if (take_keyword("ORDER")) {
      if (!take_keyword("BY")) return unexpected("BY");
      do {
        auto name = this->name();
        if (!name) return fail(name.error());
        if (query.order_by.size() == Index::kMaxSortKeys) {
          return bad_query(name->position,
                           fmt::format("ordered by more than {} attributes", Index::kMaxSortKeys));
        }
        Order order{std::move(*name), false};
        if (take_keyword("DESC")) {
          order.descending = true;
        } else {
          take_keyword("ASC");
        }
        query.order_by.push_back(std::move(order));
      } while (take_symbol(","));
    }
    if (peek().kind != Token::Kind::kEnd) return unexpected("AND, OR, GROUP BY, ORDER BY or the end");
    return query;
  }

 private:
  const Token& peek() const { return tokens_[at_]; }

  bool at_keyword(std::string_view keyword) const {
    return peek().kind == Token::Kind::kWord && is_keyword(peek().text, keyword);
  }
  bool take_keyword(std::string_view keyword) {
    if (!at_keyword(keyword)) return false;
    ++at_;
    return true;
  }
  bool take_symbol(std::string_view symbol) {
    if (peek().kind != Token::Kind::kSymbol || peek().text != symbol) return false;
    ++at_;
    return true;
  }

  std::unexpected<Status> unexpected(std::string_view wanted) const {
    const Token& token = peek();
    if (token.kind == Token::Kind::kEnd)
      return bad_query(token.position, fmt::format("it ends where {} should follow", wanted));
    return bad_query(token.position,
                     fmt::format("\"{}\" where {} should stand", token.text.substr(0, 40), wanted));
  }

  Result<Expression> any_of(int depth) {
    return chain("OR", Expression::Kind::kOr, depth, [this](int d) {
      return chain("AND", Expression::Kind::kAnd, d, [this](int e) { return negation(e); });
    });
  }

  template <typename Next>
  Result<Expression> chain(std::string_view keyword, Expression::Kind kind, int depth, Next next) {
    auto first = next(depth);
    if (!first || !at_keyword(keyword)) return first;
    Expression all;
    all.kind = kind;
    all.operands.push_back(std::move(*first));
    while (take_keyword(keyword)) {
      auto operand = next(depth);
      if (!operand) return operand;
      all.operands.push_back(std::move(*operand));
    }
    return all;
  }

  Result<Expression> negation(int depth) {
    if (depth >= Index::kMaxQueryDepth) {
      return bad_query(peek().position, fmt::format("nested deeper than {} levels", Index::kMaxQueryDepth));
    }
    if (take_keyword("NOT")) {
      auto operand = negation(depth + 1);
      if (!operand) return operand;
      Expression result;
      result.kind = Expression::Kind::kNot;
      result.operands.push_back(std::move(*operand));
      return result;
    }
    if (take_symbol("(")) {
      auto inner = any_of(depth + 1);
      if (!inner) return inner;
      if (!take_symbol(")")) return unexpected("\")\", AND or OR");
      return inner;
    }
    return comparison();
  }

  Result<Name> name() {
    const Token& token = peek();
    if (token.kind != Token::Kind::kWord && token.kind != Token::Kind::kName)
      return unexpected("an attribute's name");
    ++at_;
    return Name{token.text, token.position};
  }

  Result<Literal> literal() {
    const Token& token = peek();
    Literal result{{}, token.position};
    if (token.kind == Token::Kind::kString) {
      result.value = token.text;
    } else if (token.kind == Token::Kind::kNumber) {
      const auto number = parse_number(token.text);
      if (!number) {
        return bad_query(token.position,
                         fmt::format("\"{}\" is no number; text needs quotes", token.text.substr(0, 40)));
      }
      result.value = std::visit([](auto value) -> Value { return value; }, *number);
    } else if (at_keyword("TRUE") || at_keyword("FALSE")) {
      result.value = at_keyword("TRUE");
    } else {
      return unexpected("a value (text in quotes, a number, true or false)");
    }
    ++at_;
    return result;
  }

  Status add_literal(Expression& to) {
    auto value = literal();
    if (!value) return value.error();
    to.values.push_back(std::move(*value));
    return {};
  }

  Result<Expression> comparison() {
    Expression result;
    auto name = this->name();
    if (!name) return fail(name.error());
    result.name = std::move(*name);
    if (++comparisons_ > kMaxComparisons) {
      return bad_query(result.name.position, fmt::format("more than {} comparisons", kMaxComparisons));
    }
    static constexpr std::pair<std::string_view, Operator> kSymbols[] = {
        {"=", Operator::kEqual},   {"!=", Operator::kNotEqual},    {"<", Operator::kLess},
        {">", Operator::kGreater}, {"<=", Operator::kLessOrEqual}, {">=", Operator::kGreaterOrEqual}};
    for (const auto& [symbol, op] : kSymbols) {
      if (!take_symbol(symbol)) continue;
      result.op = op;
      if (Status status = add_literal(result); !status.ok()) return fail(std::move(status));
      return result;
    }
    Status status = worded(result);
    if (!status.ok()) return fail(std::move(status));
    return result;
  }

  Status worded(Expression& result) {
    if (take_keyword("IS")) {
      const bool negated = take_keyword("NOT");
      if (!take_keyword("NULL")) return unexpected(negated ? "NULL" : "NULL or NOT NULL").error();
      result.op = negated ? Operator::kIsNotNull : Operator::kIsNull;
      return {};
    }
    const bool negated = take_keyword("NOT");
    if (take_keyword("IN")) {
      result.op = negated ? Operator::kNotIn : Operator::kIn;
      if (!take_symbol("(")) return unexpected("\"(\"").error();
      do {
        if (Status status = add_literal(result); !status.ok()) return status;
      } while (take_symbol(","));
      if (!take_symbol(")")) return unexpected("\",\" or \")\"").error();
      return {};
    }
    if (take_keyword("BETWEEN")) {
      result.op = negated ? Operator::kNotBetween : Operator::kBetween;
      if (Status status = add_literal(result); !status.ok()) return status;
      if (!take_keyword("AND")) return unexpected("AND").error();
      return add_literal(result);
    }
    if (take_keyword("STARTS_WITH")) {
      result.op = negated ? Operator::kNotStartsWith : Operator::kStartsWith;
      return add_literal(result);
    }
    return unexpected(negated ? "IN, BETWEEN or STARTS_WITH"
                              : "=, !=, <, >, <=, >=, IN, BETWEEN, STARTS_WITH, IS or NOT")
        .error();
  }

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int comparisons_ = 0;
};

}  // namespace

std::unexpected<Status> bad_query(std::size_t position, std::string_view why) {
  // A quotation may begin or end inside a character, and gRPC carries only text.
  return fail(Code::kInvalidArgument, to_utf8(fmt::format("bad query at position {}: {}", position, why)));
}

std::optional<std::variant<std::int64_t, double>> parse_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const char* const end = text.data() + text.size();
  std::int64_t whole = 0;
  if (const auto read = std::from_chars(text.data(), end, whole); read.ec == std::errc() && read.ptr == end)
    return whole;
  double real = 0;
  const auto read = std::from_chars(text.data(), end, real);
  if (read.ec == std::errc() && read.ptr == end && std::isfinite(real)) return real;
  return std::nullopt;
}

Result<Query> parse_query(std::string_view text) {
  if (text.size() > Index::kMaxQueryBytes) {
    return bad_query(Index::kMaxQueryBytes, fmt::format("it is longer than {} bytes", Index::kMaxQueryBytes));
  }
  auto tokens = Lexer(text).tokens();
  if (!tokens) return fail(tokens.error());
  return Parser(std::move(*tokens)).query();
}

}  // namespace holdfast::visibility
