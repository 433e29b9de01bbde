#pragma once

// Where a byte stands in a text, as people look for it.

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace holdfast {

struct TextPlace {
  std::uint32_t line = 1;
  std::uint32_t column = 1;  // in bytes
};

inline TextPlace place_in(std::string_view text, std::size_t byte) {
  const std::string_view front = text.substr(0, byte);
  const std::size_t line_begin = front.rfind('\n') + 1;  // npos + 1 is the beginning
  return {.line = static_cast<std::uint32_t>(std::ranges::count(front, '\n')) + 1,
          .column = static_cast<std::uint32_t>(front.size() - line_begin) + 1};
}

}  // namespace holdfast
