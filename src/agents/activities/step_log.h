#pragma once

// What the code of a step writes, for people. Pure.

#include <cstddef>

namespace holdfast::agent {

// Of one step: in its record, and in the event of its end.
inline constexpr std::size_t kMaxLogBytes = 16U << 10;

}  // namespace holdfast::agent
