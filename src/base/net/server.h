#pragma once

// The HTTP/1.1 server: connections, limits and guards; what is served is the handler's business.
//
// Owner: app. Threads: one of its own does all network work and calls the handler, which must not block.
// Loopback or a Unix socket, unless there is TLS or a trusted proxy in front: any other address is refused,
// and so is a request whose Host or Origin is not ours (a web page elsewhere must not reach a local server
// through DNS rebinding or a cross-site form). Who may ask for what is the handler's business.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/memory_budget.h"
#include "holdfast/status.h"
#include "net/message.h"
#include "tls/files.h"

namespace holdfast::net {

struct ServerOptions {
  // HOST:PORT or [V6]:PORT, port 0 picks a free one; or unix:PATH, where requests say whose user sent them.
  std::string address = "127.0.0.1:8233";
  bool socket_for_every_user = false;                // of unix:PATH; else for the server's own
  std::size_t max_header_bytes = 16 * 1024;          // more: 431
  std::size_t max_body_bytes = 4 << 20;              // more: 413
  std::size_t max_connections = 512;                 // more: see net/crowd.h; all are being served: 503
  std::chrono::milliseconds header_timeout{10'000};  // whole header, from its first byte or the accept
  std::chrono::milliseconds body_timeout{30'000};    // whole body
  std::chrono::milliseconds idle_timeout{75'000};    // between two requests of a connection
  std::chrono::milliseconds write_timeout{30'000};   // one response, or one batch of a stream
  std::chrono::milliseconds heartbeat{15'000};       // a silent stream gets a comment line this often
  MemoryBudget* memory = nullptr;       // of bodies and replies, outlives all requests; none: 256 MiB
  std::vector<std::string> pages{"/"};  // paths, perhaps with {parts}, to which another site's link may lead
  std::shared_ptr<tls::Files> tls = nullptr;  // none: in the clear
  // Addresses of proxies that speak TLS to the world and say for whom they ask (X-Forwarded-For). Beyond
  // loopback nobody else is heard in the clear.
  std::vector<std::string> trusted_proxies{};
  // Names, with or without a port, for which it answers besides those of this machine.
  std::vector<std::string> hosts{};
};

class Server {
 public:
  // kInvalidArgument: the address cannot be read. kPermissionDenied: neither loopback nor protected.
  // kUnavailable: the port is in use.
  static Result<std::unique_ptr<Server>> start(const ServerOptions& options, Handler handler);
  // Closes what is open and joins the thread.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;          // 0: there is none
  const std::string& address() const;  // as it was bound: with its port

  // Runs a short job on the server's thread after a while; dropped when the server stops before. Thread-safe.
  void after(std::chrono::milliseconds delay, std::move_only_function<void()> job);

  // Accepts nothing more, ends streams, lets open requests finish for `grace`, closes the rest. Idempotent.
  void stop(std::chrono::milliseconds grace);

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// "127.0.0.1:8233", "localhost:0", "[::1]:80" -> host and port; only loopback hosts pass.
struct LoopbackAddress {
  std::string host;  // numeric
  std::uint16_t port = 0;
};
Result<LoopbackAddress> parse_loopback(std::string_view text);
// The same for any address of the machine, when a server there is protected.
Result<LoopbackAddress> parse_address(std::string_view text, bool protected_by_tls_or_proxy);

}  // namespace holdfast::net
