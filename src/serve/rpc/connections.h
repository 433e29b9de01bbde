#pragma once

// Connections: accepts the server's TCP connections and hands them to gRPC, which neither bounds how many
// there are nor how often one opens calls only to reset them (CVE-2023-44487). A second descriptor of each
// connection stays here: with it a connection that does so is shut, whatever gRPC thinks of it.
//
// Owner: the server, with the clock. A thread of its own accepts and notices ends; on_reset() is thread-safe.

#include <grpcpp/server_builder.h>

#include <cstdint>
#include <memory>
#include <string>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "os/address.h"

namespace holdfast::rpc {

struct ConnectionLimits {
  std::size_t most = 1000;  // one more takes the place of one that never sent a call, or is closed at once
  // Calls that a peer may reset before they are answered: so many at once, and so many a second for long.
  double resets_at_once = 1000;
  double resets_per_second = 200;
};

class Connections {
 public:
  using Acceptor = grpc::experimental::ExternalConnectionAcceptor;

  // kUnavailable: the port is in use now.
  static Result<std::unique_ptr<Connections>> listen(const os::HostPort& address, ConnectionLimits limits,
                                                     const Clock& clock);
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  std::uint16_t port() const;
  // Accepts from now on. `acceptor` is that of the started server.
  void start(std::unique_ptr<Acceptor> acceptor);
  // A call of this peer, named as gRPC names it, was reset before it was answered.
  void on_reset(const std::string& peer);
  // Accepts no more. Connections that are open stay so.
  void stop();

  std::size_t open() const;

 private:
  struct Impl;
  explicit Connections(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::rpc
