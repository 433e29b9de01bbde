// Client: a wire format over HTTP.

#include "model/client.h"

#include <condition_variable>
#include <cstdlib>
#include <mutex>

#include "model/decoder.h"

namespace holdfast::model {

namespace {

constexpr std::size_t kMaxErrorBodyBytes = 64 << 10;

// One call under way. Shared by the callbacks of its HTTP request; they run on one thread.
struct Exchange {
  Exchange(std::unique_ptr<Decoder> decoder_, const Clock& clock_)
      : decoder(std::move(decoder_)), clock(clock_) {}

  void on_head(const net::HttpHead& answer) { head = answer; }

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

  Answer answer(std::expected<void, net::HttpError> outcome) {
    if (head.status == 200 && !decoder->error() && decoder->complete()) {
      // All of it is here, even if the connection ended badly afterwards.
      Response response = decoder->take();
      response.message.role = Role::kAssistant;
      response.request_id = request_id();
      return response;
    }
    Error error = failure(std::move(outcome));
    error.request_id = request_id();
    if (error.http_status == 0) error.http_status = head.status;
    hide_key(error.message);
    return std::unexpected(std::move(error));
  }

  Error failure(std::expected<void, net::HttpError> outcome) {
    if (decoder->error()) return *decoder->error();
    Error error;
    if (broken) {
      error.kind = ErrorKind::kStreamCut;
      error.message = "the model sent an event too large to be one";
    } else if (!outcome) {
      error = of_http(outcome.error());
    } else if (head.status != 200) {
      return error_of_response(head, error_body, clock.now());
    } else if (head.header("content-type").find("text/event-stream") == std::string_view::npos) {
      error.kind = ErrorKind::kBadRequest;
      error.message = "the model's server did not answer with an event stream: check the base URL";
    } else {
      error.kind = ErrorKind::kStreamCut;
      error.message = "the model's stream ended before the answer was complete";
    }
    error.retryable = is_retryable(error.kind);
    return error;
  }

  Error of_http(const net::HttpError& failed) const {
    Error error;
    error.message = failed.message;
    switch (failed.failure) {
      case net::HttpFailure::kConnection:
        // An answer that breaks off is another thing than a server that is not there.
        error.kind = head.status == 200 ? ErrorKind::kStreamCut : ErrorKind::kConnection;
        if (head.status == 200) error.message = "the model's stream was cut: " + failed.message;
        break;
      case net::HttpFailure::kIdleTimeout:
      case net::HttpFailure::kTotalTimeout: error.kind = ErrorKind::kTimeout; break;
      case net::HttpFailure::kTooLarge:
      case net::HttpFailure::kBadRequest: error.kind = ErrorKind::kBadRequest; break;
      case net::HttpFailure::kCancelled: error.kind = ErrorKind::kCancelled; break;
    }
    return error;
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

  std::unique_ptr<Decoder> decoder;
  const Clock& clock;
  net::SseParser parser;
  std::move_only_function<void(const Delta&)> on_delta;
  std::move_only_function<void(Answer)> done;
  net::HttpHead head;
  std::string error_body;
  std::string api_key;
  bool broken = false;
  std::stop_source cancel;
  // Passes the caller's stop request on.
  std::optional<std::stop_callback<std::move_only_function<void()>>> link;
};

Error refused(ErrorKind kind, std::string message) {
  Error error;
  error.kind = kind;
  error.message = std::move(message);
  return error;
}

class HttpModelClient : public Client {
 public:
  HttpModelClient(Endpoint endpoint, net::HttpClient& http, const Clock& clock, Secrets secrets)
      : endpoint_(std::move(endpoint)),
        http_(http),
        clock_(clock),
        secrets_(std::move(secrets)),
        format_(endpoint_.format == Format::kOpenAiChat ? openai_chat_format()
                                                        : anthropic_messages_format()) {
    if (endpoint_.base_url.empty()) endpoint_.base_url = format_->default_base_url();
    while (endpoint_.base_url.ends_with('/')) endpoint_.base_url.pop_back();
  }

