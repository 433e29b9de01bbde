#pragma once

// The workflow of every flow: it follows the plan that its first activity makes. Steps begin as soon as those
// that they wait for have ended; the first failure that no block takes up ends the run. What a block came to
// is in the platform store: the history holds outlets.

#include "holdfast/workflow.h"
#include "protocol/flow_run.h"

namespace holdfast::flows {

// The result is JSON as its last block made it, members in their order.
Task<Payload> flow_workflow(workflow::Context& ctx, protocol::FlowInput input);

}  // namespace holdfast::flows
