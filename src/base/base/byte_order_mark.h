#pragma once

// Readers of JSON skip a byte order mark in front of a text. Where the text becomes a piece of another one,
// or is read line by line, there may be none.

#include <string_view>

namespace holdfast {

inline constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

inline std::string_view behind_byte_order_mark(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return text;
}

}  // namespace holdfast
