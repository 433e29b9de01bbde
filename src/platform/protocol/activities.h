#pragma once

// What the agent workflow and its activities say to each other: an input and a result per activity of
// protocol/names.h. They stand in histories: fields may be added (absent ones take their default); a field
// never changes its meaning.
//
// Values; see protocol/call.h for how reading fails.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/call.h"
#include "protocol/policy.h"
#include "protocol/run.h"

namespace holdfast::protocol {

// ---- kBeginActivity

struct BeginInput {
  BeginInput() = default;
  RunInput run;
};
struct Begun {
  Begun() = default;
  Plan plan;
  ConversationRef head;
  std::vector<std::string> loaded;  // tools that the conversation has found before
  bool takes_up = false;            // calls were made before this run
  bool knows_past = false;          // and these are they; earlier builds did not look
  std::vector<PastCall> past;       // as in Progress
  std::vector<std::string> past_lost;
};

// ---- kModelActivity

// What becomes of an answer that is not of the form that was asked for.
enum class Mending : std::uint8_t {
  kMayBeTold,  // the model is told what is wrong with it, once
  kWasTold,    // it has been: another one fails the run
};

struct ModelInput {
  ModelInput() = default;
  std::string agent;
  std::string version;
  ConversationRef head;
  std::vector<ToolAnswer> answers;
  int iteration = 0;
  std::uint32_t step = 0;
  std::vector<SentMessage> messages;   // behind the answers
  std::uint32_t interrupted_step = 0;  // a call that a message cut short
  std::string role;                    // whose model is asked; empty: the agent's own
  // None: of a run that an earlier version began, where the attempt fails and is repeated.
  std::optional<Mending> mending;
  std::vector<std::string> loaded;  // tools that were found, in the order in which they were
  std::int64_t told_tokens = 0;     // of the run's last call, as its provider counted them; 0: not known
  bool may_compact = false;         // the answer may be ModelTurn::compact
  std::string settings;             // Plan::settings
  std::vector<DetachedEnd> ended;   // behind the answers, before the messages
  // Of an agent that plans: who is asked, and unless that was `told`, what to do.
  std::optional<Planning> planning;
  std::string requester;  // Plan::requester
};

// What schema and policy say about a call.
enum class Verdict : std::uint8_t {
  kAllow,
  kAsk,      // a person decides
  kDeny,     // the model is told
  kInvalid,  // the model must mend it
  kJudge,    // what the run has done before says, when the call is about to be made
};

struct PlannedCall {
  PlannedCall() = default;
  CallRef call;
  std::string kind;  // name of the tool's type; empty: there is no such tool
  Verdict verdict = Verdict::kInvalid;
  std::string reason;
  std::string arguments_sha256;
  std::int64_t expires_after_ms = 0;
  bool approve_on_expiry = false;
  std::int64_t timeout_ms = 0;
  Json retry;
  std::string sub_agent;
  Json input;  // what the workflow needs to make the call itself; null for types that activities run
  bool park_on_failure = false;
  // {"timeout_ms","retry"} of the tool that is asked, or that undoes; null: there is none. `reconcile` has
  // "after_ms", too.
  Json reconcile;
  Json undo;
  std::optional<Detachment> detached;  // it is not waited for
  std::string rule;                    // of the policy, that decided; empty: none did
  std::optional<DecisionTerms> terms;  // none: the first word of anybody decides
};

// Why the model stopped.
enum class StopReason : std::uint8_t {
  kEnd,
  kToolCalls,
  kMaxTokens,  // what it said is not whole
  kStopSequence,
  kOther,   // earlier versions; a reason that is not known fails the call now
  kPaused,  // it wants to be asked again, to go on
};

struct ModelTurn {
  ModelTurn() = default;
  ConversationRef head;
  std::vector<PlannedCall> calls;  // none: the model is done
  Tokens usage;
  std::optional<StopReason> stop;  // none: an earlier version did not say
  bool mend = false;     // the answer is not of its form; the model has been told, and is to be asked again
  bool compact = false;  // no model was asked: the conversation is to be made shorter first
};

// ---- kCompactActivity

struct CompactInput {
  CompactInput() = default;
  std::string agent;
  std::string version;
  ConversationRef head;
  int iteration = 0;
  std::uint32_t step = 0;
};
struct Compacted {
  Compacted() = default;
  ConversationRef head;
  Tokens usage;
};

// ---- kToolActivity

struct ToolInput {
  ToolInput() = default;
  std::string agent;
  std::string version;
  CallRef call;
  std::string completion;        // the call hands out tokens that complete it: the id of the detached call
  std::int64_t deadline_ms = 0;  // of the completion
};

enum class ToolStatus : std::uint8_t {
  kDone,
  kFailed,   // the model is told
  kUnknown,  // it may have had its effect: a person is asked
};

struct ToolResult {
  ToolResult() = default;
  ToolStatus status = ToolStatus::kUnknown;
  std::optional<AnswerSource> source;  // none: kUnknown
  std::string key;
  std::string note;                 // of kUnknown
  std::string carried;              // the result itself, small and pure: it is not stored yet
  std::vector<std::string> loaded;  // tools that the call has found
  int planned_steps = 0;            // of a plan that the call made
  std::optional<bool> approved;     // what the call says of a plan
};

// ---- kToolsActivity: calls of one turn, one behind the other. Each result is stored before the next call
// begins.

struct ToolsInput {
  ToolsInput() = default;
  std::string agent;
  std::string version;
  std::vector<CallRef> calls;
};
// In the order of the calls. Those that are missing were not made. One that is kFailed without a source
// failed at its last attempt: `note` is what the model is told.
struct ToolsResult {
  ToolsResult() = default;
  std::vector<ToolResult> results;
};

// ---- kJoinActivity: what the sub-agents of one call came to is the call's result

enum class MemberEnd : std::uint8_t {
  kCompleted,  // its answer is in the step record of `key`
  kFailed,
  kCanceled,  // nobody waited for it any more
};

struct Member {
  Member() = default;
  std::string agent;
  std::string key;
  std::uint32_t step = 0;
  MemberEnd end = MemberEnd::kFailed;
  std::string error;
};

struct JoinInput {
  JoinInput() = default;
  std::string agent;
  std::string version;
  CallRef call;
  std::string kind;
  bool first = false;  // the answer is that of the first that completed
  std::uint32_t winner = 0;
  std::vector<Member> members;
};

// ---- kReconcileActivity, which answers with a ToolResult, and kUndoActivity

struct EffectInput {
  EffectInput() = default;
  std::string agent;
  std::string version;
  CallRef call;            // whose effect it is about
  std::uint32_t step = 0;  // of the asking, or the undoing
};

enum class UndoStatus : std::uint8_t {
  kUndone,
  kNothing,  // it never took effect
  kFailed,   // it stands: `note` says why
  kUnknown,  // whether it took effect, or whether the undoing did
};

struct UndoResult {
  UndoResult() = default;
  UndoStatus status = UndoStatus::kUnknown;
  std::string note;
};

// ---- kHoldActivity: the run waits, or goes on

struct HoldInput {
  HoldInput() = default;
  std::string agent;
  std::string version;  // which it goes on with
  Hold hold;
  bool released = false;
  std::string by;  // who released it
};

// ---- kPlanActivity: what another version says

struct PlanInput {
  PlanInput() = default;
  std::string agent;
  std::string version;
  std::string settings;  // Plan::settings
};

// ---- kRequestApprovalActivity, kSettleApprovalActivity

struct ApprovalInput {
  ApprovalInput() = default;
  std::string id;
  std::string agent;
  std::string version;
  CallRef call;
  std::string arguments_sha256;
  std::string reason;
  std::int64_t expires_at_ms = 0;
  Json question;  // a HumanQuestion: a person is asked to answer; null: to decide about the call
  std::string rule;
  std::optional<DecisionTerms> terms;
};

enum class ApprovalOutcome : std::uint8_t { kApproved, kRejected, kEdited, kExpired, kAnswered };

struct SettleInput {
  SettleInput() = default;
  std::string id;
  ApprovalOutcome outcome = ApprovalOutcome::kExpired;
  std::string agent;
  std::string version;
  CallRef call;
  std::string edited_arguments;  // of kAnswered: the answer
  std::string decided_by;
  std::string comment;
  std::int64_t decided_at_ms = 0;
  std::vector<Vote> votes;  // more than one were needed
  std::string scope;        // Decision::scope
};

// Of kEdited: the verdict on the new arguments, their key, their hash, and what PlannedCall::input is now.
struct Settled {
  Settled() = default;
  std::optional<Verdict> verdict;
  std::string reason;
  std::string key;
  std::string arguments_sha256;
  Json input;
};

// ---- kJudgeActivity: what the policy says of a call that is about to be made, after what was made before

struct JudgeInput {
  JudgeInput() = default;
  std::string agent;
  std::string version;
  CallRef call;
  std::vector<PastCall> past;
  std::vector<std::string> lost;  // tools of which not all calls are known any more
  std::int64_t now_ms = 0;
  bool asked = false;  // a person has approved it
  std::string requester;
};

struct Judged {
  Judged() = default;
  std::optional<Verdict> verdict;
  std::string reason;
  std::string rule;
  std::int64_t expires_after_ms = 0;
  bool approve_on_expiry = false;
  std::optional<DecisionTerms> terms;
};

// ---- kStepStartedActivity, kStepCompletedActivity: of a call that the workflow makes itself

struct StepInput {
  StepInput() = default;
  CallRef call;
  std::string kind;
  Json details;         // an object: what those who watch see besides, from the start
  std::string text;     // the result, of kStepCompletedActivity
  bool failed = false;  // and it says what went wrong
};

// ---- kFinishActivity

enum class RunEnd : std::uint8_t { kCompleted, kMaxIterations, kFailed, kCanceled };

struct FinishInput {
  FinishInput() = default;
  std::string agent;
  RunEnd status = RunEnd::kFailed;
  ConversationRef head;
  std::vector<ToolAnswer> answers;
  std::string error_type;
  std::string error;
  int iterations = 0;
  Tokens usage;
  std::optional<Caller> caller;
  std::vector<SentMessage> messages;    // which no model call saw; they stay part of the conversation
  std::vector<std::string> not_undone;  // effects that stand though the run did not succeed
  bool held = false;                    // it was: the list of held runs is told
  std::vector<DetachedEnd> ended;       // which no model call saw
};
struct Finished {
  Finished() = default;
  std::string output;
  std::optional<ConversationRef> head;  // with the last answers; none: nothing was added
};

// ---- kSingleActivity, which takes a BeginInput: a run of one model call, from its beginning to its end

struct SingleEnd {
  SingleEnd() = default;
  Begun begun;
  ModelTurn turn;
  std::optional<Finished> finished;  // none: the answer is not the last word
};

std::string_view to_string(Mending mending);
// ---- kNotifyWorkflowType and its kNotifyActivity

// What of a run others are told. The numbers are bits of Plan::notifies.
enum class NotifyEvent : std::uint8_t { kCompleted = 1, kFailed = 2, kApproval = 4, kDecided = 8 };

struct NotifyInput {
  NotifyInput() = default;
  std::string run;
  std::string agent;
  std::string version;
  std::string settings;  // Plan::settings
  std::optional<NotifyEvent> event;
  std::string id;            // the same for every attempt, another for every event of a run
  Json data;                 // an object: what is told besides, an excerpt
  std::uint32_t target = 0;  // of kNotifyActivity: which of those to be told, in the order of their lists
};

// How many are to be told: of kNotifyTargetsActivity.
struct NotifyTargets {
  NotifyTargets() = default;
  std::uint32_t count = 0;
};

std::string_view to_string(Verdict verdict);
std::string_view to_string(StopReason reason);
std::string_view to_string(ToolStatus status);
std::string_view to_string(UndoStatus status);
std::string_view to_string(MemberEnd end);
std::string_view to_string(ApprovalOutcome outcome);
std::string_view to_string(RunEnd end);
std::string_view to_string(NotifyEvent event);

void to_json(Json& out, const BeginInput& value);
void from_json(const Json& in, BeginInput& value);
void to_json(Json& out, const Begun& value);
void from_json(const Json& in, Begun& value);
void to_json(Json& out, const Mending& value);
void from_json(const Json& in, Mending& value);
void to_json(Json& out, const ModelInput& value);
void from_json(const Json& in, ModelInput& value);
void to_json(Json& out, const Verdict& value);
void from_json(const Json& in, Verdict& value);
void to_json(Json& out, const PlannedCall& value);
void from_json(const Json& in, PlannedCall& value);
void to_json(Json& out, const StopReason& value);
void from_json(const Json& in, StopReason& value);
void to_json(Json& out, const ModelTurn& value);
void from_json(const Json& in, ModelTurn& value);
void to_json(Json& out, const CompactInput& value);
void from_json(const Json& in, CompactInput& value);
void to_json(Json& out, const Compacted& value);
void from_json(const Json& in, Compacted& value);
void to_json(Json& out, const ToolInput& value);
void from_json(const Json& in, ToolInput& value);
void to_json(Json& out, const ToolStatus& value);
void from_json(const Json& in, ToolStatus& value);
void to_json(Json& out, const ToolResult& value);
void from_json(const Json& in, ToolResult& value);
void to_json(Json& out, const SingleEnd& value);
void from_json(const Json& in, SingleEnd& value);
void to_json(Json& out, const ToolsInput& value);
void from_json(const Json& in, ToolsInput& value);
void to_json(Json& out, const ToolsResult& value);
void from_json(const Json& in, ToolsResult& value);
void to_json(Json& out, const MemberEnd& value);
void from_json(const Json& in, MemberEnd& value);
void to_json(Json& out, const Member& value);
void from_json(const Json& in, Member& value);
void to_json(Json& out, const JoinInput& value);
void from_json(const Json& in, JoinInput& value);
void to_json(Json& out, const EffectInput& value);
void from_json(const Json& in, EffectInput& value);
void to_json(Json& out, const UndoStatus& value);
void from_json(const Json& in, UndoStatus& value);
void to_json(Json& out, const UndoResult& value);
void from_json(const Json& in, UndoResult& value);
void to_json(Json& out, const HoldInput& value);
void from_json(const Json& in, HoldInput& value);
void to_json(Json& out, const PlanInput& value);
void from_json(const Json& in, PlanInput& value);
void to_json(Json& out, const ApprovalInput& value);
void from_json(const Json& in, ApprovalInput& value);
void to_json(Json& out, const ApprovalOutcome& value);
void from_json(const Json& in, ApprovalOutcome& value);
void to_json(Json& out, const SettleInput& value);
void from_json(const Json& in, SettleInput& value);
void to_json(Json& out, const Settled& value);
void from_json(const Json& in, Settled& value);
void to_json(Json& out, const JudgeInput& value);
void from_json(const Json& in, JudgeInput& value);
void to_json(Json& out, const Judged& value);
void from_json(const Json& in, Judged& value);
void to_json(Json& out, const StepInput& value);
void from_json(const Json& in, StepInput& value);
void to_json(Json& out, const RunEnd& value);
void from_json(const Json& in, RunEnd& value);
void to_json(Json& out, const FinishInput& value);
void from_json(const Json& in, FinishInput& value);
void to_json(Json& out, const Finished& value);
void from_json(const Json& in, Finished& value);
void to_json(Json& out, const NotifyEvent& value);
void from_json(const Json& in, NotifyEvent& value);
void to_json(Json& out, const NotifyInput& value);
void from_json(const Json& in, NotifyInput& value);
void to_json(Json& out, const NotifyTargets& value);
void from_json(const Json& in, NotifyTargets& value);

}  // namespace holdfast::protocol
