#pragma once

// What is asked of a sandboxed process and what it answers: a code to evaluate over JSON inputs, a result or
// a typed failure with its place in the code. As bytes: numbers little-endian, a text is its length and
// itself.
//
// The sandboxed process runs what anybody wrote, so an answer is read as bytes from an enemy: every length is
// checked, every value that is not one of these is an error.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "holdfast/status.h"

namespace holdfast::sandbox {

enum class Kind : std::uint8_t {
  kExpression = 1,  // one JavaScript expression
  kScript = 2,      // the body of a function: what it returns is the result; `await` is allowed
  kTemplate = 3,    // text with {{ expressions }}
  kPython = 4,      // the body of a function in Python: what it returns is the result
  kMonty = 5,       // the same, run by Monty
  kCalls = 8,       // a script that calls tools (docs/adr/0082)
};

// What one evaluation may use. The least and most of each: check_limits.
struct Limits {
  std::uint32_t time_ms = 50;              // of processor time: a busy machine fails no expression
  std::uint32_t memory_bytes = 16U << 20;  // of all values
  std::uint32_t stack_bytes = 256U << 10;  // of nested calls
  std::uint32_t output_bytes = 1U << 20;   // of the result as JSON
  std::uint32_t log_bytes = 64U << 10;     // of what console.log or print kept; the rest is counted
};
// Python has no engine that is made in a fifth of a millisecond: an import alone takes some. Of Monty as
// well, so that code is moved from one to the other as it is; how deep it calls Monty counts by itself.
inline constexpr Limits kPythonLimits = {.time_ms = 1000, .memory_bytes = 64U << 20};
inline constexpr std::uint32_t kMostTimeMs = 60'000;
inline constexpr std::uint32_t kMostMemoryBytes = 128U << 20;
inline constexpr std::uint32_t kMostStackBytes = 1U << 20;
inline constexpr std::uint32_t kMostOutputBytes = 32U << 20;
inline constexpr std::uint32_t kMostLogBytes = 1U << 20;
inline constexpr std::size_t kMostCodeBytes = 1U << 20;
inline constexpr std::size_t kMostInputBytes = 32U << 20;

struct Request {
  Kind kind = Kind::kExpression;
  bool decimals_as_text = false;  // 1.10 arrives as "1.10"
  Limits limits = {};
  std::string code;
  // A JSON object; its members are the names that the code sees. Of kCalls: {"names": of the tools, "most":
  // so many calls in all, "rounds": [[{"tool", "arguments": their text, "ok", "value"}]]: what was called
  // before}. The result is {"value"}, or {"calls": [{"tool","arguments"}]} when these are to be made first,
  // or
  // {"diverged": how}, when it asked for other calls than before.
  std::string inputs = "{}";
};
// INVALID_ARGUMENT: what is too much of it, and what may be.
Status check_request(const Request& request);

enum class Fault : std::uint8_t {
  kSyntax = 1,  // the code is none of its language
  kThrown,      // the code threw
  kTime,        // it took too long
  kMemory,      // it took too much memory
  kStack,       // it called too deep
  kOutput,      // its result is too large
  kClock,       // it asked what time it is
  kRandom,      // it asked for a random number
  kResult,      // its result is nothing that JSON has
  kInput,       // its inputs are no JSON object, or name what the language names
  kUnsettled,   // it waits for what never comes
  kDied,        // the process that ran it was ended; said by the broker, never by the process
};
// "syntax_error", "time_limit", ...
std::string_view fault_name(Fault fault);

struct Failure {
  Fault fault = Fault::kThrown;
  std::string name;          // of what was thrown, as in "TypeError"
  std::string message;       // what is wrong and what to do
  std::uint32_t line = 0;    // of the code, from 1; 0: not known
  std::uint32_t column = 0;  // in bytes, from 1
};

struct Reply {
  std::string result;              // JSON; empty with a failure
  std::optional<Failure> failure;  // none: it worked
  std::string log;                 // what console.log said, a line each
  std::uint32_t log_left_out = 0;  // lines that found no room
  bool last = false;               // the process ends now
};

std::string encode(const Request& request);
std::string encode(const Reply& reply);
Result<Request> decode_request(std::string_view bytes);
Result<Reply> decode_reply(std::string_view bytes);

}  // namespace holdfast::sandbox
