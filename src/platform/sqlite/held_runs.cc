// Runs that wait for somebody, and runs that take up others.

#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

namespace {

#define HELD_COLUMNS "run, kind, reason, detail, held_by, at"
#define HELD_VALUES "?1, ?2, ?3, ?4, ?5, ?6"
#define READ_HELD \
  "SELECT " HELD_COLUMNS ", " ROW_DAMAGED("checksum", "held_runs", HELD_COLUMNS) " FROM held_runs "
#define ORIGIN_COLUMNS "run, origin, state, started_by, at"
#define ORIGIN_VALUES "?1, ?2, ?3, ?4, ?5"
#define READ_ORIGIN \
  "SELECT " ORIGIN_COLUMNS ", " ROW_DAMAGED("checksum", "origins", ORIGIN_COLUMNS) " FROM origins "

HeldRun held_of(const Statement& row) {
  HeldRun out;
  std::int64_t kind = 0;
  row.read(out.run, kind, out.reason, out.detail, out.by, out.at);
  out.kind = static_cast<protocol::HoldKind>(kind);
  return out;
}

Result<std::optional<Origin>> find_origin(Database& db, std::string_view run) {
  Statement query(db, READ_ORIGIN "WHERE run = ?1");
  return sound_one(query.bind(run), "origins", [](const Statement& row) {
    Origin out;
    row.read(out.run, out.origin, out.state, out.by, out.at);
    return out;
  });
}

}  // namespace

Status SqliteStore::hold_run(const HeldRun& held) {
  if (Status status = rules::check_body("why a run waits", held.reason + held.detail); !status.ok())
    return status;
  return commit_.run([&](Database& db) {
    Statement insert(db, "INSERT OR REPLACE INTO held_runs (" HELD_COLUMNS ", checksum) VALUES (" HELD_VALUES
                         ", " ROW_SUM("held_runs", HELD_VALUES) ")");
    return insert
        .bind(held.run, static_cast<std::int64_t>(held.kind), held.reason, held.detail, held.by, held.at)
        .run();
  });
}

Status SqliteStore::release_run(std::string_view run) {
  return commit_.run(
      [&](Database& db) { return Statement(db, "DELETE FROM held_runs WHERE run = ?1").bind(run).run(); });
}

Result<std::optional<HeldRun>> SqliteStore::held_run(std::string_view run) {
  return reading<std::optional<HeldRun>>([&](Database& db) {
    Statement query(db, READ_HELD "WHERE run = ?1");
    return sound_one(query.bind(run), "held_runs", held_of);
  });
}

Result<std::vector<HeldRun>> SqliteStore::held_runs(const HeldFilter& filter) {
  return reading<std::vector<HeldRun>>([&](Database& db) {
    Statement query(db, READ_HELD "WHERE kind = ?1 AND run > ?2 ORDER BY run");
    query.bind(static_cast<std::int64_t>(filter.kind), filter.after);
    return sound_all(query, "held_runs", damage_, rules::page_size(filter.limit), held_of);
  });
}

Result<Origin> SqliteStore::put_origin(const Origin& origin) {
  if (Status status = rules::check_body("what a run takes up", origin.state); !status.ok())
    return fail(std::move(status));
  return write<Origin>([&](Database& db) -> Result<Origin> {
    Statement insert(db, "INSERT OR IGNORE INTO origins (" ORIGIN_COLUMNS ", checksum) VALUES (" ORIGIN_VALUES
                         ", " ROW_SUM("origins", ORIGIN_VALUES) ")");
    const Status written =
        insert.bind(origin.run, origin.origin, origin.state, origin.by, clock_.now()).run();
    if (!written.ok()) return fail(written);
    auto stored = find_origin(db, origin.run);
    if (!stored) return fail(stored.error());
    return std::move(**stored);
  });
}

Result<std::optional<Origin>> SqliteStore::origin(std::string_view run) {
  return reading<std::optional<Origin>>([&](Database& db) { return find_origin(db, run); });
}

}  // namespace holdfast::platform
