#pragma once

// What travels between the agent workflow, its activities and those who talk to a run. All of it ends up in
// histories, so it carries references and hashes, never the conversation: the cost of a turn does not grow
// with the turns before. Fields may be added (absent ones take their default); a field never changes its
// meaning.
//
// Every type declares a constructor: see holdfast/payload.h.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace holdfast::protocol {

using Json = nlohmann::json;

inline constexpr const char* kWorkflowType = "agent";
inline constexpr const char* kAgentQueue =
    "holdfast-agents";  // workflows, and their short bookkeeping activities
inline constexpr const char* kModelQueue = "holdfast-models";
inline constexpr const char* kToolQueue = "holdfast-tools";

// Names of messages that a run understands.
inline constexpr const char* kDecideUpdate = "decide";
inline constexpr const char* kStatusQuery = "status";

// Behaviour of the loop that later versions may change. A run keeps the flags it started with; numbers are
// never reused.
inline constexpr std::uint32_t kLoopFlags = 0;

inline constexpr int kMaxAgentDepth = 8;
inline constexpr int kIterationsPerRun = 100;  // then the run continues as new, with an empty history

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
};

// How a sub-agent reaches the call it answers.
struct Caller {
  Caller() = default;
  std::string run;
  std::string agent;
  std::string version;
  CallRef call;
  int depth = 0;  // of the sub-agent
};

struct Usage {
  Usage() = default;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
};

// The answer to a call, on its way into the conversation: where its text is, or a short text itself.
struct Answer {
  Answer() = default;
  std::uint32_t ordinal = 0;
  std::string id;
  std::string source;  // "step" or "effect": the record under `key`; "error": `text`
  std::string key;
  std::string text;
  std::uint32_t step = 0;  // of an "error" that ended a step; 0: the call never became one
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
};

// What a run takes along when it continues as new.
struct Progress {
  Progress() = default;
  Plan plan;
  ConversationRef head;
  std::vector<Answer> answers;
  int iteration = 0;
  std::uint32_t step = 0;
  Usage usage;
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
};

struct RunResult {
  RunResult() = default;
  std::string output;
  int iterations = 0;
  Usage usage;
  bool max_iterations_reached = false;
};

// ---- activities

struct BeginInput {
  BeginInput() = default;
  RunInput run;
};
struct Begun {
  Begun() = default;
  Plan plan;
  ConversationRef head;
};

struct ModelInput {
  ModelInput() = default;
  std::string agent;
  std::string version;
  ConversationRef head;
  std::vector<Answer> answers;
  int iteration = 0;
  std::uint32_t step = 0;
};
struct PlannedCall {
  PlannedCall() = default;
  CallRef call;
  std::string kind;     // "http", "sql", "agent"
  std::string verdict;  // "allow", "ask", "deny"; "invalid": the model must mend it
  std::string reason;
  std::string arguments_sha256;
  std::int64_t expires_after_ms = 0;
  bool approve_on_expiry = false;
  std::int64_t timeout_ms = 0;
  Json retry;
  std::string sub_agent;
};
struct ModelTurn {
  ModelTurn() = default;
  ConversationRef head;
  std::vector<PlannedCall> calls;  // none: the model is done
  Usage usage;
  std::string
      stop;  // why the model stopped, as model::stop_reason_name; empty: an earlier version did not say
};
inline constexpr const char* kCutOff = "max_tokens";  // ModelTurn::stop of an answer that is not whole

struct ToolInput {
  ToolInput() = default;
  std::string agent;
  std::string version;
  CallRef call;
};
struct ToolResult {
  ToolResult() = default;
  std::string status;  // "done", "failed" (the model is told), "unknown" (a person is asked)
  std::string source;  // as Answer::source
  std::string key;
  std::string note;  // of "unknown"
};

struct ApprovalInput {
  ApprovalInput() = default;
  std::string id;
  std::string agent;
  std::string version;
  CallRef call;
  std::string arguments_sha256;
  std::string reason;
  std::int64_t expires_at_ms = 0;
};
struct SettleInput {
  SettleInput() = default;
  std::string id;
  std::string outcome;  // "approved", "rejected", "edited", "expired"
  std::string agent;
  std::string version;
  CallRef call;
  std::string edited_arguments;
  std::string decided_by;
  std::string comment;
  std::int64_t decided_at_ms = 0;
};
// For "edited": the verdict on the new arguments, their key and their hash.
struct Settled {
  Settled() = default;
  std::string verdict;
  std::string reason;
  std::string key;
  std::string arguments_sha256;
};

