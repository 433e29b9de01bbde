#pragma once

// SqliteStore: the platform store's tables. One connection writes, under group commit; a few read. It reads
// rows and writes what the rules of the platform make of them. Split by subject: conversations.cc, steps.cc,
// histories.cc, approvals.cc, runs.cc, labels.cc, ledgers.cc, budgets.cc,
// blobs.cc, memory.cc.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "platform/audit_rules.h"
#include "platform/audit_store.h"
#include "platform/fork_store.h"
#include "platform/identity_store.h"
#include "platform/inbox.h"
#include "platform/links.h"
#include "platform/oidc_store.h"
#include "platform/outbox.h"
#include "platform/rules.h"
#include "platform/secret_store.h"
#include "platform/store.h"
#include "platform/tool_grant_store.h"
#include "platform_sqlite/group_commit.h"
#include "platform_sqlite/readers.h"
#include "platform_sqlite/row_check.h"
#include "sqlite/statement.h"

namespace holdfast::platform {

using sqlite::Database;
using sqlite::Statement;

class SqliteStore : public Store,
                    public IdentityStore,
                    public OutboxTable,
                    public ForkStore,
                    public SecretStore,
                    public OidcStore,
                    public AuditStore,
                    public ToolGrantStore,
                    public LinkStore,
                    public InboxStore {
 public:
  SqliteStore(std::unique_ptr<Database> lock, std::unique_ptr<Database> db, std::filesystem::path path,
              std::string vfs, Fatal fatal, std::function<void(const std::string&)> complain,
              const Clock& clock, Random& random)
      : lock_(std::move(lock)),
        db_(std::move(db)),
        commit_([this, fatal = std::move(fatal)](auto& batch) { commit_batch(*db_, fatal, batch); }),
        readers_(std::move(path), std::move(vfs)),
        damage_("platform.db: ", "file", std::move(complain)),
        clock_(clock),
        random_(random) {}

  Result<Appended> append(const Reference& expected, const std::vector<std::string>& messages) override;
  Result<Reference> head(std::string_view conversation, std::uint32_t branch) override;
  Result<std::vector<Message>> read(const Reference& at, std::uint64_t first, std::uint64_t last) override;

  Result<std::optional<StepRecord>> lookup_step(std::string_view key) override;
  Result<StepRecord> commit_step(const StepWrite& write) override;
  Result<StepRecord> commit_step(const StepWrite& step, const std::vector<StepWrite>& with,
                                 const OutboxRow& row) override;
  Result<std::pair<EffectRecord, bool>> settle_effect(std::string_view key, bool succeeded,
                                                      std::string_view result, const OutboxRow& row) override;
  Result<Approval> settle_approval(const Approval& outcome, const OutboxRow& row) override;
  Result<EffectRecord> begin_effect(const EffectIntent& intent, const Approval& outcome,
                                    const OutboxRow& row) override;
  Result<std::vector<OutboxRow>> outbox_rows(std::int64_t after) override;
  Status forget_outbox(const std::vector<std::int64_t>& rows) override;
  Status forget_histories(const std::vector<GoneHistory>& gone) override;
  Result<std::optional<GoneHistory>> gone_history(std::string_view run) override;

  Result<std::vector<std::string>> asking_agents(std::string_view after) override;
  Result<Approval> request_approval(const Approval& approval, const Audience& audience) override;
  Result<std::vector<Approval>> asked_of(const Decider& who, std::string_view after,
                                         std::uint32_t limit) override;
  Result<std::vector<Approval>> asked_by(const std::vector<std::string>& agents, std::string_view after,
                                         std::uint32_t limit) override;

  Result<EffectRecord> begin_effect(const EffectIntent& intent) override;
  Result<EffectRecord> settle_effect(std::string_view key, bool succeeded, std::string_view result) override;
  Result<std::optional<EffectRecord>> lookup_effect(std::string_view key) override;

  Result<Approval> request_approval(const Approval& approval) override;
  Result<Approval> approval(std::string_view id) override;
  Result<std::vector<Approval>> approvals(const ApprovalFilter& filter) override;
  Result<Approval> begin_decision(const DecisionAttempt& attempt) override;
  Result<std::vector<DecisionAttempt>> unanswered_decisions(std::string_view after) override;
  Result<Approval> finish_decision(std::string_view update_id, bool won, std::string_view why) override;
  Result<Approval> settle_approval(const Approval& outcome) override;

  Result<DecisionLink> make_link(const DecisionLink& wanted) override;
  Result<std::optional<DecisionLink>> link(std::string_view id) override;
  Result<std::vector<DecisionLink>> links(std::string_view approval) override;
  Result<DecisionLink> revoke_link(std::string_view id, std::string_view by) override;
  Result<Approval> begin_linked_decision(std::string_view link, const DecisionAttempt& attempt) override;

  Result<Started> start_run(const StartIntent& intent) override;
  Status mark_started(std::string_view run, std::string_view engine_run_id) override;
  Result<std::vector<RunRecord>> unstarted_runs(WallTime before, std::uint32_t limit,
                                                std::string_view after) override;
  Result<RunRecord> run(std::string_view run) override;
  Result<std::vector<RunRecord>> runs(const RunFilter& filter) override;

  Result<std::optional<UnkeptRun>> unkept_run(std::string_view run) override;
  Result<std::vector<UnkeptRun>> unkept_runs(std::string_view root, std::string_view after,
                                             std::uint32_t limit) override;
  Status keep_as(std::string_view workflow, std::string_view run) override;

  Result<Definition> put_definition(std::string_view name, std::string_view text) override;
  Result<Definition> definition(std::string_view name, std::string_view hash) override;
  Result<Definition> current_definition(std::string_view name) override;
  Result<std::vector<Definition>> definitions(std::string_view after, std::uint32_t limit) override;
  Result<std::vector<Definition>> definition_versions(std::string_view name, std::uint32_t limit,
                                                      std::string_view after) override;

  Status record_usage(const Usage& usage) override;
  Result<UsageTotal> usage_of_run(std::string_view run) override;
  Status audit(const AuditRow& row) override;
  Result<std::vector<AuditRow>> audit_rows(std::string_view subject, std::uint32_t limit) override;

  Result<MovedLabel> move_label(const LabelMove& wanted) override;
  Result<std::optional<Label>> label(std::string_view agent, std::string_view label) override;
  Result<std::vector<Label>> labels(std::string_view agent) override;
  Result<std::vector<Label>> label_moves(std::string_view agent, std::string_view label, std::uint64_t before,
                                         std::uint32_t limit) override;
  Result<std::vector<std::string>> versions_beginning(std::string_view agent,
                                                      std::string_view digits) override;

  Status hold_run(const HeldRun& held) override;
  Status release_run(std::string_view run) override;
  Result<std::optional<HeldRun>> held_run(std::string_view run) override;
  Result<std::vector<HeldRun>> held_runs(const HeldFilter& filter) override;
  Result<Origin> put_origin(const Origin& origin) override;
  Result<std::optional<Origin>> origin(std::string_view run) override;

  Result<std::optional<Account>> account(std::string_view run) override;
  Result<std::vector<std::optional<Account>>> accounts(const std::vector<std::string>& runs) override;
  Result<Reserved> reserve(const Reservation& wanted, const std::optional<Usage>& books) override;
  Status settle_reservation(std::string_view key, const std::vector<Usage>& used) override;
  Result<Raised> raise_budget(const Raise& wanted) override;
  Result<UsageReport> usage_report(const UsageQuery& query) override;
  Result<Bill> write_bill(const Bill& ended) override;
  Result<std::optional<Bill>> bill(std::string_view run) override;

  Result<Blob> put_blob(const BlobWrite& blob) override;
  Result<Blob> blob(std::string_view run, std::string_view conversation, std::string_view id) override;
  Result<std::string> read_blob(std::string_view sha256, std::uint64_t offset, std::size_t length) override;

  Result<MemoryEntry> remember(const MemoryWrite& write) override;
  Result<bool> forget_memory(std::string_view subject, std::string_view name) override;
  Result<std::vector<MemoryEntry>> search_memory(std::string_view subject, std::string_view query,
                                                 std::uint32_t limit) override;
  Result<std::vector<MemoryEntry>> memories(std::string_view subject, std::string_view after,
                                            std::uint32_t limit) override;
  Result<std::vector<MemoryEntry>> memory_versions(std::string_view subject, std::string_view name) override;
  Result<std::vector<MemorySubject>> memory_subjects(std::string_view after, std::uint32_t limit) override;
  Result<std::int64_t> erase_memory(std::string_view subject, const AuditRow& row) override;

  Result<Turn> take_turn(std::string_view conversation, std::string_view run) override;
  Result<std::string> leave_turn(std::string_view run) override;
  Result<std::optional<Turn>> turn(std::string_view run) override;
  Result<std::vector<Turn>> turns(std::string_view conversation, std::string_view after,
                                  std::uint32_t limit) override;

  Result<FlowTurn> take_flow(const FlowPlace& place) override;
  Result<std::string> leave_flow(std::string_view run) override;
  Result<std::optional<FlowTurn>> flow_turn(std::string_view run) override;
  Result<std::vector<FlowRow>> flow_line(std::string_view line, std::string_view after,
                                         std::uint32_t limit) override;

  Result<OpenedCompletion> open_completion(const CompletionOpening& opening) override;
  Result<Completion> complete(const CompletionAttempt& attempt) override;
  Result<std::optional<Completion>> end_completion(std::string_view id, CompletionState as) override;
  Result<std::optional<Completion>> completion(std::string_view id) override;
  Result<std::vector<Completion>> untold_completions(std::string_view after, std::uint32_t limit) override;

  Result<std::string> run_settings(std::string_view run) override;

  Result<StepRecord> commit_fork(const StepWrite& write) override;
  Result<std::optional<RunSpan>> run_span(std::string_view run) override;
  Result<UsageTotal> usage_until(std::string_view run, std::uint64_t sequence) override;
  Result<std::vector<Origin>> descendants(std::string_view run, std::string_view after,
                                          std::uint32_t limit) override;

  Status put_principal(const Principal& row, const AuditRow& said) override;
  Result<std::vector<Principal>> principals(std::string_view after, std::uint32_t limit) override;
  Status put_credential(const Credential& row, const AuditRow& said) override;
  Result<std::vector<Credential>> credentials(std::string_view after, std::uint32_t limit) override;
  Status note_credentials(const std::vector<Credential>& used, const std::vector<std::string>& gone) override;
  Result<std::string> server_key(std::string_view name, std::string_view fresh) override;

  Status put_secret(const SecretRow& row, const AuditRow& said) override;
  Result<std::optional<SecretRow>> secret(std::string_view namespace_name, std::string_view name) override;
  Result<std::vector<SecretRow>> secrets(std::string_view namespace_name, std::string_view after,
                                         std::uint32_t limit) override;
  Result<bool> delete_secret(std::string_view namespace_name, std::string_view name,
                             const AuditRow& said) override;
  Status note_secrets(std::string_view namespace_name, const std::map<std::string, WallTime>& used) override;

  Status put_oidc_person(const OidcPerson& row, const std::optional<AuditRow>& said) override;
  Result<std::optional<OidcPerson>> oidc_person(std::string_view issuer, std::string_view subject) override;
  Result<std::optional<OidcPerson>> oidc_person_named(std::string_view principal) override;
  Status put_oidc_group(const OidcGroup& row, const AuditRow& said) override;
  Result<bool> delete_oidc_group(std::string_view provider, std::string_view name,
                                 const AuditRow& said) override;
  Result<std::vector<OidcGroup>> oidc_groups(std::string_view provider, std::string_view after,
                                             std::uint32_t limit) override;

  Status put_tool_grant(const ToolGrant& row, const AuditRow& said) override;
  Result<bool> delete_tool_grant(std::string_view namespace_name, std::string_view id,
                                 const AuditRow& said) override;
  Result<std::vector<ToolGrant>> tool_grants(std::string_view namespace_name, std::string_view after,
                                             std::uint32_t limit) override;

  Result<AuditPage> audit_page(const AuditFilter& filter) override;

  // Calls `meanwhile` while nothing is written.
  void hold(const std::function<void()>& meanwhile) { commit_.hold(meanwhile); }

 private:
  // Runs `work(db) -> Result<T>` in a transaction; the answer is durable when this returns.
  template <typename T, typename Work>
  Result<T> write(Work work, Haste haste = Haste::kNow) {
    std::optional<Result<T>> out;
    Status status = commit_.run(
        [&](Database& db) {
          out.emplace(work(db));
          return out->has_value() ? Status() : out->error();
        },
        haste);
    if (!status.ok()) return fail(std::move(status));
    return std::move(*out);
  }

  template <typename T, typename Work>
  Result<T> reading(Work work) {
    Result<Readers::Lease> lease = readers_.take();
    if (!lease) return fail(lease.error());
    return work(**lease);
  }

  std::unique_ptr<Database> lock_;  // held for its lock alone
  std::unique_ptr<Database> db_;    // used by the leader of commit_ only
  GroupCommit<Database> commit_;
  Readers readers_;
  DamageLog damage_;
  const Clock& clock_;
  Random& random_;
};

// Pieces of a transaction, shared by the files of the class.
Result<Appended> append_in(Database& db, const Reference& expected, const std::vector<std::string>& messages,
                           WallTime now);
// Still empty (platform/fork_calls.h).
Result<Reference> open_branch_in(Database& db, const Reference& at);
// Unless something was said in the conversation already.
Status begin_conversation_in(Database& db, const std::string& conversation,
                             const std::vector<std::string>& messages, WallTime now);
Status forget_steps(Database& db, std::string_view run);
Status forget_blobs(Database& db, std::string_view run);
Status insert_audit(Database& db, const AuditRow& row);
Status insert_turn(Database& db, const Turn& turn);
// None: it has said nothing, or its history is gone.
Result<std::optional<rules::RunSaid>> said_by(Database& db, std::string_view run);
// The conversation that the run was started for, or came to; empty: none.
Result<std::string> conversation_of(Database& db, std::string_view run);

// Where a page of newest rows begins: `place` finds the number of the last row of the page before. Without
// `after` at the end of the table; INVALID_ARGUMENT when `after` is no `what`.
Result<std::int64_t> page_before(Database& db, sqlite::Literal place, std::string_view after,
                                 std::string_view what);

}  // namespace holdfast::platform
