#pragma once

// Readers of JSON skip a byte order mark in front of a text. Where the text becomes a piece of other JSON,
// there may be none.

#include <string_view>

namespace holdfast::flows {

inline std::string_view behind_byte_order_mark(std::string_view text) {
  constexpr std::string_view kMark = "\xef\xbb\xbf";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  return text;
}

}  // namespace holdfast::flows
