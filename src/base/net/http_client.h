#pragma once

// HttpClient: outgoing HTTP for model calls, HTTP tools and our own command line. `curl_http_client`
// implements it on libcurl, one loop thread for all transfers. Bounded in time and size; never retries.
// Redirects are off unless asked for. A request that cannot be sent is reported through `done`, too.
//
// It is the one door out. What definitions ask for goes only where the request's Reach lets it: the host is
// asked about before its name is resolved, each address before anything is sent to it, each redirect like a
// request of its own. No proxy is used; a server is known by the certificate of its name.

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "net/large_turns.h"
#include "net/reach.h"

namespace holdfast::net {

// Requests under way at once; one more fails as a connection would, to be repeated later.
inline constexpr std::size_t kMaxTransfers = 10'000;

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  HttpRequest() = default;
  std::string method = "GET";
  std::string url;
  Headers headers;
  std::string body;
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds idle_timeout{0};   // no byte received for so long; 0: none
  std::chrono::milliseconds total_timeout{0};  // 0: none
  std::size_t max_response_bytes = 64 << 20;   // after decompression
  // At most kMaxRedirects, never from https to http. To another origin go no headers but those that say what
  // is sent and wanted.
  bool follow_redirects = false;
  // Of this exchange: an answer that grows large is read on when it is its turn, and meanwhile counts as
  // silent in total_timeout only. None: it always is.
  std::shared_ptr<LargeTurn> turn;
  // Where it may go. With none it goes nowhere, but from a client for Egress::kAnywhere everywhere.
  std::shared_ptr<const Reach> reach;
};
inline constexpr int kMaxRedirects = 5;

struct HttpHead {
  HttpHead() = default;
  int status = 0;
  Headers headers;  // names in lower case
  // First value, or empty.
  std::string_view header(std::string_view lower_case_name) const;
};

enum class HttpFailure : std::uint8_t {
  kConnection,  // refused, reset, TLS, DNS, ended early
  kIdleTimeout,
  kTotalTimeout,
  kTooLarge,
  kCancelled,
  kBadRequest,  // the request itself cannot be sent: URL, method
  kRefused,     // its reach does not cover it: nothing was sent to where it should have gone
};

struct HttpError {
  HttpError() = default;
  HttpFailure failure = HttpFailure::kConnection;
  std::string message;  // names host and cause, never headers or body
  bool response_started = false;
};

// Callbacks run on the client's loop thread, in order, and must not block. `done` is called exactly once,
// last.
struct HttpHandler {
  HttpHandler() = default;
  std::move_only_function<void(const HttpHead&)> head;
  std::move_only_function<void(std::string_view)> body;
  std::move_only_function<void(std::expected<void, HttpError>)> done;
};

class HttpClient {
 public:
  virtual ~HttpClient() = default;
  // Thread-safe. A stop request ends the transfer with kCancelled.
  virtual void start(HttpRequest request, HttpHandler handler, std::stop_token stop = {}) = 0;
};

enum class Egress : std::uint8_t {
  kGranted,   // each request within its reach: what definitions ask for
  kAnywhere,  // addresses that whoever runs the program gave: our own command line, tests
};

// `loop` must serve nothing else: the client occupies it until it is destroyed. The destructor cancels what
// is under way.
std::unique_ptr<HttpClient> curl_http_client(Executor& loop, Egress egress);

}  // namespace holdfast::net
