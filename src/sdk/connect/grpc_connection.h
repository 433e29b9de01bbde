#pragma once

// GrpcConnection: an api::Connection to a WorkflowService elsewhere: our own server, a Temporal cluster,
// Temporal Cloud.
//
// Owner: whoever opened it. Threads: one of its own runs the completion queue; completions run on the
// executor named in the call's options, or inline on that thread (then they must be short and must not
// block). Errors arrive as the Status the server sent, typed details included; a server that cannot be
// reached is kUnavailable, one that does not answer in time kDeadlineExceeded. Nothing is retried here.
// Destroying it cancels open calls, waits for their completions and joins the thread. Never destroy it on
// that thread.

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "api/connection.h"
#include "holdfast/connect.h"
#include "holdfast/status.h"

namespace holdfast::rpc {

// An address as users write it, read.
struct GrpcAddress {
  std::string host_port;  // complete: "127.0.0.1:7233", "[::1]:7233", or "unix:PATH"
  bool tls = false;
  bool is_socket = false;

  // "HOST:PORT", "temporal://HOST:PORT"; "temporals://HOST:PORT" asks for TLS. The port defaults to 7233. Or
  // "unix:PATH". Anything else is kInvalidArgument.
  static Result<GrpcAddress> parse(std::string_view text);
};

class GrpcConnection final : public api::Connection {
 public:
  static constexpr std::chrono::seconds kDefaultDeadline{10};
  static constexpr std::chrono::seconds kLongPollDeadline{70};
  static constexpr int kMaxReceiveBytes = 64 << 20;

  // `address` as GrpcAddress::parse() reads it. Does not wait for the peer: the channel connects with the
  // first call and reconnects by itself.
  static Result<std::unique_ptr<GrpcConnection>> open(std::string_view address,
                                                      const ConnectOptions& options = {});
  ~GrpcConnection() override;
  GrpcConnection(const GrpcConnection&) = delete;
  GrpcConnection& operator=(const GrpcConnection&) = delete;

  std::shared_ptr<api::CallHandle> start(api::Method method, api::MessagePtr request,
                                         api::CallOptions options, api::Completion done) override;

  // True once a connection to the peer stands, or false at the timeout.
  bool wait_until_connected(std::chrono::milliseconds timeout);

 private:
  struct Impl;
  explicit GrpcConnection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::rpc
