#pragma once

// The workflow of a run that takes back what a closed one did: nothing else, the last call first. What that
// is was asked when somebody wanted it, and stands with the run's origin. It fails when something stands, and
// names it. A cancelled one finishes the call that is under way, and leaves the rest.

#include "holdfast/workflow.h"
#include "protocol/run.h"
#include "protocol/undo.h"

namespace holdfast::agent {

// Registered as protocol::kUndoWorkflowType.
Task<protocol::RunResult> undo_workflow(workflow::Context& ctx, protocol::UndoInput input);

}  // namespace holdfast::agent
