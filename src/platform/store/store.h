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
#include "platform/records.h"

namespace holdfast::platform {

inline constexpr std::uint32_t kMaxPage = 1000;
inline constexpr std::size_t kMaxMessageBytes = 16 << 20;  // one message, step result or input
inline constexpr std::size_t kMaxMessagesPerStep = 1000;

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
  // Forgets step records and settled effects of runs whose histories are gone, and keeps how those ended that
  // have a record, all at once (docs/adr/0025). Messages stay. Repeating it changes nothing.
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

  // ---- definitions

  // Stores the text and makes it the current version of `name`. The hash is of the text alone.
  virtual Result<Definition> put_definition(std::string_view name, std::string_view text) = 0;
  virtual Result<Definition> definition(std::string_view name, std::string_view hash) = 0;
  virtual Result<Definition> current_definition(std::string_view name) = 0;
  // Without the versions that are not current.
  virtual Result<std::vector<Definition>> definitions() = 0;
  virtual Result<std::vector<Definition>> definition_versions(std::string_view name) = 0;

  // ---- usage and audit

  virtual Status record_usage(const Usage& usage) = 0;
  virtual Result<UsageTotal> usage_of_run(std::string_view run) = 0;
  virtual Status audit(const AuditRow& row) = 0;
  // Newest first; `subject` empty: all.
  virtual Result<std::vector<AuditRow>> audit_rows(std::string_view subject, std::uint32_t limit) = 0;

  // ---- settings of runs

  // StartIntent::settings of that run; empty when it had none, or there is no such run.
  virtual Result<std::string> run_settings(std::string_view run) = 0;
};

}  // namespace holdfast::platform
