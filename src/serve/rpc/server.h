#pragma once

// Server: any api::Connection, served over gRPC as Temporal's WorkflowService and the part of its
// OperatorService that api/method.h names, with grpc.health.v1 and server reflection. No generated stubs: the
// method's name chooses the message types, so a method we lack is UNIMPLEMENTED and costs nothing. HTTP/2 is
// nghttp2's, gRPC on top of it ours (docs/adr/0042): what a client may make the server hold is decided before
// it is held.
//
// Owner: app. Threads: one does all network work and whatever is short; another one makes messages of long
// requests and bytes of long replies. Completions of the connection may arrive on any thread. The connection
// must outlive the server.

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
#include "tls/files.h"

namespace holdfast::identity {
class Gate;
}

namespace holdfast::rpc {

// Of the server's memory, for each that is open: what is read and written at a time.
inline constexpr std::size_t kConnectionBytes = 64 << 10;

struct ConnectionLimits {
  std::size_t most = 1000;  // one more takes the place of one that never sent a call, or is closed at once
  // Calls that a client may reset before they are answered (CVE-2023-44487): so many at once, and so many a
  // second for long.
  double resets_at_once = 1000;
  double resets_per_second = 200;
};

struct ServerOptions {
  // HOST:PORT or [V6]:PORT; port 0 picks a free one. HOST must be a loopback address or "localhost", unless
  // there is TLS and a gate. Or unix:PATH: always in the clear, and the gate hears which user calls.
  std::string address = "127.0.0.1:7233";
  bool socket_for_every_user = false;  // of unix:PATH; else for the server's own
  // Larger messages are RESOURCE_EXHAUSTED before they arrive. Temporal's limit is 4 MiB; ours leaves room
  // for agents.
  std::size_t max_receive_bytes = 16 << 20;
  std::size_t max_send_bytes = 64 << 20;
  // What connections, requests and replies draw on, from their first byte until the client has read the last;
  // outlives the server. None: 256 MiB. Calls that wait for something have half of it.
  MemoryBudget* memory = nullptr;
  // Of the process's heap. Beyond it what arrives or is read slowly ends, the slowest first. 0: no bound.
  std::size_t heap_bytes = 0;
  // For a request to arrive whole, and for a reply to be read.
  std::chrono::milliseconds transfer_timeout{30'000};
  // Calls open at once, long polls included. A connection may have so many that some are left for others.
  std::size_t max_open_calls = 10'000;
  int max_streams = 2000;  // of them on one connection; its client waits with more
  ConnectionLimits connections{};
  const Clock* clock = nullptr;               // outlives the server; none: the machine's
  const identity::Gate* gate = nullptr;       // who may call what; outlives the server; none: everybody
  std::shared_ptr<tls::Files> tls = nullptr;  // none: in the clear
};

// What start() would make of `text`: kInvalidArgument or kPermissionDenied when it refuses the address,
// kUnavailable when the port is in use now.
Result<os::HostPort> listen_address(const std::string& text, bool has_tls = false);

class Server {
 public:
  // kInvalidArgument: the address cannot be read, or the path is taken. kPermissionDenied: not loopback, and
  // no TLS. kUnavailable: the port or the socket is in use.
  static Result<std::unique_ptr<Server>> start(api::Connection& connection, const ServerOptions& options);
  // Stops as stop() does, with no grace.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;  // 0: there is none
  // "127.0.0.1:7233", with the port that was bound; or as it was given.
  const std::string& address() const;

  // Refuses new calls, lets open ones finish for `grace`, cancels the rest and joins the threads. Idempotent.
  void stop(std::chrono::milliseconds grace);

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::rpc
