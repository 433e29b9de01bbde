#pragma once

// What forks need of the tables. Private to this room.

#include <string_view>

namespace holdfast::platform {

// Finds the runs that go on from another one. Versions before it knew of no run that begins on a branch.
inline constexpr std::string_view kForkIndex = "CREATE INDEX origins_by_origin ON origins (origin, run)";

}  // namespace holdfast::platform
