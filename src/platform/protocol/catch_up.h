#pragma once

// How late a run of a schedule may start, at the least: a timer is late, too.

#include <cstdint>

namespace holdfast::protocol {

inline constexpr std::int64_t kLeastCatchUpMs = 10'000;

}  // namespace holdfast::protocol
