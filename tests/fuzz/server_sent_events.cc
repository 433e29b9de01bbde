// A stream of server-sent events: the same events however it is cut.

#include "fuzz.h"
#include "net/sse_parser.h"

#include <algorithm>
#include <vector>

namespace holdfast::net {
namespace {

std::vector<std::string> events_of(std::string_view input, std::size_t piece) {
  SseParser parser(1000);
  std::vector<std::string> events;
  while (!input.empty()) {
    const std::string_view part = input.substr(0, piece);
    input.remove_prefix(part.size());
    const Status status = parser.feed(
        part, [&](SseEvent event) { events.push_back(event.event + '\n' + event.id + '\n' + event.data); });
    if (!status.ok()) return events;
  }
  return events;
}

}  // namespace

FUZZ(input) {
  const auto bytewise = events_of(input, 1);
  const auto whole = events_of(input, input.size() + 1);
  // Where an event is too large the parser ends earlier when it sees more of it at once.
  const std::size_t both = std::min(whole.size(), bytewise.size());
  REQUIRE(std::equal(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(both), bytewise.begin()));
  if (input.size() < 1000) REQUIRE(whole == bytewise);
}

}  // namespace holdfast::net
