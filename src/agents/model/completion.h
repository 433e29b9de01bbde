#pragma once

// Completion: what a model says to one request, and the pieces in which it arrives. Values.

#include <cstdint>
#include <string>

#include "model/message.h"

namespace holdfast::model {

struct Delta {
  enum class Kind : std::uint8_t { kText, kToolCallBegin, kToolCallArguments };
  Delta() = default;
  Kind kind = Kind::kText;
  std::string text;           // kText; kToolCallArguments: a fragment
  std::size_t tool_call = 0;  // index into Completion::message.tool_calls
  std::string id;             // kToolCallBegin
  std::string name;           // kToolCallBegin
};

// A reason that is not here is an error (ErrorKind::kUnknownStop).
enum class StopReason : std::uint8_t {
  kEnd,
  kToolCalls,
  kMaxTokens,
  kStopSequence,
  kPaused,  // the provider wants the same conversation again, to go on
};

// Tokens of one model call.
struct Usage {
  Usage() = default;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t cached_input_tokens = 0;  // part of input_tokens
  std::int64_t cache_write_tokens = 0;   // part of input_tokens
  std::int64_t reasoning_tokens = 0;     // part of output_tokens
};

struct Completion {
  Completion() = default;
  Message message;
  StopReason stop_reason = StopReason::kEnd;
  Usage usage;
  std::string model;       // as the provider names it
  std::string request_id;  // the provider's, for its support
};

}  // namespace holdfast::model
