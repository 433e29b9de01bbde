// Steps and effects as rows.

#include "platform/fork_calls.h"
#include "platform/outbox_calls.h"

#include "platform_postgres/ledger_rows.h"
#include "platform_postgres/outbox.h"
#include "platform_postgres/postgres_store_impl.h"

namespace holdfast::platform {

namespace {

#define STEP_COLUMNS "key, run, result, at, conversation, branch, sequence, sha256, branch_opened"
#define STEP_VALUES "$1, $2, $3, $4, $5, $6, $7, $8, $9"

struct StepRows {
  Connection& db;

  Result<std::optional<StepRecord>> find(std::string_view key) {
    Statement query(db, "SELECT " STEP_COLUMNS " FROM steps WHERE key = $1");
    return query.bind(key).one([](const Statement& row) {
      StepRecord out;
      row.read(out.key, out.run, out.result, out.at);
      if (!row.is_null(4)) {
        Reference& head = out.appended.emplace().head;
        row.read_from(4, head.conversation, head.branch, head.sequence, head.sha256,
                      out.appended->branch_opened);
      }
      out.replayed = true;
      return out;
    });
  }

  Status insert(const StepRecord& record) {
    Statement insert(db, "INSERT INTO steps (" STEP_COLUMNS ") VALUES (" STEP_VALUES ")");
    insert.bind(record.key, record.run, record.result, record.at);
    if (record.appended) {
      const Reference& head = record.appended->head;
      insert.bind(head.conversation, head.branch, head.sequence, head.sha256, record.appended->branch_opened);
    } else {
      insert.bind(nullptr, nullptr, nullptr, nullptr, false);
    }
    return insert.run();
  }
  Result<Appended> append(const Reference& expected, const std::vector<std::string>& messages, WallTime now) {
    return append_in(db, expected, messages, now);
  }
  Result<Reference> open_branch(const Reference& at) { return open_branch_in(db, at); }
  PostgresLedgerRows ledger() { return {db}; }
  Status tell(const OutboxRow& row) { return insert_outbox(db, row); }
  Status insert_audit(const AuditRow& row) { return platform::insert_audit(db, row); }
};

#define EFFECT_COLUMNS \
  "key, run, tool, class, arguments_sha256, fence, settled, succeeded, result, begun_at, settled_at"
#define EFFECT_VALUES "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11"

struct EffectRows {
  Connection& db;

  PostgresLedgerRows ledger() { return {db}; }
  Status tell(const OutboxRow& row) { return insert_outbox(db, row); }

