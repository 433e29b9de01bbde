#pragma once

// Client: one model endpoint. Always streams. Never retries: the durable activity does, with what Error says.
//
//   os::ThreadExecutor loop("http"); auto http = net::curl_http_client(loop);
//   auto client = make_client(endpoint, *http, clock, environment_secrets());
//   auto answer = call(*client, request, [](const Delta& d) { ... });
//
// Thread-safe. API keys are read by reference (a name) at each call, and appear in no error and no log.

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "model/message.h"
#include "net/http_client.h"

namespace holdfast::model {

struct ToolDefinition {
  ToolDefinition() = default;
  std::string name;
  std::string description;
  std::string parameters;  // JSON Schema of an object; empty: no parameters
};

struct Request {
  Request() = default;
  std::string model;
  std::vector<Message> messages;
  std::vector<ToolDefinition> tools;
  std::optional<std::int64_t> max_tokens;
  std::optional<double> temperature;
  std::vector<std::string> stop;
};

struct Delta {
  enum class Kind : std::uint8_t { kText, kToolCallBegin, kToolCallArguments };
  Delta() = default;
  Kind kind = Kind::kText;
  std::string text;           // kText; kToolCallArguments: a fragment
  std::size_t tool_call = 0;  // index into Response::message.tool_calls
  std::string id;             // kToolCallBegin
  std::string name;           // kToolCallBegin
};

enum class StopReason : std::uint8_t { kEnd, kToolCalls, kMaxTokens, kStopSequence, kOther };
std::string_view stop_reason_name(StopReason reason);

struct TokenUsage {
  TokenUsage() = default;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t cached_input_tokens = 0;  // part of input_tokens
};

struct Response {
  Response() = default;
  Message message;
  StopReason stop_reason = StopReason::kEnd;
  TokenUsage usage;
  std::string model;       // as the provider names it
  std::string request_id;  // the provider's, for its support
};

enum class ErrorKind : std::uint8_t {
  kRateLimited,     // retry, after retry_after when given
  kOverloaded,      // retry
  kQuotaExhausted,  // final
  kContentFilter,   // final
  kInvalidPrompt,   // final
  kAuth,            // final
  kBadRequest,      // final
  kStreamCut,       // retry: the stream ended before its end, or broke
  kTimeout,         // retry
  kConnection,      // retry
  kCancelled,       // we did it
};

// "RateLimitedError", "ContentFilterError", ...: the type of the application failure.
std::string_view error_type(ErrorKind kind);

struct Error {
  Error() = default;
  ErrorKind kind = ErrorKind::kConnection;
  std::string message;  // fit for a user: what happened and what to do; never a key
  bool retryable = false;
  std::optional<std::chrono::milliseconds> retry_after;
  int http_status = 0;  // 0: no response
  std::string code;     // the provider's error code or type
  std::string request_id;
};

using Answer = std::expected<Response, Error>;

class Client {
 public:
  virtual ~Client() = default;
  // Callbacks run on the HTTP client's loop thread (`done` inline when the request cannot be made), in order,
  // and must not block; `done` exactly once, last.
  virtual void start(const Request& request, std::move_only_function<void(const Delta&)> on_delta,
                     std::move_only_function<void(Answer)> done, std::stop_token stop = {}) = 0;
};

// Blocks. `on_delta` runs on the loop thread.
Answer call(Client& client, const Request& request, std::move_only_function<void(const Delta&)> on_delta = {},
            std::stop_token stop = {});

enum class Format : std::uint8_t { kOpenAiChat, kAnthropicMessages };
// "openai" and "anthropic"; none for anything else.
std::optional<Format> format_from_name(std::string_view name);

// Name of a secret -> its value; none when it does not exist.
using Secrets = std::function<std::optional<std::string>(std::string_view name)>;
// Names are environment variables.
Secrets environment_secrets();

struct Endpoint {
  Endpoint() = default;
  Format format = Format::kOpenAiChat;
  // Up to and without /chat/completions or /messages: "https://api.openai.com/v1",
  // "http://localhost:11434/v1". Empty: the provider's own.
  std::string base_url;
  std::string api_key;   // the name of a secret; empty: none is sent
  net::Headers headers;  // added to each request
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds idle_timeout{60'000};  // no byte for so long
  std::chrono::milliseconds total_timeout{600'000};
  std::size_t max_response_bytes = 32 << 20;
};

// `http` and `clock` must outlive the client. The clock turns a retry-after date into a duration.
std::unique_ptr<Client> make_client(Endpoint endpoint, net::HttpClient& http, const Clock& clock,
                                    Secrets secrets);

}  // namespace holdfast::model
