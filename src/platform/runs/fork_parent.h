#pragma once

// The run that is forked, as far as it has come. Internal to the room; a value.

#include <optional>
#include <string>

#include "runs/fork_points.h"
#include "runs/forks.h"

namespace holdfast::runs {

struct Forks::Parent {
  RunDetails details;
  platform::RunSpan span;
  std::optional<protocol::Fork> fork;  // it is one itself
  std::uint64_t begun = 0;             // messages behind which it asked its model for the first time
  bool closed = false;
  mutable Points points;

  const platform::RunRecord& record() const { return details.summary.run; }
};

Status with_fork_fault(Code code, ForkFault fault, std::string message,
                       std::optional<std::uint64_t> nearest = std::nullopt);

}  // namespace holdfast::runs
