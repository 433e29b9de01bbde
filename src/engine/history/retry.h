#pragma once

// Retry policies: defaults, validation, and whether to try again, and when. Shared by activities and
// workflow retries.

#include <optional>
#include <string>

#include "history/stored.h"
#include "holdfast/status.h"

namespace holdfast::history::retry {

using Policy = pb::common::v1::RetryPolicy;

// Fills in what is unset: 1 s, doubling, at most 100 times the first interval, without end.
void fill_defaults(Policy* policy);
// What is wrong with it, or empty.
std::string problem(const Policy& policy);

struct Next {
  enums::RetryState state = enums::RETRY_STATE_IN_PROGRESS;
  Ns interval = 0;  // only with IN_PROGRESS
};

// How long the policy waits after `attempt`.
Ns interval_after(const Policy& policy, std::int32_t attempt);
// `attempt` just failed. `expiration_ns` 0: none. `failure` null: nothing to judge.
Next next(const Policy& policy, std::int32_t attempt, Ns now, Ns expiration_ns, const Failure* failure);

// May it be tried again at all, by its kind?
bool retryable(const Failure& failure, const Policy& policy);

}  // namespace holdfast::history::retry
