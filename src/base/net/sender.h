#pragma once

// Sender: who is at the other end of a connection of the HTTP server, and for whom he asks. Internal to the
// room; io thread.

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/beast/http/fields.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "net/server.h"

namespace holdfast::net {

struct Sender {
  std::string address;                // of TCP; else which user it is
  std::optional<std::uint32_t> user;  // over a Unix socket
  bool is_proxy = false;              // one that is trusted

  // None: gone, or not heard: beyond loopback in the clear, and no trusted proxy.
  static std::optional<Sender> of(boost::asio::generic::stream_protocol::socket& socket,
                                  const ServerOptions& options, bool beyond_loopback, bool is_tls);
  // Of a request with these headers.
  std::string asks_for(const boost::beast::http::fields& headers) const;
};

}  // namespace holdfast::net
