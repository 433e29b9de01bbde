#pragma once

// The command line: parses, then runs the one command that was asked for. Returns the process's exit code.

namespace holdfast::app {

int run_command_line(int argc, char** argv);

}  // namespace holdfast::app
