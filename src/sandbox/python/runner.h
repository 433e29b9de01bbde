#pragma once

// The text of runner.py, as it lies in this program.

#include <string_view>

namespace holdfast::sandbox {

std::string_view python_runner();

}  // namespace holdfast::sandbox
