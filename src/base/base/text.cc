#include "base/text.h"

#include <utf8.h>

#include <iterator>

namespace holdfast {

bool is_utf8(std::string_view text) {
  return utf8::is_valid(text.begin(), text.end());
}

std::string to_utf8(std::string_view text) {
  if (is_utf8(text)) return std::string(text);
  std::string out;
  out.reserve(text.size());
  utf8::replace_invalid(text.begin(), text.end(), std::back_inserter(out));
  return out;
}

std::string_view cut_text(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  return text.substr(0, limit);
}

std::string bounded_text(std::string text, std::size_t limit) {
  if (text.size() > limit) {
    const std::string_view shown = cut_text(text, limit);
    text = std::string(shown) + "... (" + std::to_string(text.size()) + " bytes in all, " +
           std::to_string(shown.size()) + " shown)";
  }
  return to_utf8(text);
}

}  // namespace holdfast
