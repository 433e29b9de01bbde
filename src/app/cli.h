#pragma once

// The command line: what main() does. Sets the process up (heaps, SIGPIPE), parses, then runs the one command
// that was asked for. Returns the process's exit code. On main()'s thread, once.

#include "app/storage.h"

namespace holdfast::app {

int run_command_line(int argc, char** argv, const Storage& storage = {});

}  // namespace holdfast::app
