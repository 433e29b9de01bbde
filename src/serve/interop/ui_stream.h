#pragma once

// The UI message stream of Vercel's AI SDK (`x-vercel-ai-ui-message-stream: v1`): what `useChat` and its
// transports send and read.
//
// A chat is a conversation, a message of the user a run of it; the same message again is the same run. A
// question to a person ends the stream with a request for approval, whose answer comes back as a part of the
// assistant's message. Thread-safe; blocks.

#include "interop/host.h"

namespace holdfast::interop {

void chat_ui_stream(const Host& host, const net::Request& request, const Json& body,
                    net::Responder responder);
// The answer that is being given in a chat, from its beginning or behind Last-Event-ID; 204: none is.
void resume_ui_stream(const Host& host, const net::Request& request, net::Responder responder);

}  // namespace holdfast::interop
