// What a model's server streams, in any format (first byte), cut as it likes (second byte), and the body
// of its refusals: the same answer however it is cut, and an answer that was taken can be sent back.

#include "model/provider.h"

#include "base/json.h"
#include "fuzz.h"

namespace holdfast::model {
namespace {

struct Read {
  std::string deltas;  // what a person saw
  std::string message;
  std::optional<Error> error;
  bool broken = false;
};

Read read(const Provider& provider, std::string_view bytes, std::size_t piece) {
  Read out;
  const auto decoder = provider.decoder();
  net::SseParser parser;
  Decoder::OnDelta on_delta = [&out](const Delta& delta) {
    out.deltas += delta.text + delta.id + delta.name;
  };
  while (!bytes.empty() && !out.broken && !decoder->error()) {
    const std::string_view part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    const Status fed = parser.feed(part, [&](const net::SseEvent& event) {
      if (!decoder->error()) decoder->event(event, on_delta);
    });
    out.broken = !fed.ok();
  }
  out.error = decoder->error();
  if (out.broken || out.error || !(decoder->complete() || decoder->complete_at_end())) return out;
  std::expected<Completion, Error> completion = decoder->take();
  if (!completion) {
    out.error = completion.error();
    return out;
  }
  const Usage& usage = completion->usage;
  REQUIRE(usage.input_tokens >= 0 && usage.output_tokens >= 0 && usage.cached_input_tokens >= 0);
  completion->message.role = Role::kAssistant;
  out.message = to_json(completion->message);
  return out;
}

// The next turn of the conversation, with every provider: it may have changed meanwhile.
void send_back(const std::string& stored) {
  const auto message = message_from_json(stored);
  REQUIRE(message);
  REQUIRE(to_json(*message) == stored);
  Request request;
  request.model = "m";
  request.messages = {Message::user("hi"), *message};
  for (const ToolCall& call : message->tool_calls) request.messages.push_back(Message::tool(call.id, "done"));
  for (const Provider* provider : providers()) {
    const auto body = provider->encode(request, Dialect{.base_url = "http://127.0.0.1/v1"});
    REQUIRE(body);
    REQUIRE(!parse_json(*body).is_discarded());
  }
}

}  // namespace

FUZZ(input) {
  if (input.size() < 2) return;
  const auto first = static_cast<unsigned char>(input[0]);
  const auto piece = static_cast<unsigned char>(input[1]);
  const std::string_view bytes = input.substr(2);
  const Provider& provider = *providers()[first % providers().size()];
  const Read whole = read(provider, bytes, bytes.size() + 1);
  const Read pieces = read(provider, bytes, 1 + piece);
  REQUIRE(whole.message == pieces.message);
  REQUIRE(whole.error.has_value() == pieces.error.has_value());
  if (!whole.message.empty()) send_back(whole.message);

  net::HttpHead head;
  head.status = 400 + first % 200;
  head.headers.push_back({"retry-after", std::string(bytes.substr(0, 40))});
  const Error error = provider.classify_error(head, bytes, WallTime{});
  if (error.retry_after) REQUIRE(error.retry_after->count() >= 0);
}

}  // namespace holdfast::model
