#pragma once

// Base64 (RFC 4648). Pure.

#include <optional>
#include <string>
#include <string_view>

namespace holdfast {

// Without padding, which texts around a value may leave away.
std::string base64(std::string_view bytes);
// Filled up with `=` to whole groups of four, as most formats want it.
std::string padded_base64(std::string_view bytes);
// In the alphabet for URLs and file names, without padding.
std::string base64url(std::string_view bytes);
// Nothing: a character of the text is none of that alphabet.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace holdfast
