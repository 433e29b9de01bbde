#pragma once

// Departure: whether the client of a connection has closed its side while its request is being served.
// Whoever works for it asks; the connection stays, because one direction alone may have been shut down.
// Nothing is read, a next request may follow: behind its first byte nothing is known any more. Internal to
// the room.
//
// A member of a session; io thread only, but for what flag() points to.

#include <atomic>
#include <boost/asio/generic/stream_protocol.hpp>
#include <memory>

namespace holdfast::net {

class Departure {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;
  using Flag = std::shared_ptr<const std::atomic<bool>>;

  // From now on, until something comes. `session` owns the socket and this, and is kept meanwhile.
  void watch(Socket& socket, std::shared_ptr<void> session);
  Flag flag() const { return gone_; }

 private:
  void look(Socket& socket);

  std::shared_ptr<std::atomic<bool>> gone_ = std::make_shared<std::atomic<bool>>(false);
  bool watching_ = false;
};

}  // namespace holdfast::net
