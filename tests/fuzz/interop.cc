// What clients of MCP, A2A and AG-UI send: a mark or a session id (first line) and a body in JSON-RPC (the rest). Marks
// that we give are read as what they are, and answers are JSON whatever the id was.

#include "fuzz.h"
#include "interop/json_rpc.h"
#include "interop/mcp_request.h"
#include "interop/run_events.h"

namespace holdfast::interop {
namespace {

void check_mark(std::string_view mark) {
  const RunEvents read(mark);
  const std::string again = read.mark();
  if (again.size() > RunEvents::kMaxMarkBytes) return;  // at its bound, and not one that we gave
  REQUIRE(RunEvents(again).mark() == again);
  REQUIRE(RunEvents(again).cursor() == read.cursor());
}

}  // namespace

FUZZ(input) {
  const std::size_t line = std::min(input.find('\n'), input.size());
  const std::string_view first = input.substr(0, line);
  check_mark(first);

  net::Request request;
  request.method = "POST";
  request.headers = {{"content-type", "application/json"}, {"mcp-session-id", std::string(first)}};
  request.body = input.substr(std::min(line + 1, input.size()));
  if (const auto peer = session_of(request, WallTime{std::chrono::hours(24 * 365 * 56)}))
    REQUIRE(is_session_revision(peer->revision));
  const auto read = read_rpc(request);
  if (!read) {
    REQUIRE(!parse_json<Json>(rpc_error(nullptr, read.error())).is_discarded());
    return;
  }
  const auto message = rpc_message(*read);
  if (!message) return;
  REQUIRE(message->kind != RpcMessage::Kind::kRequest || is_rpc_id(message->id));
  REQUIRE(!parse_json<Json>(rpc_result(message->id, message->params)).is_discarded());
  if (!speaks_stateless(request, *message)) return;
  if (const auto peer = check_stateless(request, *message)) REQUIRE(peer->stateless());
}

}  // namespace holdfast::interop
