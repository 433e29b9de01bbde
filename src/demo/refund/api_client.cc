#include "refund/api_client.h"

#include <fmt/format.h>

namespace holdfast::demo {

Result<Json> ApiClient::send(net::HttpRequest request) {
  request.total_timeout = std::chrono::seconds(15);
  const std::string what = request.method + " " + request.url;
  auto response = net::fetch(http_, std::move(request));
  if (!response) return fail(Code::kUnavailable, fmt::format("{}: {}", what, response.error().message));
  Json body = Json::parse(response->body, nullptr, false);
  if (response->head.status >= 200 && response->head.status < 300) return body.is_discarded() ? Json() : body;
  std::string detail = response->body;
  if (body.is_object()) detail = fmt::format("{} {}", body.value("title", ""), body.value("detail", ""));
  return fail(response->head.status == 404 ? Code::kNotFound : Code::kFailedPrecondition,
              fmt::format("{} answered {}: {}", what, response->head.status, detail));
}

Result<Json> ApiClient::get(const std::string& path) {
  net::HttpRequest request;
  request.url = "http://" + address_ + path;
  return send(std::move(request));
}

Result<Json> ApiClient::post(const std::string& path, const Json& body, const std::string& idempotency_key) {
  net::HttpRequest request;
  request.method = "POST";
  request.url = "http://" + address_ + path;
  request.headers.emplace_back("Content-Type", "application/json");
  if (!idempotency_key.empty()) request.headers.emplace_back("Idempotency-Key", idempotency_key);
  request.body = body.dump();
  return send(std::move(request));
}

void EventFollower::connect() {
  disconnect();
  stop_ = std::stop_source();
  auto shared = std::make_shared<Shared>();
  shared->open = true;
  shared_ = shared;
  net::HttpRequest request;
  request.url = fmt::format("http://{}/api/v1/runs/{}/events", api_.address(), run_);
  request.headers.emplace_back("Accept", "text/event-stream");
  if (!last_id_.empty()) request.headers.emplace_back("Last-Event-ID", last_id_);
  net::HttpHandler handler;
  handler.body = [shared, &clock = clock_](std::string_view bytes) {
    std::lock_guard lock(shared->mutex);
    shared->buffer.append(bytes);
    parse(*shared, clock.monotonic());
    shared->wake.notify_all();
  };
  handler.done = [shared](std::expected<void, net::HttpError>) {
    std::lock_guard lock(shared->mutex);
    shared->open = false;
    shared->wake.notify_all();
  };
  api_.http().start(std::move(request), std::move(handler), stop_.get_token());
}

void EventFollower::disconnect() {
  stop_.request_stop();
}

bool EventFollower::connected() const {
  std::lock_guard lock(shared_->mutex);
  return shared_->open || !shared_->events.empty();
}

std::optional<RunEvent> EventFollower::next(std::chrono::milliseconds at_most) {
  std::unique_lock lock(shared_->mutex);
  shared_->wake.wait_for(lock, at_most, [&] { return !shared_->events.empty() || !shared_->open; });
  if (shared_->events.empty()) return std::nullopt;
  RunEvent event = std::move(shared_->events.front());
  shared_->events.pop_front();
  if (!event.id.empty()) last_id_ = event.id;
  return event;
}

void EventFollower::parse(Shared& shared, MonotonicTime now) {
  for (;;) {
    std::size_t end = shared.buffer.find("\n\n");
    if (end == std::string::npos) return;
    std::string frame = shared.buffer.substr(0, end);
    shared.buffer.erase(0, end + 2);
    RunEvent event;
    event.seen = now;
    std::string data;
    for (std::size_t at = 0; at < frame.size();) {
      std::size_t stop = std::min(frame.find('\n', at), frame.size());
      std::string_view line = std::string_view(frame).substr(at, stop - at);
      at = stop + 1;
      auto value = [&](std::string_view name) -> std::optional<std::string_view> {
        if (!line.starts_with(name)) return std::nullopt;
        std::string_view rest = line.substr(name.size());
        return rest.starts_with(' ') ? rest.substr(1) : rest;
      };
      if (auto id = value("id:")) event.id = *id;
      if (auto type = value("event:")) event.type = *type;
      if (auto text = value("data:")) data += *text;
    }
    if (data.empty()) continue;  // a comment that keeps the connection open
    Json envelope = Json::parse(data, nullptr, false);
    if (envelope.is_object()) {
      event.seq = envelope.value("seq", std::uint64_t{0});
      event.at = envelope.value("at", "");
      event.data = envelope.value("data", Json());
    }
    shared.events.push_back(std::move(event));
  }
}

}  // namespace holdfast::demo
