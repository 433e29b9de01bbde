#pragma once

// Store: what the platform must not lose and the engine does not keep: conversations, step results, effects,
// approvals, start intents, definitions, usage and audit. SQLite implements it
// (platform_sqlite/sqlite_store.h), and so does PostgreSQL (platform_postgres/postgres_store.h). Token
// streams and run events are next door (platform/streams.h).
//
// Thread-safe. Every call blocks; a write has reached the disk when it returns OK, and concurrent writes
// share one sync. Call it from activities and request handlers, never from an engine shard.
//
// Failures: INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS and FAILED_PRECONDITION speak about the request and
// have changed nothing. Trouble with the file itself carries a StorageFault, read with fault_of().

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/storage_fault.h"
#include "holdfast/status.h"
#include "platform/blobs.h"
#include "platform/completions.h"
#include "platform/flow.h"
#include "platform/held_runs.h"
#include "platform/memory.h"
#include "platform/records.h"

namespace holdfast::platform {

inline constexpr std::uint32_t kMaxPage = 1000;
inline constexpr std::size_t kMaxMessageBytes = 16 << 20;  // one message, step result or input
inline constexpr std::size_t kMaxMessagesPerStep = 1000;
inline constexpr std::size_t kMaxListedText = 1 << 20;  // of definitions, before the last one of a page
inline constexpr std::size_t kMaxLabels = 64;           // of one agent

class Store {
 public:
  virtual ~Store() = default;

  // ---- conversations

  // The empty conversation, branch 0. Making one that exists is no error. Nothing is written before the first
  // append.
  static Reference empty_conversation(std::string conversation);

  // Appends after `expected` if that is the head of its branch; otherwise opens a branch there. A reference
  // whose hash is not that of the stored message is FAILED_PRECONDITION. For steps use commit_step: it is
  // safe to repeat.
  virtual Result<Appended> append(const Reference& expected, const std::vector<std::string>& messages) = 0;

  // NOT_FOUND when nothing was ever appended to the branch.
  virtual Result<Reference> head(std::string_view conversation, std::uint32_t branch) = 0;

  // Messages first..last (inclusive, from 1) as seen from `at`, through its ancestors; `last` is cut at
  // at.sequence, and at most kMaxPage messages come back. FAILED_PRECONDITION when the reference does not fit
  // what is stored, RESOURCE_EXHAUSTED when the messages are too large together: ask for fewer.
  virtual Result<std::vector<Message>> read(const Reference& at, std::uint64_t first = 1,
                                            std::uint64_t last = ~0ULL) = 0;

  // ---- steps

  virtual Result<std::optional<StepRecord>> lookup_step(std::string_view key) = 0;
  // Everything in `write` or nothing; a key that is recorded already gives its record back (`replayed`).
  virtual Result<StepRecord> commit_step(const StepWrite& write) = 0;
  // Forgets step records, settled effects and blobs of runs whose histories are gone, and keeps how those
  // ended that have a record, all at once (docs/adr/0025). Messages stay, but those of a run that is not
  // kept; of that the input, settings and the conversation go, too, unless another run came to it. Repeating
  // it changes nothing.
  virtual Status forget_histories(const std::vector<GoneHistory>& gone) = 0;
  // None: as far as anybody knows, the run's history is there.
  virtual Result<std::optional<GoneHistory>> gone_history(std::string_view run) = 0;

  // ---- effects

  // Writes the intent before the effect. Says whether an attempt came before: kFresh, kUnknown or kSettled.
  // FAILED_PRECONDITION when the key is known with another tool, class or arguments.
  virtual Result<EffectRecord> begin_effect(const EffectIntent& intent) = 0;
  // The first settlement stands; a later one gives the stored record back.
  virtual Result<EffectRecord> settle_effect(std::string_view key, bool succeeded,
                                             std::string_view result) = 0;
  // none: no intent was ever written, so the effect cannot have happened.
  virtual Result<std::optional<EffectRecord>> lookup_effect(std::string_view key) = 0;

  // ---- approvals

