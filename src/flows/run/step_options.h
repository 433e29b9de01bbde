#pragma once

// How the activities of a flow's blocks are scheduled. Pure functions.

#include "holdfast/workflow.h"
#include "protocol/flow_run.h"

namespace holdfast::flows {

// How often a block is tried is counted by its activity: an attempt that a crash has ended is none of them.
ActivityOptions blocks_options(const protocol::FlowStep& step);

}  // namespace holdfast::flows
