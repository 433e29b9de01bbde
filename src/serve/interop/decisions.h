#pragma once

// Decisions that come with a message of a protocol: stored and sent like any other, before the message is
// served. Thread-safe; blocks until each has its answer, or some seconds.

#include <optional>
#include <vector>

#include "interop/host.h"

namespace holdfast::interop {

inline constexpr std::size_t kMaxComment = 4000;  // bytes of what a person says to a decision; more is cut

// The first that is refused; none: all hold, or are stored and on their way, or somebody else had decided
// before, which the run tells.
std::optional<net::Problem> decide_all(const Host& host, const std::vector<runs::DecisionRequest>& decisions);

}  // namespace holdfast::interop
