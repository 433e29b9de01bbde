#pragma once

// How an exchange with an MCP server can fail, and what is known then about the request. Plain values.

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "holdfast/status.h"
#include "net/fetch.h"

namespace holdfast::mcp {

struct Failure {
  enum class Kind : std::uint8_t {
    kNotSent,       // the request did not leave: not granted, no variable, no such program, a bad URL
    kUnreachable,   // nothing that tells whether it arrived: no connection, a program that ended, silence
    kCancelled,     // the caller wants it no more
    kBusy,          // refused as a whole, may be repeated: 429, 503, too many calls of ours
    kUnauthorized,  // 401, 403
    kNoSession,     // the server knows the session no more; the request was not looked at
    kWrongEra,      // the status of a server that does not speak the revision
    kBroken,        // 5xx, or what came is no answer
    kTooLarge,      // it answered, more than is read
    kError,         // an error of the protocol: `code`
    kChanged,       // the tool is not what it was when the definition was applied
    kInputNeeded,   // the server wants to ask somebody in the middle of the call
  };
  Failure() = default;
  Failure(Kind kind_in, std::string message_in) : kind(kind_in), message(std::move(message_in)) {}

  Kind kind = Kind::kBroken;
  std::string message;                 // may hold the server's words: untrusted, and not free of secrets
  int code = 0;                        // kError: JSON-RPC's
  std::vector<std::string> supported;  // kError: the revisions that the server says it speaks instead
  std::optional<std::chrono::milliseconds> retry_after;
  Code cause = Code::kPermissionDenied;  // kNotSent: why not
  bool sent = false;                     // of a call: it, and not only what goes before it, may have arrived

  Status status() const;
};

template <class T>
using Outcome = std::expected<T, Failure>;

inline std::unexpected<Failure> failed(Failure::Kind kind, std::string message) {
  return std::unexpected(Failure(kind, std::move(message)));
}
// Of a permission or a variable.
std::unexpected<Failure> failed(const Status& status);
// Without an answer.
std::unexpected<Failure> failed(const net::HttpError& error);

}  // namespace holdfast::mcp
