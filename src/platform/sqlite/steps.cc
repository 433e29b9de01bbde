// Steps and effects: what makes it safe to run an activity again.

#include <fmt/format.h>

#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

namespace {

Result<std::optional<StepRecord>> find_step(Db& db, std::string_view key) {
  Query query(db,
              "SELECT run, result, conversation, branch, sequence, sha256, branch_opened, at FROM steps "
              "WHERE key = ?1");
  query.bind(key);
  if (!query.next()) {
    if (!query.status().ok()) return fail(query.status());
    return std::nullopt;
  }
  StepRecord record;
  record.key = std::string(key);
  record.run = query.text(0);
  record.result = query.text(1);
  if (!query.is_null(2)) {
    Appended appended;
    appended.head.conversation = query.text(2);
    appended.head.branch = static_cast<std::uint32_t>(query.integer(3));
    appended.head.sequence = static_cast<std::uint64_t>(query.integer(4));
    appended.head.sha256 = query.text(5);
    appended.branch_opened = query.integer(6) != 0;
    record.appended = std::move(appended);
  }
  record.replayed = true;
  record.at = wall(query.integer(7));
  return record;
}

Status insert_step(Db& db, const StepRecord& record) {
  Query insert(
      db,
      "INSERT INTO steps (key, run, result, conversation, branch, sequence, sha256, branch_opened, at) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
  insert.bind(record.key, record.run, record.result);
  if (record.appended) {
    const Reference& head = record.appended->head;
    insert.bind(head.conversation, head.branch, head.sequence, head.sha256, record.appended->branch_opened);
  } else {
    insert.bind(nullptr, nullptr, nullptr, nullptr, false);
  }
  return insert.bind(nanoseconds(record.at)).run();
}

Result<std::optional<EffectRecord>> find_effect(Db& db, std::string_view key) {
  Query query(
      db,
      "SELECT run, tool, class, arguments_sha256, fence, settled, succeeded, result, begun_at, settled_at "
      "FROM effects WHERE key = ?1");
  query.bind(key);
  if (!query.next()) {
    if (!query.status().ok()) return fail(query.status());
    return std::nullopt;
  }
  EffectRecord record;
  record.intent.key = std::string(key);
  record.intent.run = query.text(0);
  record.intent.tool = query.text(1);
  record.intent.effect = static_cast<EffectClass>(query.integer(2));
  record.intent.arguments_sha256 = query.text(3);
  record.fence = query.integer(4);
  record.state = query.integer(5) != 0 ? EffectState::kSettled : EffectState::kUnknown;
  record.succeeded = query.integer(6) != 0;
  record.result = query.text(7);
  record.begun_at = wall(query.integer(8));
  record.settled_at = wall(query.integer(9));
  return record;
}

Result<EffectRecord> begin_in(Db& db, const EffectIntent& intent, std::int64_t now) {
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
    Query update(db, "UPDATE effects SET fence = ?2 WHERE key = ?1");
    if (Status status = update.bind(intent.key, record.fence).run(); !status.ok()) return fail(status);
    return std::move(record);
  }
  EffectRecord record;
  record.intent = intent;
  record.fence = 1;
  record.begun_at = wall(now);
  Query insert(db,
               "INSERT INTO effects (key, run, tool, class, arguments_sha256, fence, settled, succeeded, "
               "result, begun_at, "
               "settled_at) VALUES (?1, ?2, ?3, ?4, ?5, 1, 0, 0, '', ?6, 0)");
  insert.bind(intent.key, intent.run, intent.tool, static_cast<int>(intent.effect), intent.arguments_sha256,
              now);
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
  return reading<std::optional<StepRecord>>([&](Db& db) { return find_step(db, key); });
}

Result<StepRecord> SqliteStore::commit_step(const StepWrite& step) {
  if (Status status = check_name("a step", step.key); !status.ok()) return fail(status);
  if (Status status = check_body("the result of a step", step.result); !status.ok()) return fail(status);
  if (!step.expected && !step.messages.empty()) {
    return fail(Code::kInvalidArgument, "a step with messages must say after which reference they go");
  }
  return write<StepRecord>([&](Db& db) -> Result<StepRecord> {
    Result<std::optional<StepRecord>> found = find_step(db, step.key);
    if (!found) return fail(found.error());
    if (*found) return std::move(**found);

    StepRecord record;
    record.key = step.key;
    record.run = step.run;
    record.result = step.result;
    record.at = wall(now());
    if (!step.messages.empty()) {
      Result<Appended> appended = append_in(db, *step.expected, step.messages, nanoseconds(record.at));
      if (!appended) return fail(appended.error());
      record.appended = std::move(*appended);
    }
    for (const Usage& usage : step.usage) {
      if (Status status = insert_usage(db, usage, nanoseconds(record.at)); !status.ok()) return fail(status);
    }
    if (Status status = insert_step(db, record); !status.ok()) return fail(status);
    return record;
  });
}

Result<std::vector<std::string>> SqliteStore::runs_with_steps(WallTime before, std::uint32_t limit) {
  return reading<std::vector<std::string>>([&](Db& db) -> Result<std::vector<std::string>> {
    std::vector<std::string> out;
    Query query(db, "SELECT run FROM steps GROUP BY run HAVING max(at) < ?1 ORDER BY max(at) LIMIT ?2");
    query.bind(nanoseconds(before), page_size(limit));
    while (query.next()) out.push_back(query.text(0));
    if (!query.status().ok()) return fail(query.status());
    return out;
  });
}

Result<std::int64_t> SqliteStore::sweep_steps(std::string_view run) {
  return write<std::int64_t>([&](Db& db) -> Result<std::int64_t> {
    Query steps(db, "DELETE FROM steps WHERE run = ?1");
    if (Status status = steps.bind(run).run(); !status.ok()) return fail(status);
    std::int64_t gone = db.changes();
    // An unsettled effect stays: somebody has to find out what became of it.
    Query effects(db, "DELETE FROM effects WHERE run = ?1 AND settled = 1");
    if (Status status = effects.bind(run).run(); !status.ok()) return fail(status);
    return gone + db.changes();
  });
}

Result<EffectRecord> SqliteStore::begin_effect(const EffectIntent& intent) {
  if (Status status = check_name("an effect", intent.key); !status.ok()) return fail(status);
  return write<EffectRecord>([&](Db& db) { return begin_in(db, intent, now()); });
}

Result<EffectRecord> SqliteStore::settle_effect(std::string_view key, bool succeeded,
                                                std::string_view result) {
  if (Status status = check_body("the result of an effect", result); !status.ok()) return fail(status);
  return write<EffectRecord>([&](Db& db) -> Result<EffectRecord> {
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
    record.settled_at = wall(now());
    Query update(
        db, "UPDATE effects SET settled = 1, succeeded = ?2, result = ?3, settled_at = ?4 WHERE key = ?1");
    update.bind(key, succeeded, result, nanoseconds(record.settled_at));
    if (Status status = update.run(); !status.ok()) return fail(status);
    return std::move(record);
  });
}

Result<std::optional<EffectRecord>> SqliteStore::lookup_effect(std::string_view key) {
  return reading<std::optional<EffectRecord>>([&](Db& db) { return find_effect(db, key); });
}

}  // namespace holdfast::platform