  void start(const Request& request, std::move_only_function<void(const Delta&)> on_delta,
             std::move_only_function<void(Answer)> done, std::stop_token stop) override {
    std::string key;
    if (!endpoint_.api_key.empty()) {
      std::optional<std::string> value = secrets_ ? secrets_(endpoint_.api_key) : std::nullopt;
      if (!value || value->empty()) {
        done(std::unexpected(
            refused(ErrorKind::kAuth, "the API key " + endpoint_.api_key +
                                          " is not set: set it for the process that runs the worker")));
        return;
      }
      key = std::move(*value);
    }
    Result<std::string> body = format_->body(request, endpoint_.base_url);
    if (!body) {
      done(std::unexpected(refused(ErrorKind::kBadRequest, body.error().message())));
      return;
    }

    auto exchange = std::make_shared<Exchange>(format_->decoder(), clock_);
    exchange->on_delta = std::move(on_delta);
    exchange->done = std::move(done);
    exchange->api_key = key;
    if (stop.stop_possible()) {
      exchange->link.emplace(std::move(stop),
                             [cancel = exchange->cancel]() mutable { cancel.request_stop(); });
    }
    net::HttpHandler handler;
    handler.head = [exchange](const net::HttpHead& head) { exchange->on_head(head); };
    handler.body = [exchange](std::string_view bytes) { exchange->on_body(bytes); };
    handler.done = [exchange](std::expected<void, net::HttpError> outcome) {
      exchange->link.reset();
      auto finish = std::move(exchange->done);
      finish(exchange->answer(std::move(outcome)));
    };
    http_.start(http_request(std::move(*body), key), std::move(handler), exchange->cancel.get_token());
  }

 private:
  net::HttpRequest http_request(std::string body, const std::string& key) const {
    net::HttpRequest out;
    out.method = "POST";
    out.url = endpoint_.base_url + std::string(format_->path());
    out.headers = format_->headers(key);
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
  std::unique_ptr<WireFormat> format_;
};

}  // namespace

std::string_view error_type(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kRateLimited: return "RateLimitedError";
    case ErrorKind::kOverloaded: return "OverloadedError";
    case ErrorKind::kQuotaExhausted: return "QuotaExhaustedError";
    case ErrorKind::kContentFilter: return "ContentFilterError";
    case ErrorKind::kInvalidPrompt: return "InvalidPromptError";
    case ErrorKind::kAuth: return "AuthError";
    case ErrorKind::kBadRequest: return "BadRequestError";
    case ErrorKind::kStreamCut: return "StreamCutError";
    case ErrorKind::kTimeout: return "TimeoutError";
    case ErrorKind::kConnection: return "ConnectionError";
    case ErrorKind::kCancelled: return "CancelledError";
  }
  return "UnknownError";
}

std::string_view stop_reason_name(StopReason reason) {
  switch (reason) {
    case StopReason::kEnd: return "end";
    case StopReason::kToolCalls: return "tool_calls";
    case StopReason::kMaxTokens: return "max_tokens";
    case StopReason::kStopSequence: return "stop_sequence";
    case StopReason::kOther: return "other";
  }
  return "other";
}

std::optional<Format> format_from_name(std::string_view name) {
  if (name == "openai") return Format::kOpenAiChat;
  if (name == "anthropic") return Format::kAnthropicMessages;
  return std::nullopt;
}

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

Answer call(Client& client, const Request& request, std::move_only_function<void(const Delta&)> on_delta,
            std::stop_token stop) {
  struct State {
    std::mutex mutex;
    std::condition_variable ended;
    std::optional<Answer> answer;
  };
  auto state = std::make_shared<State>();
  client.start(
      request, std::move(on_delta),
      [state](Answer answer) {
        std::lock_guard lock(state->mutex);
        state->answer = std::move(answer);
        state->ended.notify_all();
      },
      std::move(stop));
  std::unique_lock lock(state->mutex);
  state->ended.wait(lock, [&] { return state->answer.has_value(); });
  return std::move(*state->answer);
}

}  // namespace holdfast::model
