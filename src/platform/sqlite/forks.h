#pragma once

// What forks need of the tables. Private to this room.

namespace holdfast::platform {

// Finds the runs that go on from another one. Formats before it knew of no run that begins on a branch.
inline constexpr const char* kForkIndex = "CREATE INDEX origins_by_origin ON origins (origin, run)";

}  // namespace holdfast::platform