  // The same id with the same run, tool and arguments gives the stored row back; otherwise ALREADY_EXISTS.
  virtual Result<Approval> request_approval(const Approval& approval) = 0;
  virtual Result<Approval> approval(std::string_view id) = 0;
  // Newest request first.
  virtual Result<std::vector<Approval>> approvals(const ApprovalFilter& filter) = 0;
  // Stores the attempt, to be sent. FAILED_PRECONDITION, and an audit row, when the approval is decided or
  // expired, or the arguments are not the ones asked about. The same update id and decision again is no
  // error.
  virtual Result<Approval> begin_decision(const DecisionAttempt& attempt) = 0;
  // Attempts that have no answer yet, oldest first, kMaxPage at most: send them again after a restart.
  // `after`: the update id of the last one on the page before.
  virtual Result<std::vector<DecisionAttempt>> unanswered_decisions(std::string_view after = {}) = 0;
  // The workflow's answer. Won: the approval gets the attempt's status. Lost: audited with `why`.
  virtual Result<Approval> finish_decision(std::string_view update_id, bool won, std::string_view why) = 0;
  // What the workflow knows to be true, written by its own activity (expiry, too). Repeating it is no error;
  // another outcome than the stored one is FAILED_PRECONDITION. `decided_at` is the store's now when absent.
  virtual Result<Approval> settle_approval(const Approval& outcome) = 0;

  // ---- runs

  // Commits the intent; the caller then starts the workflow with request id = run id. The same request again
  // gives the same run; another request under the same run id or idempotency key is ALREADY_EXISTS.
  virtual Result<Started> start_run(const StartIntent& intent) = 0;
  virtual Status mark_started(std::string_view run, std::string_view engine_run_id) = 0;
  // Intents older than `before` that the engine has not confirmed, oldest first: the reconciler starts them.
  // `after`: the last run of the page before.
  virtual Result<std::vector<RunRecord>> unstarted_runs(WallTime before, std::uint32_t limit,
                                                        std::string_view after = {}) = 0;
  virtual Result<RunRecord> run(std::string_view run) = 0;
  // Newest first, with what a page shows of an input. Status is the engine's to tell.
  virtual Result<std::vector<RunRecord>> runs(const RunFilter& filter) = 0;

  // ---- runs that are not kept (docs/adr/0093). A run that one of them calls is none either, from the step
  // that opens its account on.

  // None: it is kept, or there is none.
  virtual Result<std::optional<UnkeptRun>> unkept_run(std::string_view run) = 0;
  // Those whose contents are there still, by run id. `root`: with what that one called; empty: all. `after`:
  // the last one of the page before.
  virtual Result<std::vector<UnkeptRun>> unkept_runs(std::string_view root, std::string_view after,
                                                     std::uint32_t limit) = 0;
  // A workflow that a run has begun beside it, and that knows what it said: not kept either, if the run is
  // not.
  virtual Status keep_as(std::string_view workflow, std::string_view run) = 0;

  // ---- definitions

  // Stores the text and makes it the current version of `name`. The hash is of the text alone.
  virtual Result<Definition> put_definition(std::string_view name, std::string_view text) = 0;
  virtual Result<Definition> definition(std::string_view name, std::string_view hash) = 0;
  virtual Result<Definition> current_definition(std::string_view name) = 0;
  // The current versions, by name, behind `after`. A page that has kMaxListedText of texts is full.
  virtual Result<std::vector<Definition>> definitions(std::string_view after = {},
                                                      std::uint32_t limit = kMaxPage) = 0;
  // Newest first, without their texts. `after`: the hash of the last one on the page before.
  virtual Result<std::vector<Definition>> definition_versions(std::string_view name,
                                                              std::uint32_t limit = kMaxPage,
                                                              std::string_view after = {}) = 0;

  // ---- usage and audit

  virtual Status record_usage(const Usage& usage) = 0;
  // Of the run alone; its account (below) has what those below it used, too.
  virtual Result<UsageTotal> usage_of_run(std::string_view run) = 0;
  virtual Status audit(const AuditRow& row) = 0;
  // Newest first; `subject` empty: all.
  virtual Result<std::vector<AuditRow>> audit_rows(std::string_view subject, std::uint32_t limit) = 0;

