#pragma once

// tools/call: a run is started, or found again, and the call's stream follows it to its answer.
//
// Who hangs up: without a session that cancels the call, and so its run, unless the call carries an
// idempotency key: then its caller means to come back, and the run goes on. With a session a connection that
// breaks says nothing; the stream is taken up where it was (Last-Event-ID), also behind a crash, and a
// cancellation is a message of its own. The run of a call with a session has an id that follows from session,
// caller and message, so nothing has to be remembered between them.

#include <string>

#include "interop/host.h"
#include "interop/mcp_request.h"

namespace holdfast::interop {

void call_tool(const Host& host, const McpPeer& peer, const net::Request& request, const RpcMessage& message,
               net::Responder responder);
// A stream that broke, from the event on that the client saw last.
void resume_call(const Host& host, const McpPeer& peer, const net::Request& request,
                 net::Responder responder);

// notifications/cancelled of a session. What it does not know it passes over.
void cancel_call(const Host& host, const McpPeer& peer, const net::Request& request,
                 const RpcMessage& message);
// The answer to a question of ours, in a session.
void answered(const Host& host, const net::Request& request, const RpcMessage& message);

}  // namespace holdfast::interop
