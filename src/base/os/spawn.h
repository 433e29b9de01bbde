#pragma once

// How every program is started from here: no shell, an environment of what is given and nothing else, no file and
// no signal of this process besides, in a process group of its own, with / as its directory. Any thread.

#include <sys/types.h>

#include <string>
#include <vector>

namespace holdfast::os {

struct Spawn {
  std::vector<std::string> command;      // the program's absolute path and its arguments; never empty
  std::vector<std::string> environment;  // "NAME=value" each
  std::vector<int> files;                // ours; in the program they are 0, 1, 2, and so on
};

// 0 and the process, or the error's number.
int spawn(const Spawn& what, pid_t& pid);

}  // namespace holdfast::os
