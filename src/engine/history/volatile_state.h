#pragma once

// The state of an execution in its parts: what its start says (StartFacts), what follows from its events
// (rebuild.h), and what follows from neither (VolatileState). Pure functions.

#include "history/stored.h"

namespace holdfast::history {

stored::StartFacts facts_of(const stored::ExecutionState& state);

// `speculative`: the pending workflow task is one that lives in memory only.
stored::VolatileState volatile_part(const stored::ExecutionState& state, bool speculative = false);

// The other way: what is volatile in `state` becomes what `part` says. Of a closed run, what `part` does not
// name any more has been answered and goes.
void lay_over(const stored::VolatileState& part, stored::ExecutionState* state);

}  // namespace holdfast::history
