#pragma once

// RunOutcome: how a run ended, told so that a person can act on it. Values and pure functions.

#include <optional>
#include <string>

#include "holdfast/client.h"
#include "runs/run_status.h"

namespace holdfast::runs {

struct RunOutcome {
  RunStatus status = RunStatus::kCompleted;
  std::string result;  // JSON; of a completed run
  std::string error_type;
  std::string error_message;
  std::optional<WallTime> closed_at;
};

RunOutcome outcome_of(const WorkflowClose& close);

// What a failure is about: the cause that a person can act on sits at the end of its chain, since an
// activity's failure wraps the tool's.
struct Reason {
  std::string type;
  std::string message;
};
Reason reason_of(const Failure& failure);

// Whether somebody who takes up the run would find something to do: it did not complete, or stopped at its limit of
// iterations.
bool has_work_left(const RunOutcome& outcome);

}  // namespace holdfast::runs
