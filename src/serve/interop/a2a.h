#pragma once

// A2A (Agent2Agent): agents of this server as agents of others, over JSON-RPC, in 1.0 and 0.3.
//
// A message begins a task, which is a run: the same message again is the same task. Where a person is asked
// the task is input-required, and the next message to it decides. Thread-safe; blocks.

#include "interop/host.h"

namespace holdfast::interop {

// `agent`: the one whose address it is; empty: the message names it (`tenant`).
void serve_a2a(const Host& host, const net::Request& request, std::string_view agent,
               net::Responder responder);
// The card of an agent, or of the server, whose skills the agents are.
net::Response agent_card(const Host& host, std::string_view agent);

}  // namespace holdfast::interop
