// Client: a provider over HTTP.

#include "model/client.h"

#include <future>
#include <mutex>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "net/sse_parser.h"

namespace holdfast::model {

namespace {

constexpr std::size_t kMaxErrorBodyBytes = 64 << 10;
constexpr std::size_t kMaxMessageBytes = 2000;
// Of a stream behind its last event: one more [DONE], some line ends. Whoever sends more does not end it.
constexpr std::size_t kMaxBehindTheEnd = 64;

// What a server answers with 200: a stream, or one document from a server that does not stream.
enum class BodyKind : std::uint8_t { kUnknown, kStream, kDocument };

// One call under way. Shared by the callbacks of its HTTP request; they run on one thread.
struct Call {
  Call(const Provider& provider_in, const Clock& clock_in)
      : provider(provider_in), clock(clock_in), decoder(provider_in.decoder()) {}

  void on_head(const net::HttpHead& arrived) { head = arrived; }

  void on_body(std::string_view bytes) {
    if (head.status != 200) {
      error_body += bytes.substr(0, kMaxErrorBodyBytes - std::min(kMaxErrorBodyBytes, error_body.size()));
      return;
    }
    if (!done) {
      behind_the_end += bytes.size();
      if (behind_the_end > kMaxBehindTheEnd) cancel.request_stop();
      return;
    }
    if (decoder->error() || broken) return;
    if (kind == BodyKind::kUnknown) {
      const std::size_t first = bytes.find_first_not_of(" \t\r\n\xef\xbb\xbf");
      if (first == std::string_view::npos) return;
      kind = bytes[first] == '{' || bytes[first] == '[' ? BodyKind::kDocument : BodyKind::kStream;
      bytes.remove_prefix(first);
    }
    if (kind == BodyKind::kDocument) {
      document += bytes;  // bounded by what the HTTP client takes of a response
      return;
    }
    const Status status = parser.feed(bytes, [this](const net::SseEvent& event) {
      heard = true;
      decoder->event(event, on_delta);
    });
    broken = !status.ok();
    // Nothing after an error is of use: give the connection back.
    if (decoder->error() || broken) {
      cancel.request_stop();
    } else if (decoder->over()) {
      end({});
    }
  }

  // At the last event of the stream, or where the transfer ends: the first of both. A transfer that is left
  // to its own end gives its connection to the next call; its idle timeout bounds it.
  void end(std::expected<void, net::HttpError> ended) {
    if (!done) return;
    link.reset();
    auto finish = std::exchange(done, nullptr);
    finish(outcome(std::move(ended)));
  }

  Outcome outcome(std::expected<void, net::HttpError> ended) {
    if (head.status == 200 && ended && kind == BodyKind::kDocument) decoder->whole(document, on_delta);
    // What is all is all, even if the connection ended badly afterwards.
    if (head.status == 200 && !decoder->error() &&
        (decoder->complete() || (ended && decoder->complete_at_end()))) {
      std::expected<Completion, Error> completion = decoder->take();
      if (completion) {
        completion->message.role = Role::kAssistant;
        if (provider.limit_may_be_unsaid && max_tokens && completion->usage.output_tokens >= *max_tokens)
          completion->stop_reason = StopReason::kMaxTokens;
        if (completion->message.holds_opaque()) completion->message.origin = origin;
        if (std::string id = request_id(); !id.empty()) completion->request_id = std::move(id);
        return *std::move(completion);
      }
    }
    Error error = failure(std::move(ended));
    error.request_id = request_id();
    if (error.http_status == 0) error.http_status = head.status;
    tidy(error.message);
    tidy(error.code);
    return std::unexpected(std::move(error));
  }

  Error failure(std::expected<void, net::HttpError> ended) {
    if (decoder->error()) return *decoder->error();
    if (broken) return {ErrorKind::kStreamCut, "the model sent an event too large to be one"};
    if (!ended) return of_http(ended.error());
    if (head.status != 200) return provider.classify_error(head, error_body, clock.now());
    // Something was said, of another kind than events: a page. Nothing at all, or events that end, is no
    // answer.
    const bool streams = head.header("content-type").find("text/event-stream") != std::string_view::npos;
    if (kind == BodyKind::kStream && !heard && !streams)
      return {ErrorKind::kBadRequest,
              "the model's server did not answer with an event stream: check the base URL"};
    return {ErrorKind::kStreamCut, "the model's stream ended before the answer was complete"};
  }

