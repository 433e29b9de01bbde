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
#include "protocol/detached.h"
#include "protocol/policy.h"
#include "protocol/steering.h"

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
  // Of several sub-agents of one call. `call.key` and `call.step` are its own then.
  std::string for_each;    // the argument of the call that is a list; empty: all are told `input`
  std::uint32_t item = 0;  // what of it this one is told
  std::string requester;   // Plan::requester
};

// Of one model call, or of all calls of a run so far.
struct Tokens {
  Tokens() = default;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t cached_input_tokens = 0;  // part of input_tokens
  std::int64_t cache_write_tokens = 0;   // part of input_tokens
  std::int64_t reasoning_tokens = 0;     // part of output_tokens
};
void add(Tokens& to, const Tokens& more);

// Of an agent that plans: who speaks.
enum class Stage : std::uint8_t { kPlanner, kReviewer, kExecutor };

struct PlanRules {
  PlanRules() = default;
  bool reviewed = false;
  int max_rejections = 0;
};

// How far an agent that plans has come.
struct Planning {
  Planning() = default;
  Stage stage = Stage::kPlanner;
  bool told = false;                // that it is their turn, and what to do
  std::optional<CallRef> proposed;  // the call that made the plan
  int steps = 0;
  int at = 0;                    // steps of it that were carried out
  std::optional<bool> approved;  // the reviewer's word
  int rejections = 0;
  int carried_out = 0;  // steps of all plans
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
  std::int64_t wall_deadline_ms = 0;  // of budgets.wall_time, since the epoch; 0: none
  std::int64_t model_timeout_ms = 0;
  Json model_retry;
  std::optional<SteeringPolicy> steering;  // none: kQueue
  bool park_on_failure = false;            // a step that fails for good waits for somebody to mend it
  bool stop_on_reject = false;             // a person's no ends the run
  std::string settings;  // key of the step record that holds the run's context and `notify`; empty: none
  std::uint32_t notifies = 0;  // bits of NotifyEvent: who is told of what
  bool one_activity = false;   // the calls of a turn that reach out do so in one activity
  std::optional<PlanRules> plans;
  // Decisions are signed with its other half (decision_signature.h); empty: anybody's is taken.
  std::string decision_key;
  std::vector<std::string>
      watched;            // tools whose calls are remembered, for rules that look at them; "*": all
  std::string requester;  // who started the run; empty: that is not known
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
  std::int64_t told_tokens = 0;             // of the last model call; 0: not known
  bool compacted = false;                   // and no model was asked since
  std::int64_t deadline_ms = 0;             // of plan.run_timeout_ms, since the epoch; 0: none
  std::int64_t wall_deadline_ms = 0;        // of plan.wall_deadline_ms, as it is now
  std::vector<SentMessage> messages;        // which the next model call will see
  std::vector<std::string> known_messages;  // ids, the oldest first
  std::optional<Hold> hold;
  std::vector<Undoable> undoable;      // in the order of the calls
  int interruptions = 0;               // model calls that a message cut short: they do not count
  std::uint32_t interrupted_step = 0;  // the last of them, until the next call has said so
  bool told_to_mend = false;           // the model knows that an answer was not of its form
  bool to_mend = false;                // and has not answered yet
  std::vector<std::string> loaded;     // tools that were found, in the order in which they were
  std::vector<DetachedCall> detached;  // that are open
  std::vector<DetachedEnd> ended;      // which the next model call will see
  std::optional<Planning> planning;    // none: the agent does not plan
  std::vector<PastCall> past;          // of tools that are watched, the oldest first
  std::vector<std::string> past_lost;  // tools of which not all calls are in `past`
  std::vector<RunAllowance> allowed;   // what people have allowed for the rest of the run
};

// What a run is told when one of its budgets, or of those above it, was raised.
struct BudgetNews {
  BudgetNews() = default;
  std::string run;                    // whose budget it is
  std::int64_t wall_deadline_ms = 0;  // its new end; 0: as it was
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
  Json context;         // an object: what tools bind; null: as stored with the run
  Json notify;          // a list, as in agent.yaml; null: as stored with the run
  bool single = false;  // the agent is of `mode: single`, and the conversation is new
};

struct RunResult {
  RunResult() = default;
  std::string output;
  int iterations = 0;
  Tokens usage;
  bool max_iterations_reached = false;
  std::vector<Undoable> undoable;  // of a sub-agent: the calling run undoes them should it fail
};

void to_json(Json& out, const Caller& value);
void from_json(const Json& in, Caller& value);
void to_json(Json& out, const Tokens& value);
void from_json(const Json& in, Tokens& value);
std::string_view to_string(Stage stage);
void to_json(Json& out, const Stage& value);
void from_json(const Json& in, Stage& value);
void to_json(Json& out, const PlanRules& value);
void from_json(const Json& in, PlanRules& value);
void to_json(Json& out, const Planning& value);
void from_json(const Json& in, Planning& value);
void to_json(Json& out, const Plan& value);
void from_json(const Json& in, Plan& value);
void to_json(Json& out, const Progress& value);
void from_json(const Json& in, Progress& value);
void to_json(Json& out, const BudgetNews& value);
void from_json(const Json& in, BudgetNews& value);
void to_json(Json& out, const RunInput& value);
void from_json(const Json& in, RunInput& value);
void to_json(Json& out, const RunResult& value);
void from_json(const Json& in, RunResult& value);

}  // namespace holdfast::protocol
