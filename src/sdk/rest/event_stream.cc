#include "rest/event_stream.h"

#include <condition_variable>
#include <deque>
#include <mutex>

#include "base/json.h"
#include "net/sse_parser.h"

namespace holdfast::rest {

namespace {

constexpr std::chrono::milliseconds kIdle{45'000};  // three of the server's keep-alives
constexpr std::size_t kMaxErrorBytes = 64 << 10;

}  // namespace

// One connection, between the client's thread and the reader's. What a connection that was left behind still
// brings goes nowhere.
struct EventStream::Connection {
  struct Waiting {
    net::SseEvent event;
    MonotonicTime seen;
  };

  explicit Connection(const Clock& clock) : clock(clock) {}

  void take(std::string_view bytes, std::stop_source& stop) {
    std::lock_guard lock(mutex);
    if (broken) return;
    if (status != 200) {
      refused.append(bytes.substr(0, kMaxErrorBytes - refused.size()));
      return;
    }
    const Status fed = parser.feed(bytes, [&](net::SseEvent event) {
      waiting_bytes += event.data.size();
      waiting.push_back({.event = std::move(event), .seen = clock.monotonic()});
    });
    if (!fed.ok()) broken = ApiError{.status = status, .message = fed.message()};
    if (broken || waiting_bytes > kMaxWaitingBytes) stop.request_stop();
    changed.notify_all();
  }

  void end(const std::expected<void, net::HttpError>& how) {
    std::lock_guard lock(mutex);
    open = false;
    if (!broken && status != 0 && status != 200) broken = refusal(status, refused);
    if (!broken && !how) broken = ApiError{.status = status, .message = how.error().message};
    changed.notify_all();
  }

  const Clock& clock;
  std::mutex mutex;
  std::condition_variable changed;
  net::SseParser parser{kMaxEventBytes};  // guarded by mutex, like all below
  std::deque<Waiting> waiting;
  std::size_t waiting_bytes = 0;
  std::string refused;
  int status = 0;
  bool open = true;
  std::optional<ApiError> broken;
};

EventStream::EventStream(const ApiClient& api, const Clock& clock, std::string path, std::string cursor)
    : api_(api), clock_(clock), path_(std::move(path)), cursor_(std::move(cursor)) {}

void EventStream::connect() {
  disconnect();
  stop_ = std::stop_source();
  connection_ = std::make_shared<Connection>(clock_);
  net::HttpRequest request;
  request.url = api_.base_url() + path_;
  request.headers = {{"Accept", "text/event-stream"}};
  if (!api_.key().empty()) request.headers.emplace_back("Authorization", "Bearer " + api_.key());
  if (!cursor_.empty()) request.headers.emplace_back("Last-Event-ID", cursor_);
  request.idle_timeout = kIdle;
  request.max_response_bytes = ~std::size_t{0} >> 1;  // a stream has no end; what waits is bounded
  net::HttpHandler handler;
  handler.head = [connection = connection_](const net::HttpHead& head) {
    std::lock_guard lock(connection->mutex);
    connection->status = head.status;
    connection->changed.notify_all();
  };
  handler.body = [connection = connection_, stop = stop_](std::string_view bytes) mutable {
    connection->take(bytes, stop);
  };
  handler.done = [connection = connection_](std::expected<void, net::HttpError> how) {
    connection->end(how);
  };
  api_.http().start(std::move(request), std::move(handler), stop_.get_token());
}

void EventStream::disconnect() {
  stop_.request_stop();
  connection_.reset();
}

std::optional<Event> EventStream::next(std::chrono::milliseconds at_most) {
  if (!connection_) return std::nullopt;
  Connection& from = *connection_;
  std::unique_lock lock(from.mutex);
  from.changed.wait_for(lock, at_most, [&] { return !from.waiting.empty() || !from.open; });
  if (from.waiting.empty()) return std::nullopt;
  Connection::Waiting taken = std::move(from.waiting.front());
  from.waiting.pop_front();
  from.waiting_bytes -= taken.event.data.size();
  lock.unlock();
  if (!taken.event.id.empty()) cursor_ = taken.event.id;
  return Event{.id = std::move(taken.event.id),
               .type = std::move(taken.event.event),
               .data = parse_json<Json>(taken.event.data),
               .seen = taken.seen};
}

bool EventStream::connected() const {
  if (!connection_) return false;
  std::lock_guard lock(connection_->mutex);
  return connection_->open || !connection_->waiting.empty();
}

int EventStream::status() const {
  if (!connection_) return 0;
  std::lock_guard lock(connection_->mutex);
  return connection_->status;
}

std::optional<ApiError> EventStream::error() const {
  if (!connection_) return std::nullopt;
  std::lock_guard lock(connection_->mutex);
  return connection_->broken;
}

}  // namespace holdfast::rest
