#pragma once

// Server: any api::Connection, served over gRPC as Temporal's WorkflowService and the part of its
// OperatorService that api/method.h names, with grpc.health.v1 and server reflection. No generated stubs: the
// method's name chooses the message types, so a method we lack is UNIMPLEMENTED and costs nothing.
//
// Owner: app. Threads: its own few completion-queue threads parse, start calls on the connection and send;
// completions of the connection may arrive on any thread, they are queued and sent by those threads. The
// connection must outlive the server.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "api/connection.h"
#include "base/memory_budget.h"
#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "os/address.h"
#include "rpc/connections.h"

namespace holdfast::rpc {

struct ServerOptions {
  // HOST:PORT or [V6]:PORT; port 0 picks a free one. HOST must be a loopback address or "localhost": there is
  // no authentication yet, so anything else is refused.
  std::string address = "127.0.0.1:7233";
  // Larger messages are RESOURCE_EXHAUSTED before we see them. Temporal's limit is 4 MiB; ours leaves room
  // for agents.
  int max_receive_bytes = 16 << 20;
  int max_send_bytes = 64 << 20;
  // What requests and replies draw on, from their first byte until the client has read the last; outlives the
  // server. None: 256 MiB. Calls that wait for something have half of it.
  MemoryBudget* memory = nullptr;
  // Of the process's heap. Beyond it what arrives or is read slowly ends, the slowest first. 0: no bound.
  std::size_t heap_bytes = 0;
  // Of gRPC's own buffers, beyond which it cancels whichever call it likes: the last resort. 0: as `memory`.
  std::size_t transport_bytes = 0;
  // For a request to arrive whole, and for a reply to be read.
  std::chrono::milliseconds transfer_timeout{30'000};
  // Calls open at once, long polls included; one more is RESOURCE_EXHAUSTED.
  std::size_t max_open_calls = 10'000;
  int max_streams = 2000;  // of them on one connection; gRPC makes the client wait
  ConnectionLimits connections{};
  int threads = 1;
  const Clock* clock = nullptr;  // outlives the server; none: the machine's
};

// What start() would make of `text`: kInvalidArgument or kPermissionDenied when it refuses the address,
// kUnavailable when the port is in use now.
Result<os::HostPort> listen_address(const std::string& text);

class Server {
 public:
  // kInvalidArgument: the address cannot be read. kPermissionDenied: not loopback. kUnavailable: the port is
  // in use.
  static Result<std::unique_ptr<Server>> start(api::Connection& connection, const ServerOptions& options);
  // Stops as stop() does, with no grace.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;
  // "127.0.0.1:7233", with the port that was bound.
  const std::string& address() const;

  // Refuses new calls, lets open ones finish for `grace`, cancels the rest and joins the threads. Idempotent.
  void stop(std::chrono::milliseconds grace);

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::rpc