  // ---- labels of versions

  // Makes a label name a version, with an audit row. One that names it already stays as it is. ABORTED when
  // the label, or the one that its version is taken from, is not as the caller saw it; NOT_FOUND when there
  // is no such version; FAILED_PRECONDITION when there is nothing to roll back to; RESOURCE_EXHAUSTED beyond
  // kMaxLabels.
  virtual Result<MovedLabel> move_label(const LabelMove& move) = 0;
  virtual Result<std::optional<Label>> label(std::string_view agent, std::string_view label) = 0;
  // Of one agent, by name.
  virtual Result<std::vector<Label>> labels(std::string_view agent) = 0;
  // Newest first. `before`: the last move of the page before; 0: from the newest on.
  virtual Result<std::vector<Label>> label_moves(std::string_view agent, std::string_view label,
                                                 std::uint64_t before, std::uint32_t limit) = 0;
  // The hashes that begin so, at most two of them: whether one does, and whether it is the only one.
  virtual Result<std::vector<std::string>> versions_beginning(std::string_view agent,
                                                              std::string_view digits) = 0;

  // ---- runs that wait, and runs that take up others

  // The last word counts. Repeating either is no error.
  virtual Status hold_run(const HeldRun& held) = 0;
  virtual Status release_run(std::string_view run) = 0;
  virtual Result<std::optional<HeldRun>> held_run(std::string_view run) = 0;
  // By run id.
  virtual Result<std::vector<HeldRun>> held_runs(const HeldFilter& filter) = 0;
  // The first one stands, and is what comes back.
  virtual Result<Origin> put_origin(const Origin& origin) = 0;
  virtual Result<std::optional<Origin>> origin(std::string_view run) = 0;

  // ---- budgets, usage by day, bills (platform/budget.h)

  // None: the run began before there were accounts, or has not begun.
  virtual Result<std::optional<Account>> account(std::string_view run) = 0;
  // In the order of the runs; kMaxPage at most.
  virtual Result<std::vector<std::optional<Account>>> accounts(const std::vector<std::string>& runs) = 0;
  // Holds what a call may use at most in the account of its run and those above it, or in none of them. The
  // same key again is the same reservation. `books`: of a tool call, which is booked at once, and holds
  // nothing.
  virtual Result<Reserved> reserve(const Reservation& wanted,
                                   const std::optional<Usage>& books = std::nullopt) = 0;
  // Ends a reservation behind what was used, if anything was. Repeating it is no error.
  virtual Status settle_reservation(std::string_view key, const std::vector<Usage>& used = {}) = 0;
  // INVALID_ARGUMENT for a limit that the run does not have, or that would be lowered.
  virtual Result<Raised> raise_budget(const Raise& wanted) = 0;
  virtual Result<UsageReport> usage_report(const UsageQuery& query) = 0;
  // What the run and those below it used, as it is now; the first bill of a run stands and is given back.
  virtual Result<Bill> write_bill(const Bill& ended) = 0;
  virtual Result<std::optional<Bill>> bill(std::string_view run) = 0;

  // ---- blobs: large outputs of a run, kept as long as its history

  // Keeps a content under its hash; what is kept already is not written again. RESOURCE_EXHAUSTED: the run
  // would hold more than kMaxBlobBytesOfRun.
  virtual Result<Blob> put_blob(const BlobWrite& blob) = 0;
  // One that the run refers to; or, when `conversation` is given, another run of that conversation. `id`: its
  // hash, or what it begins with. NOT_FOUND, too, while it is still being written.
  virtual Result<Blob> blob(std::string_view run, std::string_view conversation, std::string_view id) = 0;
  // A part of a content, shorter at its end; empty behind it. kMaxBlobRead at most.
  virtual Result<std::string> read_blob(std::string_view sha256, std::uint64_t offset,
                                        std::size_t length) = 0;

  // ---- memory: what agents remember, per subject

