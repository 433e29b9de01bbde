#pragma once

// AG-UI 1.0: a run of an agent as the events of the Agent User Interaction protocol.
//
// POST of a RunAgentInput: `runId` becomes the run's id, `threadId` the conversation. The same input again is
// the same run, from its beginning; with Last-Event-ID it goes on behind that event. A question to a person
// ends the stream with an interrupt; its answer comes with the next input, as `resume`. Thread-safe; blocks.

#include "interop/host.h"

namespace holdfast::interop {

void run_ag_ui(const Host& host, const net::Request& request, const Json& input, net::Responder responder);

}  // namespace holdfast::interop
