// What a process of Monty says, by whoever has taken it over: a value as bytes, and the events of one run,
// each behind its length, as broker/worker.cc hears them. A result is JSON within its limit; a run that is
// over says nothing more; and a code is looked through whatever it is.

#include "base/json.h"
#include "fuzz.h"
#include "monty/conversation.h"
#include "monty/literals.h"
#include "monty/result.h"
#include "wire/frame.h"

namespace holdfast::sandbox {

namespace {

constexpr std::size_t kMostBytes = 4096;

void check(const Reply& reply, std::size_t most) {
  if (reply.failure) return;
  REQUIRE(reply.result.size() <= most);
  // Nothing was the answer of a run that was aborted before it had one.
  if (!reply.result.empty()) REQUIRE(nlohmann::json::accept(reply.result));
}

}  // namespace

FUZZ(input) {
  const std::uint32_t root = input.empty() ? 0 : static_cast<unsigned char>(input.front());
  Reply value;
  if (write_result(input.substr(input.empty() ? 0 : 1), root, kMostBytes, value).ok())
    check(value, kMostBytes);
  const std::size_t half = half_a_pair_in(input);
  REQUIRE(half == std::string_view::npos || input[half] == '\\');

  Request request;
  request.kind = Kind::kMonty;
  request.inputs = "{}";
  request.code = "return 1";
  request.limits.output_bytes = kMostBytes;
  request.limits.log_bytes = 64;
  Conversation conversation(request);
  REQUIRE(conversation.begin());
  while (input.size() >= 4 && !conversation.is_over()) {
    const std::size_t size = frame_size(input.substr(0, 4));
    input.remove_prefix(4);
    const std::string_view event = input.substr(0, size);
    input.remove_prefix(event.size());
    const auto answer = conversation.hear(event);
    if (!answer) return;
    REQUIRE(answer->empty() || frame_size(answer->substr(0, 4)) == answer->size() - 4);
  }
  if (!conversation.is_over()) return;
  const Reply reply = conversation.take();
  REQUIRE(reply.log.size() <= request.limits.log_bytes);
  check(reply, kMostBytes);
}

}  // namespace holdfast::sandbox
