#pragma once

// SHA-256 of bytes as 64 lower-case hex digits. Pure.

#include <string>
#include <string_view>

namespace holdfast {

std::string sha256_hex(std::string_view bytes);

}  // namespace holdfast
