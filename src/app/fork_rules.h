#pragma once

// What a version of an agent says now of the calls that a fork would make. Any thread.

#include "holdfast/seams.h"
#include "runs/forks.h"

namespace holdfast::app {

// The clock outlives it.
runs::RuleCalls rule_calls(const Clock& clock);

}  // namespace holdfast::app
