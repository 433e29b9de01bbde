#pragma once

// Error: why a model call came to nothing, and whether it is worth another. Pure.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>
#include "holdfast/seams.h"
#include "net/http_client.h"

namespace holdfast::model {

enum class ErrorKind : std::uint8_t {
  kRateLimited,     // retry, after retry_after when given
  kOverloaded,      // retry
  kQuotaExhausted,  // final
  kContentFilter,   // final
  kInvalidPrompt,   // final
  kAuth,            // final
  kNotGranted,      // final: the operator allows neither this host nor this key there
  kBadRequest,      // final
  kUnknownStop,     // final: the answer ended for a reason that is not known to be good
  kInvalidOutput,   // retry: the answer is not what was asked to be said
  kStreamCut,       // retry: the stream ended before its end, or broke
  kTimeout,         // retry
  kConnection,      // retry
  kCancelled,       // we did it
};

// "RateLimitedError", "ContentFilterError", ...: the type of the application failure.
std::string_view error_type(ErrorKind kind);
bool is_retryable(ErrorKind kind);

struct Error {
  Error() = default;
  // Retryable as its kind is.
  Error(ErrorKind kind_in, std::string message_in)
      : kind(kind_in), message(std::move(message_in)), retryable(is_retryable(kind_in)) {}
  ErrorKind kind = ErrorKind::kConnection;
  std::string message;  // fit for a user: what happened and what to do; never a key
  bool retryable = false;
  std::optional<std::chrono::milliseconds> retry_after;
  int http_status = 0;  // 0: no response
  std::string code;     // the provider's error code or type
  std::string request_id;
};

// What a response other than 200 means. `body` may be anything.
Error error_of_response(const net::HttpHead& head, std::string_view body, WallTime now);
// The error that a document says, in any of the shapes that providers, servers and proxies give it; none: it
// says none. The same in a response and in a frame of a stream.
std::optional<Error> error_in(const nlohmann::ordered_json& document, int http_status = 0);
// What a provider's error code, type and words mean; `http_status` 0 inside a stream.
Error error_of_code(int http_status, std::string code, std::string type, std::string message);

}  // namespace holdfast::model
