#pragma once

// Letters of ASCII, as protocols compare names: other bytes stay as they are, whatever the locale.

#include <string>
#include <string_view>

namespace holdfast {

inline std::string ascii_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace holdfast
