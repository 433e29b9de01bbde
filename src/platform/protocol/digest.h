#pragma once

// SHA-256 as lower-case hex. Pure.

#include <string>
#include <string_view>

namespace holdfast {

std::string sha256_hex(std::string_view bytes);

}  // namespace holdfast
