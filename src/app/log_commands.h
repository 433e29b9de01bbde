#pragma once

// logs: what the code of a run's steps wrote. Runs one command and returns its exit code.

#include "app/commands.h"

namespace holdfast::app {

// The options of `output`: of one step, or lines that hold a text.
int print_logs(const OutputOptions& options);

}  // namespace holdfast::app
