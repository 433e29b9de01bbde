#include "app/printable.h"

#include <algorithm>
#include <utility>

namespace holdfast::app {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

struct Character {
  std::size_t bytes = 1;
  char32_t code = 0;
  bool valid = false;
  bool cut = false;  // valid so far, but the text ends here
};

Character first_of(std::string_view text) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char lead = byte(0);
  if (lead < 0x80) return {.bytes = 1, .code = lead, .valid = true};
  std::size_t length = lead >= 0xC2 && lead < 0xE0   ? 2
                       : lead >= 0xE0 && lead < 0xF0 ? 3
                       : lead >= 0xF0 && lead < 0xF5 ? 4
                                                     : 1;
  if (length == 1) return {};
  char32_t code = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if (i == text.size()) return {.bytes = i, .cut = true};
    if ((byte(i) & 0xC0) != 0x80) return {.bytes = i};
    code = (code << 6) | (byte(i) & 0x3F);
  }
  bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  bool good = !overlong && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
  return {.bytes = length, .code = code, .valid = good};
}

bool is_hidden(char32_t code) {
  return (code >= 0x80 && code < 0xA0) || code == 0x2028 || code == 0x2029 ||
         (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

// Takes what it understands off the front of `text`.
std::string take(std::string_view& text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    Character next = first_of(text);
    if (next.cut) break;
    if (!next.valid || is_hidden(next.code)) {
      out += kReplacement;
    } else if ((next.code < 0x20 && next.code != '\n' && next.code != '\t') || next.code == 0x7F) {
      out += "\xE2\x90";  // the pictures of U+2400 and on
      out += static_cast<char>(next.code == 0x7F ? 0xA1 : 0x80 + next.code);
    } else {
      out += text.substr(0, next.bytes);
    }
    text.remove_prefix(next.bytes);
  }
  return out;
}

}  // namespace

std::string PrintableStream::feed(std::string_view piece) {
  rest_ += piece;
  std::string_view left = rest_;
  std::string out = take(left);
  rest_.erase(0, rest_.size() - left.size());
  return out;
}

std::string PrintableStream::finish() {
  return std::exchange(rest_, {}).empty() ? "" : std::string(kReplacement);
}

std::string printable(std::string_view text) {
  std::string out = take(text);
  if (!text.empty()) out += kReplacement;
  return out;
}

std::string one_line(std::string_view text) {
  std::string out = printable(text);
  std::replace_if(out.begin(), out.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return out;
}

}  // namespace holdfast::app
