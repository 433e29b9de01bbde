#pragma once

// shut_in: the first process of a sandbox gives up what it does not need, before it makes others;
// shut_in_worker: those give up the rest. Each is one way, and says what failed: a process that is not shut
// in does not run.

#include <string>

#include "jail/seccomp.h"

namespace holdfast::sandbox {

// What stands around the process. The numbers are the levels that users are shown.
enum class Level {
  kNamespaces = 1,  // bubblewrap: nothing of the machine is there
  kLandlock = 2,    // what is there cannot be reached
};

// Of one worker, whatever it runs.
inline constexpr unsigned long kMostAddressSpace = 512UL << 20;

// Both filters exist before either holds.
struct Filters {
  Filter first;
  Filter worker;
};

// Closes every file but `control`, takes no rights any more, becomes nobody where it is root. Empty, or what
// is missing.
std::string shut_in(Level level, int control, const Filter& filter);
// Forked from the first process, and `socket` is all that it has. Empty, or what is missing.
std::string shut_in_worker(int socket, int parent, const Filter& filter);

}  // namespace holdfast::sandbox
