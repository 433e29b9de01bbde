#include "spec/cel_token.h"

#include <array>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <optional>

#include <fmt/format.h>

namespace holdfast::spec::cel {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex(char c) {
  return std::isxdigit(static_cast<unsigned char>(c)) != 0;
}
bool is_name_start(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}
bool is_name(char c) {
  return is_name_start(c) || is_digit(c);
}

// How many bytes before the quote belong to a text: r, b, rb, br. None: what follows is no text.
std::optional<std::size_t> quote_prefix(std::string_view rest) {
  std::size_t at = 0;
  while (at < 2 && at < rest.size() && std::string_view("rRbB").contains(rest[at])) ++at;
  if (at == 2 && std::tolower(rest[0]) == std::tolower(rest[1])) return std::nullopt;
  if (at < rest.size() && (rest[at] == '"' || rest[at] == '\'')) return at;
  return std::nullopt;
}

void append_utf8(std::string& out, std::uint32_t c) {
  const auto byte = [&](std::uint32_t value) { out += static_cast<char>(value); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xC0 | (c >> 6));
    byte(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    byte(0xE0 | (c >> 12));
    byte(0x80 | ((c >> 6) & 0x3F));
    byte(0x80 | (c & 0x3F));
  } else {
    byte(0xF0 | (c >> 18));
    byte(0x80 | ((c >> 12) & 0x3F));
    byte(0x80 | ((c >> 6) & 0x3F));
    byte(0x80 | (c & 0x3F));
  }
}

std::optional<char> simple_escape(char c) {
  switch (c) {
    case 'a': return '\a';
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'v': return '\v';
    case '\\':
    case '?':
    case '"':
    case '\'':
    case '`': return c;
    default: return std::nullopt;
  }
}

constexpr std::array<std::string_view, 24> kSigns = {"&&", "||", "==", "!=", "<=", ">=", "<", ">",
                                                     "+",  "-",  "*",  "/",  "%",  "!",  "?", ":",
                                                     ".",  ",",  "(",  ")",  "[",  "]",  "{", "}"};

}  // namespace

void Tokens::skip() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
      ++at_;
    } else if (text_.substr(at_).starts_with("//")) {
      while (at_ < text_.size() && text_[at_] != '\n') ++at_;
    } else {
      return;
    }
  }
}

bool Tokens::number_follows() const {
  if (at_ >= text_.size()) return false;
  return is_digit(text_[at_]) || (text_[at_] == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]));
}

std::expected<Token, Error> Tokens::next(bool negative) {
  skip();
  Token out;
  out.at = at_;
  if (at_ >= text_.size()) return out;
  if (number_follows()) return number(std::move(out), negative);
  const std::string_view rest = text_.substr(at_);
  if (const auto prefix = quote_prefix(rest)) return quoted(std::move(out), *prefix);
  if (is_name_start(rest[0])) {
    std::size_t length = 1;
    while (length < rest.size() && is_name(rest[length])) ++length;
    out.kind = Token::Kind::kName;
    out.text = rest.substr(0, length);
    at_ += length;
    return out;
  }
  if (rest[0] == '`') {
    std::size_t length = 1;
    while (length < rest.size() && (is_name(rest[length]) || std::string_view(" .-/").contains(rest[length])))
      ++length;
    if (length == 1 || length >= rest.size() || rest[length] != '`')
      return std::unexpected(error("a quoted name ends in '`' and has letters, digits, _ . - / and spaces"));
    out.kind = Token::Kind::kQuotedName;
    out.text = rest.substr(1, length - 1);
    at_ += length + 1;
    return out;
  }
  for (const std::string_view sign : kSigns) {
    if (!rest.starts_with(sign)) continue;
    out.kind = Token::Kind::kSign;
    out.text = sign;
    at_ += sign.size();
    return out;
  }
  return std::unexpected(error(rest[0] == '=' ? "`=` is no comparison, write `==`"
                                              : "there is a character here that means nothing"));
}

