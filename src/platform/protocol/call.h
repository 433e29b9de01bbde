#pragma once

// Places in a conversation, calls in it, and answers on their way back. They stand in histories instead of
// the texts they name: the cost of a turn does not grow with the turns before.
//
// Values. Reading a word or a shape that is not known throws (PayloadError or nlohmann's exception), which
// the SDK reports. Every type declares a constructor: see holdfast/payload.h.

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace holdfast::protocol {

using Json = nlohmann::json;

// A place in a conversation: after message `sequence` of `branch`. Sequence 0 is the empty conversation.
// `sha256` (hex) is a chain over every message up to there, so that two references with the same hash name
// the same history, on whichever branch it is read.
struct ConversationRef {
  ConversationRef() = default;
  std::string conversation;
  std::uint32_t branch = 0;
  std::uint64_t sequence = 0;
  std::string sha256;

  bool operator==(const ConversationRef&) const = default;
};

// One tool call of one assistant message.
struct CallRef {
  CallRef() = default;
  ConversationRef message;  // the assistant message that holds the call
  std::uint32_t ordinal = 0;
  std::string id;  // the model's
  std::string tool;
  std::string key;       // idempotency key
  std::string approval;  // edited arguments are in this approval; empty: those of the message
  std::uint32_t step = 0;
  Json bound;  // arguments that the model does not give, an object; null: none
  // For whom it is made, besides the agent, where tools are granted by that: the team of the definition, and
  // the label that the run was started by. Empty: none.
  std::string team;
  std::string environment;
  // Of a call that code makes (protocol/code.h): the step record that holds it, its place there, and the step
  // of the code. `message` and `ordinal` are those of the code then. Empty: the message holds the call.
  std::string round;
  std::uint32_t place = 0;
  std::uint32_t within = 0;
};

// Where the text of an answer is.
enum class AnswerSource : std::uint8_t {
  kStep,    // the step record under `key`
  kEffect,  // the effect record under `key`
  kError,   // `text`
  kText,    // `text`, of a call that goes well
};

// The answer to a call, on its way into the conversation.
struct ToolAnswer {
  ToolAnswer() = default;
  std::uint32_t ordinal = 0;
  std::string id;
  AnswerSource source = AnswerSource::kError;
  std::string key;
  std::string text;        // of kStep and kEffect: what is said before the result
  std::uint32_t step = 0;  // of an error that ended a step; 0: the call never became one
  std::string carried;     // of kStep: the result itself; whoever takes the answer stores it
};

// What a tool does to the world, and hence what may happen after an interrupted call.
//   pure: nothing; repeat freely.            idempotent: repeat under the same key.
//   at_most_once: never repeat; a person decides.   transactional: effect and key commit together; repeat
//   finds it.
// The numbers are stored.
enum class Effect : std::uint8_t { kPure = 0, kIdempotent = 1, kAtMostOnce = 2, kTransactional = 3 };

// Hash of the canonical arguments and all that makes a call the one it is; the same on every attempt.
std::string idempotency_key(std::string_view namespace_name, const ConversationRef& message,
                            std::uint32_t ordinal, std::string_view tool,
                            std::string_view canonical_arguments);

std::string_view to_string(AnswerSource source);
std::string_view to_string(Effect effect);  // "pure", ...

void to_json(Json& out, const ConversationRef& value);
void from_json(const Json& in, ConversationRef& value);
void to_json(Json& out, const CallRef& value);
void from_json(const Json& in, CallRef& value);
void to_json(Json& out, const AnswerSource& value);
void from_json(const Json& in, AnswerSource& value);
void to_json(Json& out, const ToolAnswer& value);
void from_json(const Json& in, ToolAnswer& value);

}  // namespace holdfast::protocol
