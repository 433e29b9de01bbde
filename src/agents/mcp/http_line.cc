#include "mcp/http_line.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "net/retry_after.h"
#include "net/sse_parser.h"
#include "spec/template.h"

namespace holdfast::mcp {

namespace {

using std::chrono::milliseconds;
using FailureKind = Failure::Kind;

constexpr int kMaxResumptions = 100;
constexpr int kMaxReplies = 32;
constexpr milliseconds kStep{1000};
constexpr milliseconds kResumeAfter{1000};
constexpr milliseconds kLongestResumeAfter{30'000};
constexpr std::size_t kMaxSessionBytes = 1024;

// One response as it arrives: filled by the client's thread, read by the one that waits.
struct Arriving {
  explicit Arriving(std::size_t max_bytes) : events(max_bytes) {}

  std::mutex mutex;
  std::condition_variable more;
  net::HttpHead head;            // status 0: not there yet
  std::deque<std::string> data;  // of events
  std::string body;              // when it is no stream
  net::SseParser events;
  bool is_stream = false;
  bool is_broken = false;  // an event is too large
  bool is_done = false;
  std::optional<net::HttpError> error;
};

net::HttpHandler handler_of(const std::shared_ptr<Arriving>& to) {
  net::HttpHandler out;
  out.head = [to](const net::HttpHead& head) {
    std::lock_guard lock(to->mutex);
    to->head = head;
    to->is_stream = head.header("content-type").starts_with("text/event-stream");
  };
  out.body = [to](std::string_view bytes) {
    std::lock_guard lock(to->mutex);
    if (to->is_stream) {
      const Status fed =
          to->events.feed(bytes, [&](net::SseEvent event) { to->data.push_back(std::move(event.data)); });
      to->is_broken = to->is_broken || !fed.ok();
    } else {
      to->body += bytes;
    }
    to->more.notify_all();
  };
  out.done = [to](std::expected<void, net::HttpError> outcome) {
    std::lock_guard lock(to->mutex);
    to->is_done = true;
    if (!outcome) to->error = std::move(outcome.error());
    to->more.notify_all();
  };
  return out;
}

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

class HttpLine final : public Line {
 public:
  HttpLine(std::shared_ptr<const McpServer> server, net::HttpClient& http, oauth::Tokens& tokens)
      : server_(std::move(server)), http_(http), tokens_(tokens) {}

  Outcome<Json> exchange(const Json& message, const net::Headers& headers, const Access& access) override {
    auto out = send(message, headers, access);
    // A token may be taken back before its time. What was refused for it was not looked at.
    if (!out && out.error().kind == FailureKind::kUnauthorized && !token_.empty()) {
      tokens_.refused(token_);
      out = send(message, headers, access);
    }
    return out;
  }

  Outcome<void> notify(const Json& message, const Access& access) override {
    auto request = request_for("POST", access);
    if (!request) return std::unexpected(request.error());
    request->body = dump_json(message);
    auto answer = net::fetch(http_, *std::move(request), access.stop, access.heartbeat);
    if (!answer) return failed(answer.error());
    return {};
  }

  bool is_alive() override { return true; }
  std::optional<milliseconds> patience() const override { return std::nullopt; }

 private:
  Outcome<net::HttpRequest> request_for(std::string_view method, const Access& access);
  Outcome<Json> send(const Json& message, const net::Headers& headers, const Access& access);
  // The answer to `id`, or none where the response ended without it.
  Outcome<std::optional<Json>> listen(net::HttpRequest request, std::int64_t id, const Access& access);
  Outcome<std::optional<Json>> take(std::string data, std::int64_t id, const Access& access);
  Outcome<std::optional<Json>> without_answer(Arriving& arrived, std::int64_t id, const Access& access);
  void note_session(const net::HttpHead& head);
  std::unexpected<Failure> refused(int status, const Arriving& arrived, const Access& access) const;

  const std::shared_ptr<const McpServer> server_;
  net::HttpClient& http_;
  oauth::Tokens& tokens_;
  std::string token_;       // that the last request was sent with
  int replies_ = 0;         // to requests of the server's, in one response
  std::string last_event_;  // of a stream that ended without an answer
  milliseconds resume_after_{kResumeAfter};
};

Outcome<net::HttpRequest> HttpLine::request_for(std::string_view method, const Access& access) {
  net::HttpRequest out;
  out.method = method;
  out.url = server_->url;
  out.reach = access.permits->reach();
  out.total_timeout = std::max(access.left(), milliseconds(1));
  out.max_response_bytes = server_->max_response_bytes;
  out.headers = {{"Accept", "application/json, text/event-stream"}};
  if (method == "POST") out.headers.emplace_back("Content-Type", "application/json");
  if (!dialect.version.empty()) out.headers.emplace_back("MCP-Protocol-Version", dialect.version);
  if (!dialect.session.empty()) out.headers.emplace_back("Mcp-Session-Id", dialect.session);
  const auto lookup = [&](const std::string& name) { return access.permits->variable(name, out.url); };
  for (const auto& [name, value] : server_->headers) {
    auto text = spec::fill_environment(value, lookup);
    if (!text) return failed(text.error());
    out.headers.emplace_back(name, *std::move(text));
  }
  if (server_->auth) {
    oauth::TokenCall call;
    call.http = &http_;
    call.permits = access.permits;
    call.stop = access.stop;
    call.heartbeat = access.heartbeat;
    call.timeout = out.total_timeout;
    auto token = tokens_.get(*server_->auth, call);
    if (!token) return failed(token.error());
    token_ = *std::move(token);
    out.headers.emplace_back("Authorization", "Bearer " + token_);
  }
  return out;
}

// A pause that a request to stop ends.
void pause(milliseconds at_most, const Access& access) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  const MonotonicTime until = access.clock->monotonic() + std::min(at_most, access.left());
  while (!access.stop.stop_requested() && access.clock->monotonic() < until) {
    const std::chrono::nanoseconds left = until - access.clock->monotonic();
    wake.wait_for(lock, access.stop, std::min<std::chrono::nanoseconds>(milliseconds(200), left),
                  [] { return false; });
    if (access.heartbeat.beat) access.heartbeat.beat();
  }
}

Outcome<Json> HttpLine::send(const Json& message, const net::Headers& headers, const Access& access) {
  const auto id = message["id"].get<std::int64_t>();
  auto request = request_for("POST", access);
  if (!request) return std::unexpected(request.error());
  request->headers.insert(request->headers.end(), headers.begin(), headers.end());
  request->body = dump_json(message);
  last_event_.clear();
  for (int again = 0; again <= kMaxResumptions; ++again) {
    auto answer = listen(*std::move(request), id, access);
    if (!answer) return std::unexpected(answer.error());
    if (*answer) return **std::move(answer);
    if (dialect.modern || last_event_.empty()) break;
    pause(resume_after_, access);
    request = request_for("GET", access);
    if (!request) return std::unexpected(request.error());
    request->headers.emplace_back("Last-Event-ID", last_event_);
  }
  return failed(FailureKind::kUnreachable, "the server's stream ended without an answer");
}

Outcome<std::optional<Json>> HttpLine::listen(net::HttpRequest request, std::int64_t id,
                                              const Access& access) {
  auto arriving = std::make_shared<Arriving>(server_->max_response_bytes);
  std::stop_source stop;  // of the transfer: an answer ends it, even if its stream stays open
  const std::stop_callback linked(access.stop, [&stop] { stop.request_stop(); });
  struct AtEnd {
    std::stop_source& stop;
    ~AtEnd() { stop.request_stop(); }
  } const at_end{stop};
  http_.start(std::move(request), handler_of(arriving), stop.get_token());
  MonotonicTime beat_at = access.clock->monotonic() + access.heartbeat.every;
  replies_ = 0;
  std::unique_lock lock(arriving->mutex);
  while (true) {
    while (!arriving->data.empty()) {
      std::string data = std::move(arriving->data.front());
      arriving->data.pop_front();
      note_session(arriving->head);
      lock.unlock();
      if (auto taken = take(std::move(data), id, access); !taken || *taken) return taken;
      lock.lock();
    }
    if (arriving->is_broken || arriving->is_done) break;
    arriving->more.wait_for(lock, access.heartbeat.beat ? access.heartbeat.every : kStep);
    // A server that never falls silent holds up no heartbeat.
    if (access.heartbeat.beat && access.clock->monotonic() >= beat_at) {
      lock.unlock();
      access.heartbeat.beat();
      beat_at = access.clock->monotonic() + access.heartbeat.every;
      lock.lock();
    }
  }
  return without_answer(*arriving, id, access);
}

// What the server says in a stream. Its answer is not more than that: a reply to a request of its own is sent
// on the way.
Outcome<std::optional<Json>> HttpLine::take(std::string data, std::int64_t id, const Access& access) {
  std::optional<Json> answer;
  for (Json& message : messages_in(parse_message(data))) {
    if (answers(message, id)) {
      answer = std::move(message);
      continue;
    }
    switch (kind_of(message)) {
      case Kind::kNotification: hear(message); break;
      case Kind::kRequest:
        if (!dialect.modern && ++replies_ <= kMaxReplies)
          static_cast<void>(notify(reply_to(message), access));
        break;
      default:
        if (auto why = message.is_discarded() ? broken_message(data) : std::nullopt)
          return failed(FailureKind::kBroken, *std::move(why));
    }
  }
  return answer;
}

Outcome<std::optional<Json>> HttpLine::without_answer(Arriving& arrived, std::int64_t id,
                                                      const Access& access) {
  const int status = arrived.head.status;
  note_session(arrived.head);
  if (arrived.is_broken) return failed(FailureKind::kTooLarge, "an event of the server's is too large");
  if (status != 0 && (status < 200 || status >= 300)) {
    Json body = parse_json(arrived.body, kMaxForeignJsonDepth);
    const bool ours = status != 401 && status != 403 && status != 429 && status != 503 &&
                      !(status == 404 && !dialect.session.empty());
    if (ours && kind_of(body) == Kind::kAnswer && says_error(body)) return body;
    return refused(status, arrived, access);
  }
  if (arrived.is_stream) {
    last_event_ = arrived.events.last_id();
    if (!is_visible(last_event_)) last_event_.clear();
    resume_after_ =
        std::clamp(arrived.events.retry().value_or(kResumeAfter), milliseconds(1), kLongestResumeAfter);
    const bool ended = !arrived.error || arrived.error->failure == net::HttpFailure::kConnection;
    if (ended) return std::nullopt;
  }
  if (arrived.error) return failed(*arrived.error);
  for (Json& body : messages_in(parse_message(arrived.body))) {
    if (answers(body, id)) return body;
    // An error that names no request is one of this request: it is the only one of its exchange.
    if (kind_of(body) == Kind::kAnswer && says_error(body)) return body;
  }
  if (auto why = broken_message(arrived.body)) return failed(FailureKind::kBroken, *std::move(why));
  return failed(FailureKind::kBroken,
                fmt::format("the server answered {} with no message of the protocol", status));
}

void HttpLine::note_session(const net::HttpHead& head) {
  const std::string_view session = head.header("mcp-session-id");
  if (!dialect.modern && !session.empty() && session.size() <= kMaxSessionBytes && is_visible(session))
    dialect.session = session;
}

std::unexpected<Failure> HttpLine::refused(int status, const Arriving& arrived, const Access& access) const {
  std::string text = fmt::format("the server answered {}", status);
  if (!arrived.body.empty()) text += ": " + bounded_text(to_utf8(arrived.body), 500);
  if (status == 401 || status == 403) return failed(FailureKind::kUnauthorized, std::move(text));
  if (status == 404 && !dialect.session.empty()) return failed(FailureKind::kNoSession, std::move(text));
  if (status == 408 || status == 425 || status == 429 || status == 503) {
    Failure busy(FailureKind::kBusy, std::move(text));
    busy.retry_after = net::retry_after(arrived.head, access.clock->now());
    return std::unexpected(std::move(busy));
  }
  return failed(status >= 500 ? FailureKind::kBroken : FailureKind::kWrongEra, std::move(text));
}

}  // namespace

std::unique_ptr<Line> http_line(std::shared_ptr<const McpServer> server, net::HttpClient& http,
                                oauth::Tokens& tokens) {
  return std::make_unique<HttpLine>(std::move(server), http, tokens);
}

}  // namespace holdfast::mcp
