#pragma once

// What signals have in common, sent alone or with a start: what may be wrong with one, and its event. Pure.

#include "api/messages.h"
#include "engine/run.h"
#include "history/limits.h"
#include "holdfast/status.h"

namespace holdfast::engine {

Status check_signal(const ws::SignalWorkflowExecutionRequest& request, const history::Limits& limits);
// Nothing that a caller should try again: the run stays full.
Status check_signal_count(const Run& run, const history::Limits& limits);
pb::history::v1::WorkflowExecutionSignaledEventAttributes signal_attributes(
    const ws::SignalWorkflowExecutionRequest& request);

}  // namespace holdfast::engine
