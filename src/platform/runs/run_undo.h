#pragma once

// How the runs are called that take back what another one did. Internal to the room.

#include <string>

namespace holdfast::runs {

// So many runs take back what one did, each after the one before it has failed.
inline constexpr int kMaxUndoRuns = 100;

// The same for whoever asks, so that two who ask at once get one. `nth` from 1.
std::string undo_id(const std::string& run, int nth = 1);

}  // namespace holdfast::runs
