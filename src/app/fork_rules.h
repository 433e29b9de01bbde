#pragma once

// What a version of an agent says of the calls that a fork would make. Pure; any thread.

#include <vector>

#include "holdfast/status.h"
#include "runs/forks.h"

namespace holdfast::app {

Status rule_calls(const platform::Definition& definition, std::vector<runs::RuledCall>& calls);

}  // namespace holdfast::app
