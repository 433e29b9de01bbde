#include "run/step_options.h"

#include <algorithm>
#include <chrono>

#include "protocol/names.h"

namespace holdfast::flows {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// Of the blocks of one activity with all their attempts; each call has the timeout of its block.
constexpr hours kLongestActivity{24};
// Longer than an evaluation in the sandbox, which cannot say that it lives.
constexpr seconds kHeartbeat{30};

}  // namespace

ActivityOptions blocks_options(const protocol::FlowStep& step) {
  const protocol::Json retry = step.retry.is_object() ? step.retry : protocol::Json::object();
  const milliseconds initial(retry.value("initial_ms", 1000));
  const milliseconds maximum(retry.value("maximum_ms", 30000));
  return ActivityOptions()
      .task_queue(protocol::kToolQueue)
      .start_to_close(kLongestActivity)
      .heartbeat(kHeartbeat)
      .cancellation(ActivityCancellation::kWaitCompleted)
      .retry(RetryPolicy()
                 .initial(initial)
                 .backoff(retry.value("backoff", 2.0))
                 .maximum(std::max(initial, maximum)));
}

}  // namespace holdfast::flows
