#pragma once

// The demo's side of the HTTP API: JSON requests, and a follower of a run's events that survives the server.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include <nlohmann/json.hpp>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "net/http_client.h"

namespace holdfast::demo {

using Json = nlohmann::json;

class ApiClient {
 public:
  explicit ApiClient(net::HttpClient& http) : http_(http) {}
  void set_address(std::string authority) { address_ = std::move(authority); }
  const std::string& address() const { return address_; }

  // Any 2xx; else a status whose message is the problem's title and detail.
  Result<Json> get(const std::string& path);
  Result<Json> post(const std::string& path, const Json& body, const std::string& idempotency_key = {});
  net::HttpClient& http() { return http_; }

 private:
  Result<Json> send(net::HttpRequest request);

  net::HttpClient& http_;
  std::string address_;
};

struct RunEvent {
  std::string id;  // the cursor
  std::string type;
  std::uint64_t seq = 0;  // place in the run's log
  std::string at;         // when it was written, ISO 8601 in UTC
  Json data;
  MonotonicTime seen;
};

// Reads GET /api/v1/runs/{id}/events. connect() again after the server came back: it goes on behind the last
// event.
class EventFollower {
 public:
  EventFollower(ApiClient& api, const Clock& clock, std::string run)
      : api_(api), clock_(clock), run_(std::move(run)) {}
  ~EventFollower() { disconnect(); }

  void connect();
  void disconnect();
  // None: nothing came in time, or the connection ended (then connected() is false).
  std::optional<RunEvent> next(std::chrono::milliseconds at_most);
  bool connected() const;

 private:
  struct Shared {
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<RunEvent> events;  // guarded by mutex, like all below
    std::string buffer;
    bool open = false;
  };
  static void parse(Shared& shared, MonotonicTime now);

  ApiClient& api_;
  const Clock& clock_;
  std::string run_;
  std::string last_id_;
  std::shared_ptr<Shared> shared_;
  std::stop_source stop_;
};

}  // namespace holdfast::demo