std::expected<Token, Error> Tokens::number(Token out, bool negative) {
  out.kind = Token::Kind::kLiteral;
  const std::string_view rest = text_.substr(at_);
  const bool hex = rest.starts_with("0x") || rest.starts_with("0X");
  std::size_t end = hex ? 2 : 0;
  bool is_double = false;
  const auto digits = [&] {
    while (end < rest.size() && (hex ? is_hex(rest[end]) : is_digit(rest[end]))) ++end;
  };
  digits();
  if (!hex && end + 1 < rest.size() && rest[end] == '.' && is_digit(rest[end + 1])) {
    is_double = true;
    ++end;
    digits();
  }
  if (!hex && end < rest.size() && (rest[end] == 'e' || rest[end] == 'E')) {
    std::size_t at = end + 1;
    if (at < rest.size() && (rest[at] == '+' || rest[at] == '-')) ++at;
    if (at >= rest.size() || !is_digit(rest[at]))
      return std::unexpected(error("a number ends in its exponent"));
    is_double = true;
    end = at;
    digits();
  }
  if (end == 2 && hex) return std::unexpected(error("`0x` needs digits"));
  const std::string number =
      (negative ? "-" : "") + std::string(rest.substr(hex ? 2 : 0, end - (hex ? 2 : 0)));
  const bool is_unsigned = !is_double && end < rest.size() && (rest[end] == 'u' || rest[end] == 'U');
  const std::size_t length = end + (is_unsigned ? 1 : 0);
  if (length < rest.size() && is_name(rest[length])) return std::unexpected(error("expected a number"));
  const char* last = number.data() + number.size();
  if (is_double) {
    const double value = std::strtod(number.c_str(), nullptr);
    out.value = Value(value);
  } else if (is_unsigned) {
    std::uint64_t value = 0;
    if (negative || std::from_chars(number.data(), last, value, hex ? 16 : 10).ec != std::errc())
      return std::unexpected(error("no unsigned integer of 64 bits is like that"));
    out.value = Value(value);
  } else {
    std::int64_t value = 0;
    if (std::from_chars(number.data(), last, value, hex ? 16 : 10).ec != std::errc())
      return std::unexpected(error("the integer has more than 64 bits"));
    out.value = Value(value);
  }
  at_ += length;
  return out;
}

std::expected<std::string, Error> Tokens::escaped(bool bytes) {
  const char c = at_ < text_.size() ? text_[at_] : '\0';
  if (const auto simple = simple_escape(c)) return ++at_, std::string(1, *simple);
  const bool octal = c >= '0' && c <= '3';
  const std::size_t length = c == 'u' ? 4 : c == 'U' ? 8 : c == 'x' || c == 'X' ? 2 : octal ? 3 : 0;
  if (length == 0) return std::unexpected(error("there is no such escape sequence"));
  if (bytes && (c == 'u' || c == 'U'))
    return std::unexpected(error("bytes have no escape sequences of Unicode"));
  if (!octal) ++at_;
  const std::string_view digits = text_.substr(at_, length);
  std::uint32_t value = 0;
  const auto [end, failed] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, octal ? 8 : 16);
  if (failed != std::errc() || digits.size() != length || end != digits.data() + length)
    return std::unexpected(error(fmt::format("the escape sequence needs {} digits", length)));
  if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
    return std::unexpected(error("no character has this number"));
  at_ += length;
  std::string out;
  if (bytes) {
    out += static_cast<char>(value);
  } else {
    append_utf8(out, value);
  }
  return out;
}

std::expected<Token, Error> Tokens::quoted(Token out, std::size_t prefix) {
  const std::string_view before = text_.substr(at_, prefix);
  const bool raw = before.contains('r') || before.contains('R');
  const bool bytes = before.contains('b') || before.contains('B');
  at_ += prefix;
  const char quote = text_[at_];
  const std::string three(3, quote);
  const std::string end = text_.substr(at_).starts_with(three) ? three : std::string(1, quote);
  at_ += end.size();
  std::string value;
  while (!text_.substr(at_).starts_with(end)) {
    if (at_ >= text_.size() || (end.size() == 1 && (text_[at_] == '\n' || text_[at_] == '\r')))
      return std::unexpected(error("the text is not closed"));
    if (!raw && text_[at_] == '\\') {
      ++at_;
      auto escape = escaped(bytes);
      if (!escape) return std::unexpected(escape.error());
      value += *escape;
    } else {
      value += text_[at_++];
    }
  }
  at_ += end.size();
  out.kind = Token::Kind::kLiteral;
  out.value = bytes ? Value::bytes(std::move(value)) : Value(std::move(value));
  return out;
}

}  // namespace holdfast::spec::cel
