#pragma once

// After: runs a short job later, on a thread that must not block. Jobs that are not due when their owner ends
// never run.

#include <chrono>
#include <functional>

namespace holdfast::runs {

using After = std::function<void(std::chrono::milliseconds delay, std::move_only_function<void()> job)>;

}  // namespace holdfast::runs
