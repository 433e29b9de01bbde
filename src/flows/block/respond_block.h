#pragma once

// What others know of the block that gives a run its output.

#include <cstddef>
#include <string_view>

namespace holdfast::flows {

inline constexpr std::string_view kRespond = "respond";
// It stands in the history.
inline constexpr std::size_t kMaxOutputBytes = 256 * 1024;

}  // namespace holdfast::flows
