#pragma once

// What a request to the MCP endpoint is, by the revision in which it speaks: with a handshake and a session
// (2025-03-26 to 2025-11-25), or on its own, with everything in its `_meta` (2026-07-28).
//
// A session is its id: revision, what the client can do and the hour it began are written in it, nothing is
// kept here. So there is no table to fill, and a session goes on when the server was killed in between. It
// gives nobody a right: who is asking says the credential of each request. Pure.

#include <optional>
#include <string>
#include <string_view>

#include "holdfast/seams.h"
#include "interop/json_rpc.h"

namespace holdfast::interop {

inline constexpr std::string_view kStatelessRevision = "2026-07-28";
inline constexpr std::string_view kBatchRevision = "2025-03-26";  // the only one with batches
inline constexpr std::string_view kNewestSessionRevision = "2025-11-25";
inline constexpr std::chrono::hours kSessionLasts{24};

inline constexpr int kHeaderMismatch = -32020;
inline constexpr int kUnsupportedRevision = -32022;

bool is_session_revision(std::string_view revision);
// All, the newest first.
Json supported_revisions();

// In which revision a request speaks, and what its client can do.
struct McpPeer {
  std::string revision;
  bool forms = false;   // shows a form to a person (elicitation)
  bool links = false;   // leads a person to an address
  std::string session;  // empty: it has none

  bool stateless() const { return revision == kStatelessRevision; }
};

// Whether it is of the revision without sessions, or of one that we do not know: judged by check_stateless().
bool speaks_stateless(const net::Request& request, const RpcMessage& message);
// The envelope of a request without a session.
std::expected<McpPeer, RpcError> check_stateless(const net::Request& request, const RpcMessage& message);

// What `initialize` agrees on.
McpPeer agree(const RpcMessage& initialize, Random& random, WallTime now);
// The session of a request. `status` is that of HTTP.
struct SessionError {
  int status = 400;
  RpcError error;
};
std::expected<McpPeer, SessionError> session_of(const net::Request& request, WallTime now);

// Both forms in which we answer.
bool accepts_both(const net::Request& request);

// HTTP's status for an error in the revision without sessions.
int http_status(int code);

}  // namespace holdfast::interop
