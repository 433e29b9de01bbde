#pragma once

// How the run is called that takes back what another one did. Internal to the room.

#include <string>

namespace holdfast::runs {

// One for each run, so that two who ask get one.
std::string undo_id(const std::string& run);

}  // namespace holdfast::runs
