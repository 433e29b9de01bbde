#pragma once

// How Monty's processes come to be: the first process shuts itself in and stays what it is; each worker that
// it makes gives up the rest and becomes Monty, whose standard input and output are its socket. So Monty is
// loaded before anybody waits for it, and never by a process that holds more than it may.

#include <span>
#include <string>
#include <string_view>

#include "jail/shut_in.h"

namespace holdfast::sandbox {

inline constexpr int kMontyNull = 4;  // /dev/null, open

struct MontyStart {
  Level level = Level::kNamespaces;
  std::string program;
  std::span<const std::string_view> readable;  // what it is linked with, and itself
};

// The life of the first process; the result is the exit code.
int first_monty(const MontyStart& start, int control);

}  // namespace holdfast::sandbox