struct FinishInput {
  FinishInput() = default;
  std::string agent;
  std::string status;  // "completed", "max_iterations", "failed", "canceled"
  ConversationRef head;
  std::vector<Answer> answers;
  std::string error_type;
  std::string error;
  int iterations = 0;
  Usage usage;
  std::optional<Caller> caller;
};
struct Finished {
  Finished() = default;
  std::string output;
};

// ---- the `decide` update

struct Decision {
  Decision() = default;
  std::string approval;
  std::string decision;          // "approve", "reject", "edit"
  std::string arguments_sha256;  // what the person saw
  Json edited_arguments;         // "edit": an object
  std::string decided_by;
  std::string comment;
};
// Types of the ApplicationFailure with which `decide` is rejected.
inline constexpr const char* kApprovalNotFound = "ApprovalNotFound";
inline constexpr const char* kApprovalDecided = "ApprovalDecided";
inline constexpr const char* kApprovalExpired = "ApprovalExpired";
inline constexpr const char* kApprovalMismatch = "ApprovalMismatch";
inline constexpr const char* kInvalidDecision = "InvalidDecision";

// ---- the `status` query: a JSON object
//   {"agent","version","phase":"starting|model|tools|approval|finishing|done","iteration","max_iterations","step",
//    "usage":{...},"conversation":{...},
//    "approvals":[{"id","tool","arguments_sha256","reason","expires_at_ms"}],
//    "calls":[{"step","tool","state"}]}

// Hash of the canonical arguments and all that makes a call the one it is; the same on every attempt.
std::string idempotency_key(std::string_view namespace_name, const ConversationRef& message,
                            std::uint32_t ordinal, std::string_view tool,
                            std::string_view canonical_arguments);

void to_json(Json& out, const ConversationRef& value);
void from_json(const Json& in, ConversationRef& value);
void to_json(Json& out, const CallRef& value);
void from_json(const Json& in, CallRef& value);
void to_json(Json& out, const Caller& value);
void from_json(const Json& in, Caller& value);
void to_json(Json& out, const Usage& value);
void from_json(const Json& in, Usage& value);
void to_json(Json& out, const Answer& value);
void from_json(const Json& in, Answer& value);
void to_json(Json& out, const Plan& value);
void from_json(const Json& in, Plan& value);
void to_json(Json& out, const Progress& value);
void from_json(const Json& in, Progress& value);
void to_json(Json& out, const RunInput& value);
void from_json(const Json& in, RunInput& value);
void to_json(Json& out, const RunResult& value);
void from_json(const Json& in, RunResult& value);
void to_json(Json& out, const BeginInput& value);
void from_json(const Json& in, BeginInput& value);
void to_json(Json& out, const Begun& value);
void from_json(const Json& in, Begun& value);
void to_json(Json& out, const ModelInput& value);
void from_json(const Json& in, ModelInput& value);
void to_json(Json& out, const PlannedCall& value);
void from_json(const Json& in, PlannedCall& value);
void to_json(Json& out, const ModelTurn& value);
void from_json(const Json& in, ModelTurn& value);
void to_json(Json& out, const ToolInput& value);
void from_json(const Json& in, ToolInput& value);
void to_json(Json& out, const ToolResult& value);
void from_json(const Json& in, ToolResult& value);
void to_json(Json& out, const ApprovalInput& value);
void from_json(const Json& in, ApprovalInput& value);
void to_json(Json& out, const SettleInput& value);
void from_json(const Json& in, SettleInput& value);
void to_json(Json& out, const Settled& value);
void from_json(const Json& in, Settled& value);
void to_json(Json& out, const FinishInput& value);
void from_json(const Json& in, FinishInput& value);
void to_json(Json& out, const Finished& value);
void from_json(const Json& in, Finished& value);
void to_json(Json& out, const Decision& value);
void from_json(const Json& in, Decision& value);

}  // namespace holdfast::protocol
