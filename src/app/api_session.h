#pragma once

// ApiSession: how a command uses the HTTP API. One request at a time, blocking. A failure is printed on
// stderr where it happens and comes back as the exit code.

#include <chrono>
#include <expected>
#include <functional>
#include <optional>
#include <string>

#include "app/commands.h"
#include "os/clock.h"
#include "os/thread_executor.h"
#include "rest/event_stream.h"

namespace holdfast::app {

using rest::Json;

class ApiSession {
 public:
  // Finds the API, over TCP or a Unix socket: flag, then HOLDFAST_API, then ./.holdfast/addresses.json, then
  // the default port. One of this machine that is just being started is waited for, two seconds at most.
  explicit ApiSession(const ApiOptions& options);

  using Reply = std::expected<Json, int>;
  Reply get(const std::string& path);
  Reply post(const std::string& path, const Json& body);
  Reply erase(const std::string& path);
  // None instead of the exit code when it is not there.
  std::expected<std::optional<Json>, int> find(const std::string& path);
  Reply change(const std::string& method, const std::string& path, const Json& body, const std::string& etag);
  // What is there, as it is; `at_most` bytes.
  std::expected<std::string, int> get_text(const std::string& path, std::size_t at_most);
  // Registers the definition in `text`, read from `file`. The folder goes with it: the server is on this
  // machine, but in a directory of its own.
  Reply put_definition(const std::string& file, const std::string& text);

  // Reads a stream of events until `on_event` returns false, and comes back to a server that went away. An
  // exit code when the stream is refused or time is up; no `timeout`: never.
  std::expected<void, int> follow(const std::string& path, std::string cursor,
                                  std::chrono::milliseconds timeout,
                                  const std::function<bool(const rest::Event&)>& on_event);

  const std::string& address() const { return api_->base_url(); }

 private:
  Reply reported(rest::ApiClient::Reply reply) const;
  int report(const rest::ApiError& error) const;

  struct Place {
    std::string address;  // HOST:PORT, a URL or unix:PATH
    std::string key;
  };
  static Place find(const ApiOptions& options);
  void open(Place place);
  // No server there, or one that does not serve yet; never of another machine.
  bool may_be_starting() const;

  Place place_;
  os::SystemClock clock_;
  os::ThreadExecutor loop_{"http-client"};
  std::unique_ptr<net::HttpClient> http_;
  std::optional<rest::ApiClient> api_;
};

// 404 -> 3, 409 -> 4, ...
int exit_code_of(int http_status);

}  // namespace holdfast::app
