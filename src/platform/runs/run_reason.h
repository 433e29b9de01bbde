#pragma once

// Why a run stopped, in one word for programs: `reason` of a run's record (docs/guide/steering.md has the
// table). Pure.

#include <string>

#include "runs/run_outcome.h"

namespace holdfast::runs {

std::string stop_reason(const RunOutcome& outcome);
// Of a run that is parked: the failure's type in the same words.
std::string failure_reason(const std::string& type);

}  // namespace holdfast::runs
