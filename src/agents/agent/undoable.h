#pragma once

// A call that may be taken back, before it is made. Pure.

#include <string>

#include "protocol/steering.h"

namespace holdfast::agent {

// `undo`: how long its undoing may take, and how often it is tried, as PlannedCall has it.
protocol::Undoable undoable_of(const std::string& agent, const std::string& version,
                               const protocol::CallRef& call, const protocol::Json& undo);

}  // namespace holdfast::agent
