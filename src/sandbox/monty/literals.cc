#include "monty/literals.h"

#include <algorithm>
#include <cstdint>

namespace holdfast::sandbox {

namespace {

constexpr std::size_t kMostPrefix = 2;  // rb"..."

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Of a text whose quote stands at `at`: its prefix is the name that ends there.
bool has_escapes(std::string_view code, std::size_t at) {
  std::size_t begin = at;
  while (begin > 0 && is_name(code[begin - 1])) --begin;
  const std::string_view prefix = code.substr(begin, at - begin);
  return prefix.size() > kMostPrefix || prefix.find_first_of("rRbB") == std::string_view::npos;
}

// At a backslash.
bool is_half(std::string_view code) {
  const std::size_t digits = code.starts_with("\\u") ? 4 : code.starts_with("\\U") ? 8 : 0;
  if (digits == 0 || code.size() < 2 + digits) return false;
  std::uint64_t point = 0;
  for (const char c : code.substr(2, digits)) {
    constexpr std::string_view kHex = "0123456789abcdef";
    const std::size_t digit = kHex.find(c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c);
    if (digit == std::string_view::npos) return false;
    point = point * 16 + digit;
  }
  return point >= 0xD800 && point <= 0xDFFF;
}

}  // namespace

std::size_t half_a_pair_in(std::string_view code) {
  std::size_t at = 0;
  while ((at = code.find_first_of("#'\"", at)) != std::string_view::npos) {
    if (code[at] == '#') {
      at = std::min(code.find('\n', at), code.size());
      continue;
    }
    const bool escapes = has_escapes(code, at);
    const std::string_view one = code.substr(at, 1);
    const bool triple = code.substr(at + 1).starts_with(one) && code.substr(at + 2).starts_with(one);
    const std::string_view end = code.substr(at, triple ? 3 : 1);
    for (at += end.size(); at < code.size() && !code.substr(at).starts_with(end); ++at) {
      if (code[at] == '\n' && !triple) break;
      if (code[at] != '\\') continue;
      if (escapes && is_half(code.substr(at))) return at;
      ++at;
    }
    at = std::min(at + end.size(), code.size());
  }
  return std::string_view::npos;
}

}  // namespace holdfast::sandbox
