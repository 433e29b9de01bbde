#pragma once

// Line: one way to one server, over which requests go one after the other. An implementation per transport:
// http_line.h, program_line.h. A line that failed is thrown away, unless the failure is the server's answer.
//
// One thread at a time. Between uses it waits in the client's store of lines.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/heartbeat.h"
#include "definition/mcp_servers.h"
#include "grant/permits.h"
#include "holdfast/seams.h"
#include "mcp/message.h"
#include "net/http_client.h"
#include "oauth/tokens.h"

namespace holdfast::mcp {

using agent::McpServer;

inline constexpr std::string_view kModern = "2026-07-28";
inline constexpr std::string_view kLegacy = "2025-11-25";

// What a call needs from outside. Everything outlives the call.
struct Access {
  const Clock* clock = nullptr;
  const grant::Permits* permits = nullptr;
  std::stop_token stop;
  Heartbeat heartbeat;
  MonotonicTime deadline;

  std::chrono::milliseconds left() const {
    return std::chrono::ceil<std::chrono::milliseconds>(deadline - clock->monotonic());
  }
};

// How the two have agreed to talk.
struct Dialect {
  std::string version;  // empty: they have not
  bool modern = false;  // the version and who we are go with each request; no handshake, no session
  std::string session;  // of HTTP before 2026-07-28
};

class Line {
 public:
  virtual ~Line() = default;

  // The answer to `message`, an error of the protocol included. `headers` are HTTP's, for a transport that
  // has them. What else the server says meanwhile is heard: known notifications are taken note of, its
  // requests are answered that nobody here does such a thing.
  virtual Outcome<Json> exchange(const Json& message, const net::Headers& headers, const Access& access) = 0;
  virtual Outcome<void> notify(const Json& message, const Access& access) = 0;
  // Whether it is good for another request.
  virtual bool is_alive() = 0;
  // How long a server may stay silent before it is taken for one that does not know the newest revision;
  // none: silence says nothing.
  virtual std::optional<std::chrono::milliseconds> patience() const = 0;

  Dialect dialect;
  std::int64_t next_id = 1;
  // The hashes of the tools that the server has, and until when it can be believed; heard anew when it says
  // that they changed.
  std::map<std::string, std::string> pins;
  MonotonicTime pins_until{};

 protected:
  void hear(const Json& notification) {
    if (notification["method"] == "notifications/tools/list_changed") pins_until = {};
  }
};

}  // namespace holdfast::mcp
