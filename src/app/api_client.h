#pragma once

// The command line's side of the HTTP API. One request at a time, blocking. A failure is printed on stderr
// where it happens and comes back as the exit code.

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "app/commands.h"

namespace holdfast::app {

using Json = nlohmann::ordered_json;

// One Server-Sent Event.
struct EventFrame {
  std::string id;
  std::string type;
  Json data;
};

class ApiClient {
 public:
  // Finds the API: flag, then HOLDFAST_API, then ./.holdfast/addresses.json, then the default port.
  explicit ApiClient(const ApiOptions& options);
  ~ApiClient();

  using Answer = std::expected<Json, int>;
  Answer get(const std::string& path);
  Answer post(const std::string& path, const Json& body);
  // Registers the definition in `text`, read from `file`. The folder goes with it: the server is on this
  // machine, but in a directory of its own.
  Answer put_definition(const std::string& file, const std::string& text);

  // Reads a stream of events until `on_event` returns false, and comes back to a server that went away:
  // events are neither lost nor repeated, because each carries its cursor. An exit code when the stream is
  // refused or time is up.
  std::expected<void, int> follow(const std::string& path, std::string cursor,
                                  std::chrono::milliseconds timeout,
                                  const std::function<bool(const EventFrame&)>& on_event);

  const std::string& address() const { return base_; }

 private:
  struct Impl;
  std::string base_;
  std::unique_ptr<Impl> impl_;
};

// Splits a stream of bytes into events; comment lines are dropped.
class FrameSplitter {
 public:
  void feed(std::string_view bytes, const std::function<void(EventFrame)>& on_event);

 private:
  void line(std::string_view text, const std::function<void(EventFrame)>& on_event);
  std::string rest_;
  EventFrame frame_;
  std::string data_;
};

// 404 -> 3, 409 -> 4, ...
int exit_code_of(int http_status);

}  // namespace holdfast::app
