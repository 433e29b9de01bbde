#pragma once

// Detached calls: a call that is started and not waited for. The model is told at once that it runs, and when
// it has ended, before its next call. They stand in histories and in what a run takes along: fields may be
// added; a field never changes its meaning.
//
// Values; see protocol/call.h for how reading fails.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/call.h"

namespace holdfast::protocol {

// Detached calls of one run that are open at a time; one more is not made.
inline constexpr std::size_t kMaxDetached = 64;

// What ends a detached call.
enum class CompletedBy : std::uint8_t {
  kCall,   // the call itself, when it has its answer
  kToken,  // somebody outside, who was given a token by the call
};

// Of a call that is planned.
struct Detachment {
  Detachment() = default;
  CompletedBy by = CompletedBy::kCall;
  std::int64_t deadline_ms = 0;  // of kToken: how long at most
};

// One that is open.
struct DetachedCall {
  DetachedCall() = default;
  std::string id;  // what model, people and completions name it by
  CallRef call;
  std::string kind;  // of its tool
  CompletedBy by = CompletedBy::kCall;
  std::int64_t since_ms = 0;
  std::int64_t deadline_ms = 0;  // since the epoch; 0: none
  bool started = false;          // kToken: the tool has answered that it runs
  bool completed = false;        // kToken: somebody has said so
};

// One that has ended, on its way into the conversation.
struct DetachedEnd {
  DetachedEnd() = default;
  std::string id;
  std::string tool;
  ToolAnswer answer;
};

// The argument of kCompleteUpdate: what it ended with is in the platform store.
struct CompletionNews {
  CompletionNews() = default;
  std::string id;
};

// Of kEndDetachedActivity, which answers with a ToolResult.
struct EndDetachedInput {
  EndDetachedInput() = default;
  std::string agent;
  std::string version;
  DetachedCall detached;
  bool run_ends = false;  // else: it was completed, or its time is over
};

std::string_view to_string(CompletedBy by);

void to_json(Json& out, const CompletedBy& value);
void from_json(const Json& in, CompletedBy& value);
void to_json(Json& out, const Detachment& value);
void from_json(const Json& in, Detachment& value);
void to_json(Json& out, const DetachedCall& value);
void from_json(const Json& in, DetachedCall& value);
void to_json(Json& out, const DetachedEnd& value);
void from_json(const Json& in, DetachedEnd& value);
void to_json(Json& out, const CompletionNews& value);
void from_json(const Json& in, CompletionNews& value);
void to_json(Json& out, const EndDetachedInput& value);
void from_json(const Json& in, EndDetachedInput& value);

}  // namespace holdfast::protocol
