#pragma once

// The call that a run answers, in the usage of whoever made it. Any thread.

#include "platform/store.h"
#include "protocol/run.h"

namespace holdfast::agent {

// Counts it before the run begins, against the budgets of the caller; its row goes into the step that begins
// the run. A refusal is thrown as ApplicationFailure.
void count_call_of(platform::Store& store, const protocol::Caller& caller, platform::StepWrite& write);

}  // namespace holdfast::agent
