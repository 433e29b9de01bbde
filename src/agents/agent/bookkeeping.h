#pragma once

// How the workflow calls the activities that keep books: short and safe to repeat, they succeed as soon as
// the platform store does.

#include <chrono>

#include "holdfast/options.h"
#include "protocol/names.h"

namespace holdfast::agent {

inline ActivityOptions bookkeeping() {
  return ActivityOptions()
      .task_queue(protocol::kAgentQueue)
      .start_to_close(std::chrono::seconds(30))
      .retry(RetryPolicy().initial(std::chrono::milliseconds(200)).maximum(std::chrono::seconds(10)));
}

}  // namespace holdfast::agent
