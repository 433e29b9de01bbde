#include "app/api_client.h"

#include <fmt/format.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <mutex>

#include "app/exit_code.h"
#include "app/input_file.h"
#include "app/output.h"
#include "base/json.h"
#include "net/http_client.h"
#include "net/message.h"
#include "os/thread_executor.h"

namespace holdfast::app {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kReconnectPause{300};
constexpr milliseconds kStreamIdle{45'000};  // three heartbeats

std::string find_api(const ApiOptions& options) {
  std::string address;
  if (options.api) {
    address = *options.api;
  } else if (const char* variable = std::getenv("HOLDFAST_API"); variable != nullptr && *variable != '\0') {
    address = variable;
  } else {
    std::ifstream file(".holdfast/addresses.json");
    Json running = file ? Json::parse(file, nullptr, false) : Json();
    address = running.is_object() ? running.value("http", "") : "";
    if (address.empty()) address = "http://127.0.0.1:8233";
  }
  if (address.find("://") == std::string::npos) address = "http://" + address;
  while (address.ends_with('/')) address.pop_back();
  return address;
}

int unreachable(const std::string& base, const std::string& why) {
  report_error("unreachable", fmt::format("no Holdfast server answers at {} ({})", base, why),
               "start one with 'holdfast dev', or say where it is with --api or HOLDFAST_API");
  return kExitError;
}

}  // namespace

int exit_code_of(int http_status) {
  switch (http_status) {
    case 404: return kExitNotFound;
    case 409:
    case 410:
    case 412: return kExitConflict;
    case 408:
    case 504: return kExitTimeout;
    case 400:
    case 415:
    case 422: return kExitUsage;
    default: return kExitError;
  }
}

struct ApiClient::Impl {
  os::ThreadExecutor loop{"http-client"};
  std::unique_ptr<net::HttpClient> http = net::curl_http_client(loop);

