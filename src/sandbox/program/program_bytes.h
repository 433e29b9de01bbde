#pragma once

// The program of the sandbox, whole, as it lies in this one.

#include <string_view>

namespace holdfast::sandbox {

std::string_view program_bytes();

}  // namespace holdfast::sandbox
