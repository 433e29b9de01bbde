// Steps and effects as rows.

#include "platform/step_rules.h"

#include "platform_postgres/postgres_store_impl.h"

namespace holdfast::platform {

namespace {

using rules::Change;
using rules::Write;

#define STEP_COLUMNS "key, run, result, at, conversation, branch, sequence, sha256, branch_opened"
#define STEP_VALUES "$1, $2, $3, $4, $5, $6, $7, $8, $9"

Result<std::optional<StepRecord>> find_step(Connection& db, std::string_view key) {
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

Status insert_step(Connection& db, const StepRecord& record) {
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

#define EFFECT_COLUMNS \
  "key, run, tool, class, arguments_sha256, fence, settled, succeeded, result, begun_at, settled_at"
#define EFFECT_VALUES "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11"

Result<std::optional<EffectRecord>> find_effect(Connection& db, std::string_view key) {
  Statement query(db, "SELECT " EFFECT_COLUMNS " FROM effects WHERE key = $1");
  return query.bind(key).one([](const Statement& row) {
    EffectRecord out;
    EffectIntent& intent = out.intent;
    bool settled = false;
    row.read(intent.key, intent.run, intent.tool, intent.effect, intent.arguments_sha256, out.fence, settled,
             out.succeeded, out.result, out.begun_at, out.settled_at);
    out.state = settled ? EffectState::kSettled : EffectState::kUnknown;
    return out;
  });
}

Result<EffectRecord> keep(Connection& db, Change<EffectRecord> change) {
  const EffectRecord& row = change.row;
  const bool settled = row.state == EffectState::kSettled;
  Status status;
  if (change.write == Write::kInsert) {
    Statement insert(db, "INSERT INTO effects (" EFFECT_COLUMNS ") VALUES (" EFFECT_VALUES ")");
    insert.bind(row.intent.key, row.intent.run, row.intent.tool, row.intent.effect,
                row.intent.arguments_sha256, row.fence, settled, row.succeeded, row.result, row.begun_at,
                row.settled_at);
    status = insert.run();
  } else if (change.write == Write::kUpdate) {
    Statement update(
        db,
        "UPDATE effects SET fence = $2, settled = $3, succeeded = $4, result = $5, settled_at = $6 "
        "WHERE key = $1");
    update.bind(row.intent.key, row.fence, settled, row.succeeded, row.result, row.settled_at);
    status = update.run();
  }
  if (!status.ok()) return fail(status);
  return std::move(change.row);
}

}  // namespace

Status forget_steps(Connection& db, std::string_view run) {
  Statement steps(db, "DELETE FROM steps WHERE run = $1");
  if (Status status = steps.bind(run).run(); !status.ok()) return status;
  // An unsettled effect stays: somebody has to find out.
  Statement effects(db, "DELETE FROM effects WHERE run = $1 AND settled = 1");
  return effects.bind(run).run();
}

Result<std::optional<StepRecord>> PostgresStore::lookup_step(std::string_view key) {
  return reading<std::optional<StepRecord>>([&](Connection& db) { return find_step(db, key); });
}

Result<StepRecord> PostgresStore::commit_step(const StepWrite& step) {
  if (Status status = rules::check_step(step); !status.ok()) return fail(status);
  return write<StepRecord>([&](Connection& db) -> Result<StepRecord> {
    Result<std::optional<StepRecord>> stored = find_step(db, step.key);
    if (!stored) return fail(stored.error());
    Change<StepRecord> change = rules::commit_step(step, *stored, clock_.now());
    if (change.write == Write::kNothing) return std::move(change.row);

    StepRecord& record = change.row;
    if (!step.messages.empty()) {
      Result<Appended> appended = append_in(db, *step.expected, step.messages, record.at);
      if (!appended) return fail(appended.error());
      record.appended = std::move(*appended);
    }
    for (const Usage& usage : step.usage) {
      if (Status status = insert_usage(db, usage, record.at); !status.ok()) return fail(status);
    }
    if (Status status = insert_step(db, record); !status.ok()) return fail(status);
    return std::move(record);
  });
}

Result<EffectRecord> PostgresStore::begin_effect(const EffectIntent& intent) {
  if (Status status = rules::check_effect(intent); !status.ok()) return fail(status);
  return write<EffectRecord>([&](Connection& db) -> Result<EffectRecord> {
    Result<std::optional<EffectRecord>> stored = find_effect(db, intent.key);
    if (!stored) return fail(stored.error());
    Result<Change<EffectRecord>> change = rules::begin_effect(intent, *stored, clock_.now());
    if (!change) return fail(change.error());
    return keep(db, std::move(*change));
  });
}

Result<EffectRecord> PostgresStore::settle_effect(std::string_view key, bool succeeded,
                                                  std::string_view result) {
  if (Status status = rules::check_body("the result of an effect", result); !status.ok()) return fail(status);
  return write<EffectRecord>([&](Connection& db) -> Result<EffectRecord> {
    Result<std::optional<EffectRecord>> stored = find_effect(db, key);
    if (!stored) return fail(stored.error());
    Result<Change<EffectRecord>> change = rules::settle_effect(key, *stored, succeeded, result, clock_.now());
    if (!change) return fail(change.error());
    return keep(db, std::move(*change));
  });
}

Result<std::optional<EffectRecord>> PostgresStore::lookup_effect(std::string_view key) {
  return reading<std::optional<EffectRecord>>([&](Connection& db) { return find_effect(db, key); });
}

}  // namespace holdfast::platform
