// Templates of flows, by whoever writes one, over inputs (the first line; the rest is the template): a result
// that is JSON, or a failure with its place inside the text.

#include "base/json.h"
#include "fuzz.h"
#include "script/testing.h"

namespace holdfast::sandbox {

FUZZ(input) {
  const std::size_t line = input.find('\n');
  if (line == std::string_view::npos) return;
  Request request;
  request.kind = Kind::kTemplate;
  request.inputs = std::string(input.substr(0, line));
  request.code = std::string(input.substr(line + 1));
  request.limits.time_ms = 20;
  request.limits.memory_bytes = 4U << 20;
  if (!check_request(request).ok()) return;
  const Reply reply = run(request);
  if (!reply.failure) {
    REQUIRE(!parse_json(reply.result).is_discarded());
  } else {
    const auto lines =
        static_cast<std::size_t>(std::count(request.code.begin(), request.code.end(), '\n')) + 1;
    REQUIRE(reply.failure->line <= lines);
  }
}

}  // namespace holdfast::sandbox
