#pragma once

// The argument and the result of the agent workflow, and what a run takes along when it continues as new.
// They stand in histories: fields may be added (absent ones take their default); a field never changes its
// meaning.
//
// Values; see protocol/call.h for how reading fails.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/call.h"

namespace holdfast::protocol {

// How a sub-agent reaches the call it answers.
struct Caller {
  Caller() = default;
  std::string run;
  std::string agent;
  std::string version;
  CallRef call;
  int depth = 0;         // of the sub-agent
  std::string settings;  // Plan::settings of the caller
};

// Of one model call, or of all calls of a run so far.
struct Tokens {
  Tokens() = default;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
};

// Fixed when a run begins.
struct Plan {
  Plan() = default;
  std::string agent;
  std::string version;
  std::uint32_t flags = 0;
  int max_iterations = 0;
  int max_parallel_tools = 1;
  std::int64_t run_timeout_ms = 0;
  std::int64_t model_timeout_ms = 0;
  Json model_retry;
  std::string settings;  // key of the step record that holds the run's context and `notify`; empty: none
  std::uint32_t notifies = 0;  // bits of NotifyEvent: who is told of what
};

// What a run takes along when it continues as new.
struct Progress {
  Progress() = default;
  Plan plan;
  ConversationRef head;
  std::vector<ToolAnswer> answers;
  int iteration = 0;
  std::uint32_t step = 0;
  Tokens usage;
  std::int64_t deadline_ms = 0;  // of plan.run_timeout_ms, since the epoch; 0: none
};

// The argument of the workflow. Whoever starts a run gives `agent`; everything else may be left out.
struct RunInput {
  RunInput() = default;
  std::string agent;
  std::string version;       // empty: the current one
  Json input;                // text, or JSON; null: as stored with the run in the platform store
  std::string conversation;  // goes on in that one; empty: a new one, named like the run
  std::optional<Caller> caller;
  std::optional<Progress> progress;
  Json context;  // an object: what tools bind; null: as stored with the run
  Json notify;   // a list, as in agent.yaml; null: as stored with the run
};

struct RunResult {
  RunResult() = default;
  std::string output;
  int iterations = 0;
  Tokens usage;
  bool max_iterations_reached = false;
};

void to_json(Json& out, const Caller& value);
void from_json(const Json& in, Caller& value);
void to_json(Json& out, const Tokens& value);
void from_json(const Json& in, Tokens& value);
void to_json(Json& out, const Plan& value);
void from_json(const Json& in, Plan& value);
void to_json(Json& out, const Progress& value);
void from_json(const Json& in, Progress& value);
void to_json(Json& out, const RunInput& value);
void from_json(const Json& in, RunInput& value);
void to_json(Json& out, const RunResult& value);
void from_json(const Json& in, RunResult& value);

}  // namespace holdfast::protocol
