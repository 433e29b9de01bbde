#pragma once

// SHA-256 as this module writes it everywhere: lower-case hex. Pure.

#include <string>
#include <string_view>

namespace holdfast::agent {

std::string sha256_hex(std::string_view bytes);

}  // namespace holdfast::agent
