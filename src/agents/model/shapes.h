#pragma once

// For the tests: what a provider makes of a stream, in one line that a table can hold.

#include <string>
#include <string_view>
#include <vector>

#include "model/provider.h"
#include "net/sse_parser.h"

namespace holdfast::model::shapes {

// "text | name#id(arguments) | stop", then what is opaque, each only if it is there; or "ErrorType: message".
inline std::string said(const std::expected<Completion, Error>& outcome) {
  if (!outcome) {
    return std::string(error_type(outcome.error().kind)) + (outcome.error().retryable ? " again" : " final");
  }
  static constexpr const char* kStops[] = {"end", "calls", "max", "sequence", "paused"};
  const Message& message = outcome->message;
  std::string out;
  for (const Part& part : message.content) {
    if (part.type == "text") out += part.text + part.extra;
    if (part.type == "opaque") out += "<" + part.json + ">";
    if (part.type == "tool_call") out += "<call " + std::to_string(part.call) + ">";
  }
  for (const ToolCall& call : message.tool_calls) {
    out += " | " + call.name + "#" + call.id + "(" + call.arguments + ")" + call.extra;
  }
  out += std::string(" | ") + kStops[static_cast<int>(outcome->stop_reason)];
  if (!message.extra.empty()) out += " | " + message.extra;
  return out;
}

// `body` as it comes over HTTP with status 200.
inline std::expected<Completion, Error> decode(const Provider& provider, std::string_view body,
                                               std::string* streamed = nullptr) {
  const auto decoder = provider.decoder();
  Decoder::OnDelta on_delta = [&](const Delta& delta) {
    if (streamed != nullptr && delta.kind == Delta::Kind::kText) *streamed += delta.text;
  };
  if (body.starts_with("{") || body.starts_with("[")) {
    decoder->whole(body, on_delta);
  } else {
    net::SseParser parser;
    const Status status = parser.feed(body, [&](const net::SseEvent& event) {
      if (!decoder->error()) decoder->event(event, on_delta);
    });
    if (!status.ok()) return std::unexpected(Error(ErrorKind::kStreamCut, status.message()));
  }
  if (decoder->error()) return std::unexpected(*decoder->error());
  if (!decoder->complete() && !decoder->complete_at_end())
    return std::unexpected(Error(ErrorKind::kStreamCut, "not complete"));
  return decoder->take();
}

// "input output", of which a call that was not counted has none.
inline std::string counted(const Provider& provider, std::string_view body) {
  const auto outcome = decode(provider, body);
  if (!outcome) return said(outcome);
  return std::to_string(outcome->usage.input_tokens) + " " + std::to_string(outcome->usage.output_tokens);
}

}  // namespace holdfast::model::shapes
