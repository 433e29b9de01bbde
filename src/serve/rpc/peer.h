#pragma once

// Peer: one connection of the server, over TCP or in the file system, below its HTTP/2 session. Reads a
// little at a time, so that the others have their turn, writes what the session has, and closes when either
// side is through, or when the client takes too long to read. Owner: the server's state; io thread only.

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>

#include "rpc/session.h"
#include "rpc/state.h"
#include "tls/channel.h"

namespace holdfast::rpc {

class Peer final : public Wire, public std::enable_shared_from_this<Peer> {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;

  Peer(ServerState& state, Socket socket);
  ~Peer() override;

  // RESOURCE_EXHAUSTED: there is no memory for one more. UNAVAILABLE: the client has gone.
  Status begin();
  // Ends its calls and closes. Idempotent.
  void close();
  Session& session() { return *session_; }
  // In the order in which they came.
  std::uint64_t number() const { return number_; }
  bool is_silent() const { return !session_->opened_a_call(); }

  void hear() override;
  void has_output() override;

 private:
  void read();
  void read_after_a_pause();
  void wait_readable();
  void on_readable();
  std::optional<std::size_t> receive_some();
  void write();
  void take_output();
  void write_later();
  void on_written(boost::system::error_code error);

  static constexpr std::size_t kReadBytes = 16 << 10;
  static constexpr std::size_t kWriteBytes = 32 << 10;
  static_assert(kReadBytes + kWriteBytes < kConnectionBytes);
  // What OpenSSL keeps of one.
  static constexpr std::size_t kTlsBytes = 48 << 10;
  static constexpr int kWritesAtOnce = 8;
  // A client that resets call after call is heard a little every now and then: what it costs is less than
  // what it costs the client.
  static constexpr std::size_t kWaryReadBytes = 2 << 10;
  static constexpr std::chrono::milliseconds kWaryPause{10};

  ServerState& state_;
  const std::uint64_t number_;
  Socket socket_;
  boost::asio::steady_timer write_timer_;
  boost::asio::steady_timer read_timer_;
  HeldMemory held_;
  std::unique_ptr<Session> session_;
  std::unique_ptr<tls::Channel> tls_;  // null: in the clear
  std::string plain_;
  std::string out_;
  bool reading_ = false;
  bool writing_ = false;
  bool output_is_posted_ = false;
  bool closed_ = false;
};

}  // namespace holdfast::rpc
