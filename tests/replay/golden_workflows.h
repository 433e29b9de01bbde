#pragma once

// The workflows whose histories lie in data/. They stay as they were when the histories were recorded: a
// runtime that cannot replay them any more would break the runs that its users have parked.

#include "holdfast/worker.h"

namespace holdfast::golden {

void register_workflows(Registry& registry);
void register_activities(Registry& registry);

}  // namespace holdfast::golden