  Answer call(const std::string& base, net::HttpRequest request);
};

ApiClient::ApiClient(const ApiOptions& options) : base_(find_api(options)), impl_(std::make_unique<Impl>()) {
  std::signal(SIGINT, [](int) { ::_exit(kExitInterrupted); });
}
ApiClient::~ApiClient() = default;

ApiClient::Answer ApiClient::Impl::call(const std::string& base, net::HttpRequest request) {
  request.total_timeout = milliseconds(60'000);
  auto response = net::fetch(*http, std::move(request));
  if (!response) return std::unexpected(unreachable(base, response.error().message));
  Json body = Json::parse(response->body, nullptr, false);
  if (response->head.status / 100 == 2 && !body.is_discarded()) return body;
  report_problem(body, response->head.status);
  return std::unexpected(exit_code_of(response->head.status));
}

ApiClient::Answer ApiClient::get(const std::string& path) {
  net::HttpRequest request;
  request.url = base_ + path;
  return impl_->call(base_, std::move(request));
}

ApiClient::Answer ApiClient::post(const std::string& path, const Json& body) {
  net::HttpRequest request;
  request.method = "POST";
  request.url = base_ + path;
  request.headers = {{"Content-Type", "application/json"}};
  request.body = dump_json(body);
  return impl_->call(base_, std::move(request));
}

ApiClient::Answer ApiClient::put_definition(const std::string& file, const std::string& text) {
  net::HttpRequest request;
  request.method = "POST";
  request.url = base_ + "/api/v1/agents?source=" + net::percent_encode(file) +
                "&base=" + net::percent_encode(folder_of(file));
  request.headers = {{"Content-Type", "application/yaml"}};
  request.body = text;
  return impl_->call(base_, std::move(request));
}

// ---- streams

namespace {

// One connection of a stream, between the client's thread and ours.
struct Attempt {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<EventFrame> frames;  // guarded by mutex
  bool done = false;              // guarded by mutex
  int status = 0;                 // guarded by mutex
  std::string error_body;         // guarded by mutex
  FrameSplitter splitter;         // the client's thread
  std::stop_source stop;
};

std::shared_ptr<Attempt> begin_attempt(net::HttpClient& http, const std::string& url,
                                       const std::string& cursor) {
  auto attempt = std::make_shared<Attempt>();
  net::HttpRequest request;
  request.url = url;
  request.headers = {{"Accept", "text/event-stream"}};
  if (!cursor.empty()) request.headers.push_back({"Last-Event-ID", cursor});
  request.idle_timeout = kStreamIdle;
  request.max_response_bytes = ~std::size_t{0} >> 1;
  net::HttpHandler handler;
  handler.head = [attempt](const net::HttpHead& head) {
    std::lock_guard lock(attempt->mutex);
    attempt->status = head.status;
  };
  handler.body = [attempt](std::string_view bytes) {
    std::lock_guard lock(attempt->mutex);
    if (attempt->status != 200) {
      attempt->error_body += bytes;
    } else {
      attempt->splitter.feed(bytes, [&](EventFrame frame) { attempt->frames.push_back(std::move(frame)); });
    }
    attempt->changed.notify_all();
  };
  handler.done = [attempt](std::expected<void, net::HttpError>) {
    std::lock_guard lock(attempt->mutex);
    attempt->done = true;
    attempt->changed.notify_all();
  };
  http.start(std::move(request), std::move(handler), attempt->stop.get_token());
  return attempt;
}

}  // namespace

std::expected<void, int> ApiClient::follow(const std::string& path, std::string cursor, milliseconds timeout,
                                           const std::function<bool(const EventFrame&)>& on_event) {
  auto end = timeout.count() > 0 ? std::chrono::steady_clock::now() + timeout
                                 : std::chrono::steady_clock::time_point::max();
  bool connected_before = false;
  bool away = false;
  while (true) {
    auto attempt = begin_attempt(*impl_->http, base_ + path, cursor);
    std::unique_lock lock(attempt->mutex);
    while (true) {
      auto ready = [&] { return attempt->done || !attempt->frames.empty(); };
      if (!attempt->changed.wait_until(
              lock, std::min(end, std::chrono::steady_clock::now() + std::chrono::hours(1)), ready)) {
        if (std::chrono::steady_clock::now() < end) continue;
        attempt->stop.request_stop();
        return std::unexpected(kExitTimeout);
      }
      if (attempt->status == 200 && away) {
        away = false;
        complain("the server is back");
      }
      connected_before = connected_before || attempt->status == 200;
      if (attempt->frames.empty()) break;
      EventFrame frame = std::move(attempt->frames.front());
      attempt->frames.pop_front();
      if (!frame.id.empty()) cursor = frame.id;
      lock.unlock();
      bool go_on = on_event(frame);
      lock.lock();
      if (!go_on) {
        attempt->stop.request_stop();
        return {};
      }
    }
    // 503: the server is starting or stopping.
    if (attempt->status != 0 && attempt->status != 200 && attempt->status != 503) {
      report_problem(Json::parse(attempt->error_body, nullptr, false), attempt->status);
      return std::unexpected(exit_code_of(attempt->status));
    }
    if (!connected_before) return std::unexpected(unreachable(base_, "the connection failed"));
    if (!std::exchange(away, true))
      complain("the server went away; waiting for it (the run goes on where it was)");
    attempt->changed.wait_for(lock, kReconnectPause, [] { return false; });
    if (std::chrono::steady_clock::now() >= end) return std::unexpected(kExitTimeout);
  }
}

void FrameSplitter::feed(std::string_view bytes, const std::function<void(EventFrame)>& on_event) {
  rest_ += bytes;
  std::size_t begin = 0;
  while (true) {
    std::size_t end = rest_.find('\n', begin);
    if (end == std::string::npos) break;
    line(std::string_view(rest_).substr(begin, end - begin), on_event);
    begin = end + 1;
  }
  rest_.erase(0, begin);
}

void FrameSplitter::line(std::string_view text, const std::function<void(EventFrame)>& on_event) {
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (text.empty()) {
    if (!frame_.type.empty() || !data_.empty()) {
      frame_.data = Json::parse(data_, nullptr, false);
      on_event(std::move(frame_));
    }
    frame_ = {};
    data_.clear();
    return;
  }
  std::size_t colon = text.find(':');
  std::string_view name = text.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "id") frame_.id = value;
  if (name == "event") frame_.type = value;
  if (name == "data") data_ += (data_.empty() ? "" : "\n") + std::string(value);
}

}  // namespace holdfast::app
