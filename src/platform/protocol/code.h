#pragma once

// What the agent workflow and its activity say to each other about code that calls tools (docs/adr/0082). The
// code is run over what its calls came to; the workflow makes those that it asks for, and it is run again.
// These stand in histories: fields may be added (absent ones take their default); a field never changes its
// meaning.
//
// Values; see protocol/call.h for how reading fails.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/activities.h"

namespace holdfast::protocol {

inline constexpr const char* kCodeActivity = "agent.code";

// One run of the code.
struct CodeInput {
  CodeInput() = default;
  std::string agent;
  std::string version;
  CallRef call;                     // that the code is the argument of
  std::string previous;             // CodeRound::key of the run before; empty: this is the first
  std::vector<ToolAnswer> answers;  // to the calls of that, in their order
  std::uint32_t runs = 0;           // before this one
  std::string role;                 // ModelInput::role, and so on
  std::vector<std::string> loaded;
  std::string settings;
  std::string requester;
};

// What it came to.
struct CodeRound {
  CodeRound() = default;
  std::string key;  // of the step record that has the arguments of the calls
  std::vector<PlannedCall>
      calls;  // to be made, all at once; none: the code has ended, and its result is recorded
};

// The same for the same calls with the same answers before it, whoever asks.
std::string code_round_key(const CodeInput& in);
// Of a call that code makes: the same on every attempt.
std::string code_call_key(const CallRef& call, std::string_view canonical_arguments);

void to_json(Json& out, const CodeInput& value);
void from_json(const Json& in, CodeInput& value);
void to_json(Json& out, const CodeRound& value);
void from_json(const Json& in, CodeRound& value);

}  // namespace holdfast::protocol
