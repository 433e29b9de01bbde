#pragma once

// What is true of every history, whatever the workflow does. Pure function.

#include <string>
#include <vector>

#include "api/messages.h"

namespace holdfast::crash {

// Empty: well-formed. Ids are dense, every event refers to the one it follows from, and nothing ends twice:
// workflow tasks, activities, timers, updates, the execution. Times may run back: an activity's start is
// written when it ends.
std::vector<std::string> history_problems(const pb::history::v1::History& history);

}  // namespace holdfast::crash
