#pragma once

// Telling others of a run, by a workflow of its own that outlives it: a receiver that is down for a day holds
// up nobody. Deterministic workflow code.

#include "holdfast/workflow.h"
#include "protocol/activities.h"

namespace holdfast::agent {

// The workflow function registered as kNotifyWorkflowType: everybody who is to be told, each until he was,
// for three days at most; fails with the last reason when somebody was not.
Task<void> notify_workflow(workflow::Context& ctx, protocol::NotifyInput input);

}  // namespace holdfast::agent
