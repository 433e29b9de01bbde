#pragma once

// Completions: calls that somebody outside the platform ends, who was given a token. What is stored of a
// token is its hash. Plain values.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "holdfast/seams.h"

namespace holdfast::platform {

// The numbers are stored.
enum class CompletionState : std::uint8_t {
  kOpen = 0,
  kCompleted = 1,
  kFailed = 2,   // whoever had the token says so
  kExpired = 3,  // nobody came in time
  kClosed = 4,   // the run was over before anybody came
};
std::string_view to_string(CompletionState state);

// Each attempt of a call hands out a token of its own; all of them are good until one is used.
inline constexpr std::size_t kMaxCompletionTokens = 64;

struct Completion {
  Completion() = default;
  std::string id;  // of the detached call
  std::string run;
  std::string tool;
  std::uint32_t step = 0;
  std::string tokens;  // SHA-256 of each, one behind the other
  WallTime deadline{};
  CompletionState state = CompletionState::kOpen;
  std::string result;  // kCompleted: text, or JSON; kFailed: why
  bool told = false;   // the run has it
  WallTime at{};       // set by the store, like ended_at
  std::optional<WallTime> ended_at;
};

struct CompletionOpening {
  CompletionOpening() = default;
  std::string id;
  std::string run;
  std::string tool;
  std::uint32_t step = 0;
  WallTime deadline{};
};

struct OpenedCompletion {
  OpenedCompletion() = default;
  Completion completion;
  std::string token;  // here and nowhere else
};

struct CompletionAttempt {
  CompletionAttempt() = default;
  std::string token;
  bool succeeded = true;
  std::string result;
};

}  // namespace holdfast::platform
