#pragma once

// Base64 (RFC 4648) without padding, which URLs do without and texts around a value may leave away. Pure.

#include <optional>
#include <string>
#include <string_view>

namespace holdfast {

std::string base64(std::string_view bytes);
// In the alphabet for URLs and file names.
std::string base64url(std::string_view bytes);
// Nothing: a character of the text is none of that alphabet.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace holdfast
