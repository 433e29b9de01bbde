// Cursors and page tokens, which a client should only ever hand back: those of event streams, of lists of
// executions.

#include "base/base64.h"
#include "base/sha256.h"
#include "fixture/temporary_directory.h"
#include "fuzz.h"
#include "http/event_source.h"
#include "platform/stream_rules.h"
#include "visibility/index.h"

namespace holdfast {

FUZZ(input) {
  if (const auto place = http::split_cursors(input)) {
    const auto again = http::split_cursors(http::join_cursors(*place));
    REQUIRE(again && *again == *place);
  }
  if (const auto bytes = from_base64url(input)) {
    REQUIRE(from_base64url(base64url(*bytes)) == bytes);
  }
  constexpr std::uint64_t kLast = 1000;
  if (const auto seq = platform::rules::seq_of(input, "0a1b2c3d", "run", kLast)) REQUIRE(*seq <= kLast);

  static const fixture::TemporaryDirectory directory;
  static const auto index = visibility::Index::open({.path = (directory / "visibility.db").string()});
  REQUIRE(index);
  visibility::ListRequest request;
  request.namespace_id = "n";
  const std::size_t line = input.find('\n');
  request.query = std::string(line == std::string_view::npos ? "" : input.substr(0, line));
  request.page_token = std::string(line == std::string_view::npos ? input : input.substr(line + 1));
  const auto listed = (*index)->list(request);
  if (!listed) REQUIRE(listed.error().code() == Code::kInvalidArgument);
}

}  // namespace holdfast