  Error of_http(const net::HttpError& failed) const {
    switch (failed.failure) {
      case net::HttpFailure::kConnection:
        // An answer that breaks off is another thing than a server that is not there.
        if (head.status != 200) return {ErrorKind::kConnection, failed.message};
        return {ErrorKind::kStreamCut, "the model's stream was cut: " + failed.message};
      case net::HttpFailure::kIdleTimeout:
      case net::HttpFailure::kTotalTimeout: return {ErrorKind::kTimeout, failed.message};
      case net::HttpFailure::kTooLarge:
      case net::HttpFailure::kBadRequest: return {ErrorKind::kBadRequest, failed.message};
      case net::HttpFailure::kRefused: return {ErrorKind::kNotGranted, failed.message};
      case net::HttpFailure::kCancelled: return {ErrorKind::kCancelled, failed.message};
    }
    HF_CHECK(false);
  }

  std::string request_id() const {
    for (const char* name : {"request-id", "x-request-id"}) {
      if (const std::string_view id = head.header(name); !id.empty()) return std::string(id);
    }
    return {};
  }

  // Before it is cut: half a key is found by nobody.
  void tidy(std::string& text) const {
    text = Redaction({Redaction::Secret("API key", api_key)}).apply(std::move(text));
    if (redaction) text = redaction->apply(std::move(text));
    text = std::string(cut_text(text, kMaxMessageBytes));
  }

  const Provider& provider;
  const Clock& clock;
  std::unique_ptr<Decoder> decoder;
  net::SseParser parser;
  std::move_only_function<void(const Delta&)> on_delta;
  std::move_only_function<void(Outcome)> done;  // null: it was called
  net::HttpHead head;
  BodyKind kind = BodyKind::kUnknown;
  bool heard = false;  // an event came
  std::string document;
  std::string error_body;
  std::string api_key;
  std::optional<std::int64_t> max_tokens;  // asked for
  std::shared_ptr<const Redaction> redaction;
  std::string origin;  // of what is opaque in the answer
  bool broken = false;
  std::size_t behind_the_end = 0;
  std::stop_source cancel;
  // Passes the caller's stop request on.
  std::optional<std::stop_callback<std::move_only_function<void()>>> link;
};

// What outlives the client while calls are under way.
struct Shared {
  Shared(Endpoint endpoint_in, net::HttpClient& http_in, const Clock& clock_in)
      : endpoint(std::move(endpoint_in)), http(http_in), clock(clock_in) {
    dialect_.base_url = endpoint.base_url;
    dialect_.api_version = endpoint.api_version;
  }

  Dialect dialect() {
    std::lock_guard lock(mutex_);
    return dialect_;
  }
  void learn(Dialect dialect) {
    dialect.plain_once = false;
    std::lock_guard lock(mutex_);
    dialect_ = std::move(dialect);
  }

  const Endpoint endpoint;
  net::HttpClient& http;
  const Clock& clock;