  // A new version of the entry, or its first. RESOURCE_EXHAUSTED: the limits of the subject. A repeated key,
  // and a text that is there already, change nothing and give the entry back.
  virtual Result<MemoryEntry> remember(const MemoryWrite& write) = 0;
  // Whether there was such an entry. Its texts go, in all versions; that there was one stays.
  virtual Result<bool> forget_memory(std::string_view subject, std::string_view name) = 0;
  // The entries that fit best, best first.
  virtual Result<std::vector<MemoryEntry>> search_memory(std::string_view subject, std::string_view query,
                                                         std::uint32_t limit) = 0;
  // By name; `after`: the last name of the page before.
  virtual Result<std::vector<MemoryEntry>> memories(std::string_view subject, std::string_view after,
                                                    std::uint32_t limit) = 0;
  // Of one entry, the newest first. None when there never was one.
  virtual Result<std::vector<MemoryEntry>> memory_versions(std::string_view subject,
                                                           std::string_view name) = 0;
  // Those with entries, by name.
  virtual Result<std::vector<MemorySubject>> memory_subjects(std::string_view after, std::uint32_t limit) = 0;
  // Everything about the subject goes, and `row` says who did it, at once. How many entries there were.
  virtual Result<std::int64_t> erase_memory(std::string_view subject, const AuditRow& row) = 0;

  // ---- turns: runs on one conversation, one behind the other (docs/adr/0054). A start for a conversation
  // takes the run's place in its line.

  // Its place; at the end of the line when it stood in none, or in another conversation's, which it leaves.
  virtual Result<Turn> take_turn(std::string_view conversation, std::string_view run) = 0;
  // The conversation whose line it left; empty: it stood in none. The record that it was there stays.
  virtual Result<std::string> leave_turn(std::string_view run) = 0;
  // None: it never stood in a line.
  virtual Result<std::optional<Turn>> turn(std::string_view run) = 0;
  // Who came to the conversation, newest first. `after`: the last run of the page before.
  virtual Result<std::vector<Turn>> turns(std::string_view conversation, std::string_view after,
                                          std::uint32_t limit) = 0;

  // ---- flow control: runs of an agent that have a key in common (docs/adr/0058). A start takes the run's
  // place in its line.

  // Its place, at the end of the line when it has none; and if its rules let it, it begins by that.
  // RESOURCE_EXHAUSTED with flow_refusal(): it is not taken.
  virtual Result<FlowTurn> take_flow(const FlowPlace& place) = 0;
  // The line that it left; empty: it stood in none. The record that it was there stays.
  virtual Result<std::string> leave_flow(std::string_view run) = 0;
  // None: it never stood in a line.
  virtual Result<std::optional<FlowTurn>> flow_turn(std::string_view run) = 0;
  // Who came to the line, newest first. `after`: the last run of the page before.
  virtual Result<std::vector<FlowRow>> flow_line(std::string_view line, std::string_view after,
                                                 std::uint32_t limit) = 0;

  // ---- completions: calls that somebody outside ends (docs/adr/0058)

  // Opens it, if it is not there, and gives one more token for it; of one that has ended a token that is no
  // good. RESOURCE_EXHAUSTED: beyond kMaxCompletionTokens.
  virtual Result<OpenedCompletion> open_completion(const CompletionOpening& opening) = 0;
  // The first one stands, and the same again is the same. NOT_FOUND: no call waits for that token;
  // OUT_OF_RANGE: its time is over; FAILED_PRECONDITION: its run is; ALREADY_EXISTS: something else was said.
  virtual Result<Completion> complete(const CompletionAttempt& attempt) = 0;
  // By the run, which takes what was said; if nobody said anything, it ends as kExpired or kClosed. None: it
  // was never opened.
  virtual Result<std::optional<Completion>> end_completion(std::string_view id, CompletionState as) = 0;
  virtual Result<std::optional<Completion>> completion(std::string_view id) = 0;
  // Completed, and their runs have not taken it yet; by id.
  virtual Result<std::vector<Completion>> untold_completions(std::string_view after, std::uint32_t limit) = 0;

  // ---- settings of runs

  // StartIntent::settings of that run; empty when it had none, or there is no such run.
  virtual Result<std::string> run_settings(std::string_view run) = 0;
};

}  // namespace holdfast::platform
