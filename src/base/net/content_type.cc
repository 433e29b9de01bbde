#include "net/content_type.h"

#include "base/ascii.h"

namespace holdfast::net {

namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kAround = " \t\"";
  const std::size_t from = text.find_first_not_of(kAround);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(kAround) - from + 1);
}

}  // namespace

std::string media_type(std::string_view header) {
  return ascii_lower(trimmed(header.substr(0, header.find(';'))));
}

std::string parameter_of(std::string_view header, std::string_view name) {
  while (!header.empty()) {
    const std::size_t semicolon = header.find(';');
    if (semicolon == std::string_view::npos) return {};
    header.remove_prefix(semicolon + 1);
    const std::string parameter = ascii_lower(header.substr(0, header.find(';')));
    const std::size_t equals = parameter.find('=');
    if (equals != std::string::npos && trimmed(std::string_view(parameter).substr(0, equals)) == name)
      return std::string(trimmed(std::string_view(parameter).substr(equals + 1)));
  }
  return {};
}

bool is_utf8_text(std::string_view header) {
  const std::string charset = parameter_of(header, "charset");
  return charset.empty() || charset == "utf-8" || charset == "utf8" || charset == "us-ascii";
}

}  // namespace holdfast::net
