#pragma once

// UTF-8 of uncertain origin. Protobuf writes a string that is none and then refuses to read it back; JSON
// throws. So text from outside passes here before it becomes part of either.

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast {

bool is_utf8(std::string_view text);

// Each byte sequence that is no UTF-8 becomes U+FFFD.
std::string to_utf8(std::string_view text);

// The beginning of `text`, at most `limit` bytes, not ending inside a character.
std::string_view cut_text(std::string_view text, std::size_t limit);

// Cut like that, with a note of how much there was, and UTF-8.
std::string bounded_text(std::string text, std::size_t limit);

}  // namespace holdfast
