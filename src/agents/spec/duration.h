#pragma once

// Durations as people write them: "1h30m", "250ms", "7d". Pure.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::spec {

// Largest unit first, "0s" for none.
std::string format_duration(std::chrono::milliseconds duration);
// Parts of number and unit (d, h, m, s, ms), or "0"; none for anything else, and for what is longer than four
// centuries.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace holdfast::spec
