// Client: a provider over HTTP.

#include "model/client.h"

#include <cstdlib>
#include <future>

#include "base/check.h"
#include "net/sse_parser.h"

namespace holdfast::model {

namespace {

constexpr std::size_t kMaxErrorBodyBytes = 64 << 10;

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
    if (decoder->error() || broken) return;
    const Status status =
        parser.feed(bytes, [this](const net::SseEvent& event) { decoder->event(event, on_delta); });
    broken = !status.ok();
    // Nothing after an error is of use: give the connection back.
    if (decoder->error() || broken) cancel.request_stop();
  }

  Outcome outcome(std::expected<void, net::HttpError> ended) {
    if (head.status == 200 && !decoder->error() && decoder->complete()) {
      // All of it is here, even if the connection ended badly afterwards.
      Completion completion = decoder->take();
      completion.message.role = Role::kAssistant;
      completion.request_id = request_id();
      return completion;
    }
    Error error = failure(std::move(ended));
    error.request_id = request_id();
    if (error.http_status == 0) error.http_status = head.status;
    hide_key(error.message);
    return std::unexpected(std::move(error));
  }

  Error failure(std::expected<void, net::HttpError> ended) {
    if (decoder->error()) return *decoder->error();
    if (broken) return {ErrorKind::kStreamCut, "the model sent an event too large to be one"};
    if (!ended) return of_http(ended.error());
    if (head.status != 200) return provider.classify_error(head, error_body, clock.now());
    if (head.header("content-type").find("text/event-stream") == std::string_view::npos)
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

  void hide_key(std::string& text) const {
    if (api_key.empty()) return;
    for (std::size_t at = text.find(api_key); at != std::string::npos; at = text.find(api_key)) {
      text.replace(at, api_key.size(), "[API key]");
    }
  }

  const Provider& provider;
  const Clock& clock;
  std::unique_ptr<Decoder> decoder;
  net::SseParser parser;
  std::move_only_function<void(const Delta&)> on_delta;
  std::move_only_function<void(Outcome)> done;
  net::HttpHead head;
  std::string error_body;
  std::string api_key;
  bool broken = false;
  std::stop_source cancel;
  // Passes the caller's stop request on.
  std::optional<std::stop_callback<std::move_only_function<void()>>> link;
};

class HttpModelClient : public Client {
 public:
  HttpModelClient(Endpoint endpoint, net::HttpClient& http, const Clock& clock, Secrets secrets)
      : endpoint_(std::move(endpoint)), http_(http), clock_(clock), secrets_(std::move(secrets)) {
    HF_CHECK(endpoint_.provider != nullptr);
    if (endpoint_.base_url.empty()) endpoint_.base_url = endpoint_.provider->default_url;
    while (endpoint_.base_url.ends_with('/')) endpoint_.base_url.pop_back();
  }

  void start(const Request& request, std::move_only_function<void(const Delta&)> on_delta,
             std::move_only_function<void(Outcome)> done, std::stop_token stop) override {
    std::string key;
    if (!endpoint_.api_key.empty()) {
      std::optional<std::string> value = secrets_ ? secrets_(endpoint_.api_key) : std::nullopt;
      if (!value || value->empty()) {
        done(std::unexpected(
            Error(ErrorKind::kAuth, "the API key " + endpoint_.api_key +
                                        " is not set: set it for the process that runs the worker")));
        return;
      }
      key = std::move(*value);
    }
    Result<std::string> body = endpoint_.provider->encode(request, endpoint_.base_url);
    if (!body) {
      done(std::unexpected(Error(ErrorKind::kBadRequest, body.error().message())));
      return;
    }

    auto call = std::make_shared<Call>(*endpoint_.provider, clock_);
    call->on_delta = std::move(on_delta);
    call->done = std::move(done);
    call->api_key = key;
    if (stop.stop_possible()) {
      call->link.emplace(std::move(stop), [cancel = call->cancel]() mutable { cancel.request_stop(); });
    }
    net::HttpHandler handler;
    handler.head = [call](const net::HttpHead& head) { call->on_head(head); };
    handler.body = [call](std::string_view bytes) { call->on_body(bytes); };
    handler.done = [call](std::expected<void, net::HttpError> ended) {
      call->link.reset();
      auto finish = std::move(call->done);
      finish(call->outcome(std::move(ended)));
    };
    http_.start(http_request(std::move(*body), key), std::move(handler), call->cancel.get_token());
  }

 private:
  net::HttpRequest http_request(std::string body, const std::string& key) const {
    net::HttpRequest out;
    out.method = "POST";
    out.url = endpoint_.base_url + std::string(endpoint_.provider->path);
    out.headers = endpoint_.provider->headers(key);
    out.headers.emplace_back("content-type", "application/json");
    out.headers.emplace_back("accept", "text/event-stream");
    out.headers.insert(out.headers.end(), endpoint_.headers.begin(), endpoint_.headers.end());
    out.body = std::move(body);
    out.connect_timeout = endpoint_.connect_timeout;
    out.idle_timeout = endpoint_.idle_timeout;
    out.total_timeout = endpoint_.total_timeout;
    out.max_response_bytes = endpoint_.max_response_bytes;
    return out;
  }

  Endpoint endpoint_;
  net::HttpClient& http_;
  const Clock& clock_;
  Secrets secrets_;
};

}  // namespace

Secrets environment_secrets() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
}

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
