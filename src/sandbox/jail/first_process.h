#pragma once

// first_process: the life of the first process of a sandbox. It shuts itself in, says so, and then makes
// workers when it is asked for one: each a fork that has run nothing, shut in further before it hears
// anything. One is always made ahead, so that a new tenant waits for no fork. When the broker's end of the
// control socket closes, it ends, and all workers with it.

#include <sys/types.h>

#include <functional>
#include <string>

#include "jail/shut_in.h"

namespace holdfast::sandbox {

// So many at a time; more than a broker ever has.
inline constexpr int kMostWorkers = 256;

// `serve` is a worker's life: it talks on the socket until that ends. The result is the exit code.
int first_process(Level level, int control, void (*serve)(int socket));

// The same of whoever lives otherwise.
struct FirstProcessOf {
  std::function<std::string()> shut_in;                     // itself; what is missing, or empty
  std::function<std::string(pid_t parent)> shut_in_worker;  // the same of a worker
  std::function<void(int socket)> serve;
};
int first_process(int control, FirstProcessOf lives);

}  // namespace holdfast::sandbox
