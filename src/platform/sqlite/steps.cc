// Steps and effects: what makes it safe to run an activity again.

#include <fmt/format.h>

#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

namespace {

Result<std::optional<StepRecord>> find_step(Database& db, std::string_view key) {
  Statement query(
      db,
      "SELECT key, run, result, at, conversation, branch, sequence, sha256, branch_opened FROM steps "
      "WHERE key = ?1");
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

Status insert_step(Database& db, const StepRecord& record) {
  Statement insert(
      db,
      "INSERT INTO steps (key, run, result, at, conversation, branch, sequence, sha256, branch_opened) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
  insert.bind(record.key, record.run, record.result, record.at);
  if (record.appended) {
    const Reference& head = record.appended->head;
    insert.bind(head.conversation, head.branch, head.sequence, head.sha256, record.appended->branch_opened);
  } else {
    insert.bind(nullptr, nullptr, nullptr, nullptr, false);
  }
  return insert.run();
}

Result<std::optional<EffectRecord>> find_effect(Database& db, std::string_view key) {
  Statement query(
      db,
      "SELECT key, run, tool, class, arguments_sha256, fence, settled, succeeded, result, begun_at, "
      "settled_at FROM effects WHERE key = ?1");
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

Result<EffectRecord> begin_in(Database& db, const EffectIntent& intent, WallTime now) {
  Result<std::optional<EffectRecord>> found = find_effect(db, intent.key);
  if (!found) return fail(found.error());
  if (*found) {
    EffectRecord& record = **found;
    const EffectIntent& before = record.intent;
    if (before.tool != intent.tool || before.effect != intent.effect ||
        before.arguments_sha256 != intent.arguments_sha256) {
      return fail(
          Code::kFailedPrecondition,
          fmt::format("effect {} was begun as another call ({}): an idempotency key names one call only",
                      intent.key, before.tool));
    }
    if (record.state == EffectState::kSettled) return std::move(record);
    ++record.fence;
    Statement update(db, "UPDATE effects SET fence = ?2 WHERE key = ?1");
    if (Status status = update.bind(intent.key, record.fence).run(); !status.ok()) return fail(status);
    return std::move(record);
  }
  EffectRecord record;
  record.intent = intent;
  record.fence = 1;
  record.begun_at = now;
  Statement insert(db,
                   "INSERT INTO effects (key, run, tool, class, arguments_sha256, fence, settled, succeeded, "
                   "result, begun_at, "
                   "settled_at) VALUES (?1, ?2, ?3, ?4, ?5, 1, 0, 0, '', ?6, 0)");
  insert.bind(intent.key, intent.run, intent.tool, intent.effect, intent.arguments_sha256, now);
  if (Status status = insert.run(); !status.ok()) return fail(status);
  return record;
}

}  // namespace

Status check_name(std::string_view what, std::string_view text) {
  constexpr std::size_t kMaxNameBytes = 1024;
  if (text.empty()) return Status(Code::kInvalidArgument, fmt::format("{} needs a name", what));
  if (text.size() > kMaxNameBytes) {
    return Status(Code::kInvalidArgument,
                  fmt::format("the name of {} has {} bytes; at most {}", what, text.size(), kMaxNameBytes));
  }
  return {};
}

Status check_body(std::string_view what, std::string_view text) {
  if (text.size() <= kMaxMessageBytes) return {};
  return Status(Code::kInvalidArgument,
                fmt::format("{} has {} bytes; at most {}", what, text.size(), kMaxMessageBytes));
}

Result<std::optional<StepRecord>> SqliteStore::lookup_step(std::string_view key) {
  return reading<std::optional<StepRecord>>([&](Database& db) { return find_step(db, key); });
}

Result<StepRecord> SqliteStore::commit_step(const StepWrite& step) {
  if (Status status = check_name("a step", step.key); !status.ok()) return fail(status);
  if (Status status = check_body("the result of a step", step.result); !status.ok()) return fail(status);
  if (!step.expected && !step.messages.empty()) {
    return fail(Code::kInvalidArgument, "a step with messages must say after which reference they go");
  }
  return write<StepRecord>([&](Database& db) -> Result<StepRecord> {
    Result<std::optional<StepRecord>> found = find_step(db, step.key);
    if (!found) return fail(found.error());
    if (*found) return std::move(**found);

    StepRecord record;
    record.key = step.key;
    record.run = step.run;
    record.result = step.result;
    record.at = clock_.now();
    if (!step.messages.empty()) {
      Result<Appended> appended = append_in(db, *step.expected, step.messages, record.at);
      if (!appended) return fail(appended.error());
      record.appended = std::move(*appended);
    }
    for (const Usage& usage : step.usage) {
      if (Status status = insert_usage(db, usage, record.at); !status.ok()) return fail(status);
    }
    if (Status status = insert_step(db, record); !status.ok()) return fail(status);
    return record;
  });
}

Result<std::vector<std::string>> SqliteStore::runs_with_steps(WallTime before, std::uint32_t limit) {
  return reading<std::vector<std::string>>([&](Database& db) {
    Statement query(db, "SELECT run FROM steps GROUP BY run HAVING max(at) < ?1 ORDER BY max(at) LIMIT ?2");
    return query.bind(before, page_size(limit)).all([](const Statement& row) { return row.text(0); });
  });
}

Result<std::int64_t> SqliteStore::sweep_steps(std::string_view run) {
  return write<std::int64_t>([&](Database& db) -> Result<std::int64_t> {
    Statement steps(db, "DELETE FROM steps WHERE run = ?1");
    if (Status status = steps.bind(run).run(); !status.ok()) return fail(status);
    std::int64_t gone = db.changes();
    // An unsettled effect stays: somebody has to find out what became of it.
    Statement effects(db, "DELETE FROM effects WHERE run = ?1 AND settled = 1");
    if (Status status = effects.bind(run).run(); !status.ok()) return fail(status);
    return gone + db.changes();
  });
}

Result<EffectRecord> SqliteStore::begin_effect(const EffectIntent& intent) {
  if (Status status = check_name("an effect", intent.key); !status.ok()) return fail(status);
  return write<EffectRecord>([&](Database& db) { return begin_in(db, intent, clock_.now()); });
}

Result<EffectRecord> SqliteStore::settle_effect(std::string_view key, bool succeeded,
                                                std::string_view result) {
  if (Status status = check_body("the result of an effect", result); !status.ok()) return fail(status);
  return write<EffectRecord>([&](Database& db) -> Result<EffectRecord> {
    Result<std::optional<EffectRecord>> found = find_effect(db, key);
    if (!found) return fail(found.error());
    if (!*found) {
      return fail(Code::kFailedPrecondition,
                  fmt::format("effect {} was never begun: write the intent first", key));
    }
    EffectRecord& record = **found;
    if (record.state == EffectState::kSettled) return std::move(record);
    record.state = EffectState::kSettled;
    record.succeeded = succeeded;
    record.result = std::string(result);
    record.settled_at = clock_.now();
    Statement update(
        db, "UPDATE effects SET settled = 1, succeeded = ?2, result = ?3, settled_at = ?4 WHERE key = ?1");
    update.bind(key, succeeded, result, record.settled_at);
    if (Status status = update.run(); !status.ok()) return fail(status);
    return std::move(record);
  });
}

Result<std::optional<EffectRecord>> SqliteStore::lookup_effect(std::string_view key) {
  return reading<std::optional<EffectRecord>>([&](Database& db) { return find_effect(db, key); });
}

}  // namespace holdfast::platform
