#pragma once

// One client connection of the HTTP server: reads requests, guards them, sends answers and streams. Internal
// to the module. Everything here runs on the server's io thread except SessionWriter, which hands over to
// it.

#include <atomic>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "net/crowd.h"
#include "net/server.h"

namespace holdfast::net {

class SessionBase {
 public:
  virtual ~SessionBase() = default;
  // Ends streams; closes once the response that is being written is out.
  virtual void finish() = 0;
  virtual void close() = 0;
};

// What all sessions of a server share; outlives the server when a handler still holds a responder.
struct SessionContext {
  boost::asio::io_context io{1};
  ServerOptions options;
  Handler handler;
  MemoryBudget own_memory{"HTTP", 256 << 20};  // for servers that were given none
  MemoryBudget& memory() { return options.memory != nullptr ? *options.memory : own_memory; }
  // Of bodies, from their first byte until their handler lets go. The rest is for replies: else a crowd of
  // half-sent bodies takes the last byte, and whoever only asks is refused the answer.
  MemoryBudget& bodies() {
    if (!of_bodies) of_bodies.emplace("HTTP bodies", memory().limit() / 4 * 3, &memory());
    return *of_bodies;
  }
  std::optional<MemoryBudget> of_bodies;  // made by the io thread
  Crowd crowd;
  std::set<std::shared_ptr<SessionBase>> sessions;
  bool stopping = false;
  bool beyond_loopback = false;  // others than this machine's may connect

  std::vector<std::shared_ptr<SessionBase>> open_sessions() const {
    return {sessions.begin(), sessions.end()};
  }
};

void start_session(std::shared_ptr<SessionContext> context,
                   boost::asio::generic::stream_protocol::socket socket);

}  // namespace holdfast::net
