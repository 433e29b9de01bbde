#pragma once

// A connection with Server-Sent Events, fed by a source of them. Internal to the module.

#include <memory>
#include <utility>

#include "http/api_context.h"

namespace holdfast::http {

// `Source` has open streams `bind` them and `next` feed them.
template <typename Source>
void serve_events(ApiContext& context, const std::shared_ptr<Source>& source, Responder responder) {
  Response head;
  head.content_type = "text/event-stream";
  head.headers.push_back({"X-Accel-Buffering", "no"});
  auto stream =
      responder.stream(std::move(head), *context.stream_workers, [source] { return source->next(); });
  if (!stream) return;
  source->bind(stream);
  stream->wake();
}

}  // namespace holdfast::http
