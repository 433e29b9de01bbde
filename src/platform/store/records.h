#pragma once

// The records of the platform store, as plain values. JSON travels as text: the store neither parses nor
// rewrites it (only the hashes look at its bytes), so what was put in comes out byte for byte.
//
// `run` is always the id that a user sees, which is the workflow id. Every type declares a constructor,
// because a coroutine may pass it (g++ before 14 mishandles aggregate temporaries inside co_await).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/seams.h"
#include "platform/budget.h"
#include "platform/flow.h"
#include "protocol/call.h"

namespace holdfast::platform {

// ---- conversations

using Reference = protocol::ConversationRef;

struct Message {
  Message() = default;
  std::uint32_t branch = 0;  // where it was appended; below the fork this is an ancestor of the branch read
  std::uint64_t sequence = 0;
  std::string json;            // role, content parts, tool calls, tool results: model/message.h has the form
  std::string content_sha256;  // of `json`
  std::string chain_sha256;    // Reference::sha256 after this message
  WallTime at{};
};

struct Appended {
  Appended() = default;
  Reference head;
  // The head of the expected branch had moved on: the messages are on a new branch, forked at the expected
  // reference.
  bool branch_opened = false;
};

// ---- audit

inline constexpr std::string_view kApprovalDecided = "approval.decided";
inline constexpr std::string_view kApprovalLost = "approval.lost";
inline constexpr std::string_view kLabelSet = "label.set";
inline constexpr std::string_view kLabelPromoted = "label.promoted";
inline constexpr std::string_view kLabelRolledBack = "label.rolled_back";
inline constexpr std::string_view kRunStarted = "run.started";
inline constexpr std::string_view kRunEnded = "run.ended";
inline constexpr std::string_view kRunMessage = "run.message";
// Somebody has asked for it; what came of it is in the run's own end and events.
inline constexpr std::string_view kRunPause = "run.pause_requested";
inline constexpr std::string_view kRunResume = "run.resume_requested";
inline constexpr std::string_view kRunFail = "run.fail_requested";
inline constexpr std::string_view kRunCancel = "run.cancel_requested";
inline constexpr std::string_view kRunTerminate = "run.terminate_requested";
inline constexpr std::string_view kRunDelete = "run.delete_requested";
inline constexpr std::string_view kBudgetRaised = "budget.raised";

struct AuditRow {
  AuditRow() = default;
  std::int64_t id = 0;  // set by the store
  WallTime at{};        // set by the store
  std::string actor;
  std::string action;   // kApprovalDecided, kApprovalLost, or the writer's own
  std::string subject;  // an approval, a run, a definition
  std::string detail;   // JSON
};

// ---- usage

// What one model call or one tool call used. `key` makes it count once: a retry that finds its key writes
// nothing.
struct Usage {
  Usage() = default;
  std::string key;
  std::string run;
  std::string agent;
  std::string version;  // of the definition
  std::string provider;
  std::string model;
  std::string tool;  // of a tool call; empty: a model call
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t cached_input_tokens = 0;  // part of input_tokens
  std::int64_t cache_write_tokens = 0;   // part of input_tokens
  std::int64_t reasoning_tokens = 0;     // part of output_tokens
  std::optional<std::int64_t> cost;      // nano-dollars; none: unpriced, which is not nothing
  std::string price_as_of;               // YYYY-MM-DD; empty: unpriced
  bool uncounted = false;                // nobody counted: the tokens are bytes of text
  WallTime at{};                         // set by the store
};

// ---- steps

// What one activity leaves behind, in one transaction: the messages it adds, its result and what it used.
// `key` is the same on every attempt, so that an attempt after a crash finds the record and does nothing
// twice.
struct StepWrite {
  StepWrite() = default;
  std::string key;
  std::string run;
  std::optional<Reference> expected;  // where to append; none: the step adds no messages
  std::vector<std::string> messages;  // JSON
  bool at_head_only = false;          // ABORTED rather than a branch, when the head has moved on
  std::string result;                 // JSON, given back to later attempts
  std::vector<Usage> usage;
  std::string settles;                    // the reservation that the usage was made under; empty: none
  std::optional<AccountOpening> account;  // of the run, which this step begins
  std::vector<AuditRow> said;             // into the record, when the step is written
};

struct StepRecord {
  StepRecord() = default;
  std::string key;
  std::string run;
  std::string result;
  std::optional<Appended> appended;
  bool replayed = false;  // an earlier attempt wrote it; nothing of this StepWrite was used
  WallTime at{};
};

// A run whose history was deleted, and with it what was kept for that history alone.
struct GoneHistory {
  GoneHistory() = default;
  std::string run;
  std::string status;  // how the run ended, in the words of its log; empty: nobody wrote it down
  std::optional<WallTime> closed_at;
  WallTime at{};  // when it was found gone; set by the store
};

// ---- effects

using Effect = protocol::Effect;

struct EffectIntent {
  EffectIntent() = default;
  std::string key;  // the call's idempotency key
  std::string run;
  std::string tool;
  Effect effect = Effect::kIdempotent;
  std::string arguments_sha256;
  // Booked with the intent: the call counts from here on, whatever becomes of it.
  std::optional<Usage> usage;
};

enum class EffectState : std::uint8_t {
  kFresh = 0,    // no attempt before this one: do it
  kUnknown = 1,  // an intent without settlement: an attempt may or may not have had its effect
  kSettled = 2,  // done: `result` is what it answered
};

struct EffectRecord {
  EffectRecord() = default;
  EffectIntent intent;
  EffectState state = EffectState::kFresh;
  // Counts the begins: the fencing token of this attempt.
  std::int64_t fence = 0;
  bool succeeded = false;
  std::string result;  // JSON, once settled
  WallTime begun_at{};
  WallTime settled_at{};
};

// ---- approvals

enum class ApprovalStatus : std::uint8_t {
  kPending = 0,
  kApproved = 1,
  kRejected = 2,
  kExpired = 3,
  kEdited = 4,
  kAnswered = 5,
};
std::string_view to_string(ApprovalStatus status);  // "pending", "approved", ...
std::optional<ApprovalStatus> approval_status(std::string_view word);

struct Approval {
  Approval() = default;
  std::string id;
  std::string run;
  std::string agent;
  std::string tool;
  std::string arguments;         // canonical JSON
  std::string arguments_sha256;  // of those bytes; the store computes it when empty and refuses a wrong one
  std::string reason;            // why a human is asked
  WallTime requested_at{};       // set by the store when zero
  std::optional<WallTime> expires_at;
  ApprovalStatus status = ApprovalStatus::kPending;
  std::string decided_by;
  std::optional<WallTime> decided_at;
  std::string comment;
  std::string edited_arguments;  // kEdited: what is executed instead; kAnswered: the answer
  std::string question;          // JSON of what a person is asked; empty: whether the call may be made
};

struct ApprovalFilter {
  ApprovalFilter() = default;
  std::optional<ApprovalStatus> status;
  std::string run;            // empty: every run
  std::string after;          // id of the last row of the page before; empty: the first page
  std::uint32_t limit = 100;  // at most kMaxPage
};

// One person's attempt to decide. It is stored before the Update is sent, and sent again under the same
// update id until the workflow has answered: an admitted Update lives in the engine's memory only.
struct DecisionAttempt {
  DecisionAttempt() = default;
  std::string update_id;
  std::string approval;
  ApprovalStatus decision = ApprovalStatus::kApproved;  // not kPending, not kExpired
  std::string arguments_sha256;                         // what the person saw
  std::string edited_arguments;
  std::string decided_by;
  std::string comment;
  WallTime at{};  // set by the store
};

// ---- turns of conversations

// The place of a run in the line of those that go on in one conversation.
struct Turn {
  Turn() = default;
  std::string conversation;
  std::string run;
  WallTime at{};            // when it came
  bool over = false;        // it has left the line
  std::string first;        // whose turn it is: the run's own id, when it is this one's
  std::uint32_t ahead = 0;  // who stand before it, as far as kMaxCountedAhead
  bool began = false;       // it has said its first message
  // The run that the conversation is named after has spoken in it, and stands in no line: who has a
  // conversation of his own does not queue for it, and is first for as long as he is open.
  bool behind_owner = false;
};
inline constexpr std::uint32_t kMaxCountedAhead = 100;

// ---- runs and definitions

struct StartIntent {
  StartIntent() = default;
  std::string run;  // the caller's choice; empty: the store makes one
  std::string agent;
  std::string definition_hash;  // the version that the run keeps
  std::string input;            // JSON
  std::string conversation;     // goes on in that one; empty: one of its own, named like the run
  std::string idempotency_key;  // optional
  // JSON, keys sorted: what the run is given besides, which its agent reads; empty: nothing.
  std::string settings;
  std::optional<FlowPlace> flow;  // the line that it comes to; its run is set by the store
  std::string environment;  // the label that it is started by; empty: none. No part of what is asked for
  std::string started_by;   // for the record; empty: this server
  // Messages that its conversation begins with, JSON; one that is there already stays as it is. Not part of
  // the fingerprint: they are named by `conversation`.
  std::vector<std::string> history;
  // False: what is stored of the run, and of those that it calls, goes once it is over (docs/adr/0093).
  bool keep = true;
  // Two starts with the same run id or key are the same request when this is equal. Empty: hash of agent,
  // input and settings.
  std::string fingerprint;
};

// What a page of runs carries of each input: an input may have megabytes, a page hundreds of runs.
inline constexpr std::size_t kMaxListedInput = 4096;

struct RunRecord {
  RunRecord() = default;
  std::string run;
  std::string agent;
  std::string definition_hash;
  std::string input;            // JSON; in a page of runs at most its first kMaxListedInput characters
  std::size_t input_bytes = 0;  // of all of it
  std::string conversation;     // the one it was started for; empty: its own
  std::string idempotency_key;
  std::string request_id;     // of StartWorkflowExecution: the run id
  std::string engine_run_id;  // empty until the engine has answered
  WallTime created_at{};
  std::optional<WallTime> started_at;
};

struct Started {
  Started() = default;
  RunRecord run;
  bool created = false;  // false: the same request was here before; `run` is what it made
};

// A run of which nothing is kept that was said in it.
struct UnkeptRun {
  UnkeptRun() = default;
  std::string run;
  std::string root;  // that was started so; the run itself, unless it was called by one
  WallTime at{};
  std::optional<WallTime> forgotten_at;  // its contents are gone
};

struct RunFilter {
  RunFilter() = default;
  std::string agent;          // empty: every agent
  std::string after;          // run id of the last row of the page before; newest first
  std::uint32_t limit = 100;  // at most kMaxPage
};

struct Definition {
  Definition() = default;
  std::string name;
  std::string hash;  // sha256 of `text`, hex: the version
  std::string text;  // the YAML as written
  bool current = false;
  WallTime at{};
};

// ---- labels

// How a label came to name its version.
enum class LabelHow : std::uint8_t {
  kSet = 0,         // to a version
  kPromoted = 1,    // to the version of another label
  kRolledBack = 2,  // to the one before
};

// A label of an agent ("production") and the version that it names. Each move of it is a row.
struct Label {
  Label() = default;
  std::string agent;
  std::string label;
  std::uint64_t move = 0;  // counts from 1
  std::string hash;
  std::string previous;    // the version before the move; empty: there was none
  std::uint64_t back = 0;  // the move that gave the version which a rollback takes; 0: there is none
  LabelHow how = LabelHow::kSet;
  std::string source;  // kPromoted: the other label
  std::string actor;
  std::string comment;
  WallTime at{};
};

struct LabelMove {
  LabelMove() = default;
  std::string agent;
  std::string label;
  std::uint64_t seen = 0;  // the move that the caller saw; 0: there was no such label
  LabelHow how = LabelHow::kSet;
  std::string hash;    // where to; a rollback has none
  std::string source;  // kPromoted: must name `hash`
  std::string actor;
  std::string comment;
};

struct MovedLabel {
  MovedLabel() = default;
  Label label;
  bool moved = false;  // false: it named that version already
};

}  // namespace holdfast::platform
