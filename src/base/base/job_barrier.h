#pragma once

// The barrier at the end of an executor's jobs. A job that can tell somebody what went wrong does so itself;
// what it throws all the same ends with it and is told on standard error: its thread goes on to the next
// job, and the process with it. Any thread; never throws.

#include <string_view>

#include "holdfast/seams.h"

namespace holdfast {

// Runs the job, and lets go of what it owns. `whose` names the thread or pool.
void run_job(Executor::Job job, std::string_view whose) noexcept;

}  // namespace holdfast
