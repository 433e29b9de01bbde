#pragma once

// The workflow behind a schedule: it sleeps until a run is due, starts it, and sleeps again. Deterministic:
// when the next one is due, and starting it, are activities, since time zones and stores are the world's.

#include "holdfast/workflow.h"
#include "protocol/schedule.h"

namespace holdfast::agent {

// Registered as kScheduleType. Goes on until it is terminated, which deletes the schedule.
Task<void> schedule_workflow(workflow::Context& ctx, protocol::ScheduleInput input);

}  // namespace holdfast::agent