  Result<std::optional<EffectRecord>> find(std::string_view key) {
    Statement query(db, "SELECT " EFFECT_COLUMNS " FROM effects WHERE key = $1");
    return query.bind(key).one([](const Statement& row) {
      EffectRecord out;
      EffectIntent& intent = out.intent;
      bool settled = false;
      row.read(intent.key, intent.run, intent.tool, intent.effect, intent.arguments_sha256, out.fence,
               settled, out.succeeded, out.result, out.begun_at, out.settled_at);
      out.state = settled ? EffectState::kSettled : EffectState::kUnknown;
      return out;
    });
  }
  Status insert(const EffectRecord& row) {
    const bool settled = row.state == EffectState::kSettled;
    Statement insert(db, "INSERT INTO effects (" EFFECT_COLUMNS ") VALUES (" EFFECT_VALUES ")");
    insert.bind(row.intent.key, row.intent.run, row.intent.tool, row.intent.effect,
                row.intent.arguments_sha256, row.fence, settled, row.succeeded, row.result, row.begun_at,
                row.settled_at);
    return insert.run();
  }
  Status update(const EffectRecord& row) {
    const bool settled = row.state == EffectState::kSettled;
    Statement update(
        db,
        "UPDATE effects SET fence = $2, settled = $3, succeeded = $4, result = $5, settled_at = $6 "
        "WHERE key = $1");
    update.bind(row.intent.key, row.fence, settled, row.succeeded, row.result, row.settled_at);
    return update.run();
  }
};

}  // namespace

Status forget_steps(Connection& db, std::string_view run) {
  Statement steps(db, "DELETE FROM steps WHERE run = $1");
  if (Status status = steps.bind(run).run(); !status.ok()) return status;
  // What was held stays in the accounts: nobody will know any more what was used of it.
  Statement reservations(db, "DELETE FROM reservations WHERE run = $1");
  if (Status status = reservations.bind(run).run(); !status.ok()) return status;
  // An unsettled effect stays: somebody has to find out.
  Statement effects(db, "DELETE FROM effects WHERE run = $1 AND settled = 1");
  return effects.bind(run).run();
}

Result<std::optional<StepRecord>> PostgresStore::lookup_step(std::string_view key) {
  return reading<std::optional<StepRecord>>([&](Connection& db) { return StepRows{db}.find(key); });
}

Result<StepRecord> PostgresStore::commit_step(const StepWrite& step) {
  if (Status status = rules::check_step(step); !status.ok()) return fail(status);
  return write<StepRecord>(
      [&](Connection& db) { return calls::commit_step(StepRows{db}, step, clock_.now()); });
}

Result<StepRecord> PostgresStore::commit_step(const StepWrite& step, const std::vector<StepWrite>& with,
                                              const OutboxRow& row) {
  if (Status status = calls::check_steps(step, with); !status.ok()) return fail(std::move(status));
  return write<StepRecord>(
      [&](Connection& db) { return calls::commit_step(StepRows{db}, step, with, row, clock_.now()); });
}

Result<StepRecord> PostgresStore::commit_fork(const StepWrite& step) {
  if (Status status = calls::check_fork(step); !status.ok()) return fail(std::move(status));
  return write<StepRecord>(
      [&](Connection& db) { return calls::commit_fork(StepRows{db}, step, clock_.now()); });
}

Result<EffectRecord> PostgresStore::begin_effect(const EffectIntent& intent) {
  if (Status status = rules::check_effect(intent); !status.ok()) return fail(status);
  return write<EffectRecord>(
      [&](Connection& db) { return calls::begin_effect(EffectRows{db}, intent, clock_.now()); });
}

Result<EffectRecord> PostgresStore::begin_effect(const EffectIntent& intent, const Approval& outcome,
                                                 const OutboxRow& row) {
  Status status = rules::check_effect(intent);
  if (status.ok()) status = rules::check_outcome(outcome);
  if (!status.ok()) return fail(std::move(status));
  return write<EffectRecord>([&](Connection& db) -> Result<EffectRecord> {
    const auto settled = platform::settle_approval(db, outcome, row, clock_.now());
    if (!settled) return fail(settled.error());
    return calls::begin_effect(EffectRows{db}, intent, clock_.now());
  });
}

Result<EffectRecord> PostgresStore::settle_effect(std::string_view key, bool succeeded,
                                                  std::string_view result) {
  if (Status status = rules::check_body("the result of an effect", result); !status.ok()) return fail(status);
  return write<EffectRecord>([&](Connection& db) {
    return calls::settle_effect(EffectRows{db}, key, succeeded, result, clock_.now());
  });
}

Result<std::pair<EffectRecord, bool>> PostgresStore::settle_effect(std::string_view key, bool succeeded,
                                                                   std::string_view result,
                                                                   const OutboxRow& row) {
  if (Status status = rules::check_body("the result of an effect", result); !status.ok()) return fail(status);
  return write<std::pair<EffectRecord, bool>>([&](Connection& db) {
    return calls::settle_effect(EffectRows{db}, key, succeeded, result, row, clock_.now());
  });
}

Result<std::optional<EffectRecord>> PostgresStore::lookup_effect(std::string_view key) {
  return reading<std::optional<EffectRecord>>([&](Connection& db) { return EffectRows{db}.find(key); });
}

}  // namespace holdfast::platform