 private:
  std::mutex mutex_;
  Dialect dialect_;
};

// The path stands before what the base URL asks for behind a question mark.
std::string url_of(const Provider& provider, const Request& request, const Dialect& dialect) {
  const std::string path = provider.path_of ? provider.path_of(request, dialect) : std::string(provider.path);
  const std::string_view base = dialect.base_url;
  const std::size_t mark = std::min(base.find('?'), base.size());
  std::string_view stem = base.substr(0, mark);
  while (stem.ends_with('/')) stem.remove_suffix(1);
  std::string url = std::string(stem) + path;
  if (mark + 1 < base.size())
    url.append(path.find('?') == std::string::npos ? "?" : "&").append(base.substr(mark + 1));
  return url;
}

net::HttpRequest http_request(const Endpoint& endpoint, const Dialect& dialect, std::string url,
                              std::string body, const std::string& key, const Request& request) {
  net::HttpRequest out;
  out.turn = request.turn;
  out.method = "POST";
  out.url = std::move(url);
  out.headers = endpoint.provider->headers(key, dialect);
  out.headers.emplace_back("content-type", "application/json");
  out.headers.emplace_back("accept", "text/event-stream");
  out.headers.insert(out.headers.end(), endpoint.headers.begin(), endpoint.headers.end());
  out.headers.insert(out.headers.end(), request.headers.begin(), request.headers.end());
  out.body = std::move(body);
  out.connect_timeout = endpoint.connect_timeout;
  out.idle_timeout = endpoint.idle_timeout;
  out.total_timeout = endpoint.total_timeout;
  out.max_response_bytes = endpoint.max_response_bytes;
  out.reach = endpoint.reach;
  return out;
}

using Done = std::move_only_function<void(Outcome)>;

std::shared_ptr<Call> make_call(const Shared& shared, const std::string& key, std::stop_token stop) {
  auto call = std::make_shared<Call>(*shared.endpoint.provider, shared.clock);
  call->api_key = key;
  call->redaction = shared.endpoint.redaction;
  call->origin = origin_of(shared.endpoint.provider->name, shared.endpoint.base_url);
  if (stop.stop_possible())
    call->link.emplace(std::move(stop), [cancel = call->cancel]() mutable { cancel.request_stop(); });
  return call;
}

void send(Shared& shared, std::shared_ptr<Call> call, const Dialect& dialect, std::string url,
          std::string body, const Request& request) {
  net::HttpHandler handler;
  handler.head = [call](const net::HttpHead& head) { call->on_head(head); };
  handler.body = [call](std::string_view bytes) { call->on_body(bytes); };
  handler.done = [call](std::expected<void, net::HttpError> ended) { call->end(std::move(ended)); };
  shared.http.start(
      http_request(shared.endpoint, dialect, std::move(url), std::move(body), call->api_key, request),
      std::move(handler), call->cancel.get_token());
}

// In so many ways a request may be said, each learnt from a refusal of the one before it.
constexpr int kMaxDialects = 3;

// Says the request in the server's dialect; a refusal that says which one it wants is answered in it.
void ask(const std::shared_ptr<Shared>& shared, const std::string& key, const Request& request,
         std::move_only_function<void(const Delta&)> on_delta, Done done, std::stop_token stop,
         const Dialect& dialect, int asked_before = 0) {
  const Provider& provider = *shared->endpoint.provider;
  Result<std::string> body = provider.encode(request, dialect);
  if (!body) return done(std::unexpected(Error(ErrorKind::kBadRequest, body.error().message())));
  auto call = make_call(*shared, key, stop);
  call->on_delta = std::move(on_delta);
  call->max_tokens = request.max_tokens;
  call->done = std::move(done);
  if (asked_before + 1 < kMaxDialects && provider.adapt != nullptr) {
    call->done = [shared, key, request = std::make_shared<const Request>(request), stop, dialect,
                  asked_before, call = std::weak_ptr(call),
                  done = std::move(call->done)](Outcome outcome) mutable {
      const auto other = outcome ? std::nullopt : shared->endpoint.provider->adapt(dialect, outcome.error());
      auto asked = call.lock();
      if (!other || !asked) return done(std::move(outcome));
      shared->learn(*other);
      ask(shared, key, *request, std::move(asked->on_delta), std::move(done), std::move(stop), *other,
          asked_before + 1);
    };
  }
  send(*shared, std::move(call), dialect, url_of(provider, request, dialect), *std::move(body), request);
}

class HttpModelClient : public Client {
 public:
  HttpModelClient(Endpoint endpoint, net::HttpClient& http, const Clock& clock, Secrets secrets)
      : secrets_(std::move(secrets)) {
    HF_CHECK(endpoint.provider != nullptr);
    if (endpoint.base_url.empty()) endpoint.base_url = endpoint.provider->default_url;
    shared_ = std::make_shared<Shared>(std::move(endpoint), http, clock);
  }

  void start(const Request& request, std::move_only_function<void(const Delta&)> on_delta, Done done,
             std::stop_token stop) override {
    const std::string& name = shared_->endpoint.api_key;
    std::string key;
    if (!name.empty()) {
      Result<std::string> value = secrets_ ? secrets_(name) : fail(Code::kNotFound, "there are no secrets");
      if (!value && value.error().code() == Code::kPermissionDenied) {
        done(std::unexpected(Error(ErrorKind::kNotGranted, value.error().message())));
        return;
      }
      if (!value || value->empty()) {
        done(std::unexpected(
            Error(ErrorKind::kAuth,
                  "the API key " + name + " is not set: set it for the process that runs the worker")));
        return;
      }
      key = std::move(*value);
    }
    ask(shared_, key, request, std::move(on_delta), std::move(done), std::move(stop), shared_->dialect());
  }

 private:
  std::shared_ptr<Shared> shared_;
  Secrets secrets_;
};

}  // namespace

std::unique_ptr<Client> make_client(Endpoint endpoint, net::HttpClient& http, const Clock& clock,
                                    Secrets secrets) {
  return std::make_unique<HttpModelClient>(std::move(endpoint), http, clock, std::move(secrets));
}

Outcome call(Client& client, const Request& request, std::move_only_function<void(const Delta&)> on_delta,
             std::stop_token stop, const Heartbeat& heartbeat) {
  auto ended = std::make_shared<std::promise<Outcome>>();  // `done` may come after a heartbeat that throws
  std::future<Outcome> outcome = ended->get_future();
  client.start(
      request, std::move(on_delta), [ended](Outcome result) { ended->set_value(std::move(result)); },
      std::move(stop));
  return await_result(std::move(outcome), heartbeat);
}

}  // namespace holdfast::model
