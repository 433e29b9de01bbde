// Runs that are not kept, as rows, and what goes of them.

#include "platform_sqlite/unkept_runs.h"

#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

namespace {

#define READ_UNKEPT "SELECT run, root, at, forgotten_at FROM unkept_runs "

UnkeptRun unkept_of(const Statement& row) {
  UnkeptRun out;
  row.read(out.run, out.root, out.at, out.forgotten_at);
  return out;
}

Result<std::optional<UnkeptRun>> find_unkept(Database& db, std::string_view run) {
  return Statement(db, READ_UNKEPT "WHERE run = ?1").bind(run).one(unkept_of);
}

// A conversation that another run has come to is that one's, too.
Status forget_conversation(Database& db, std::string_view run) {
  Statement query(db,
                  "SELECT c FROM (SELECT coalesce((SELECT conversation FROM turns WHERE run = ?1), ?1) AS c) "
                  "WHERE NOT EXISTS (SELECT 1 FROM turns WHERE conversation = c AND run <> ?1)");
  const Result<std::optional<std::string>> own =
      query.bind(run).one([](const Statement& row) { return row.text(0); });
  if (!own) return own.error();
  if (!*own) return {};
  Status status = Statement(db, "DELETE FROM messages WHERE conversation = ?1").bind(**own).run();
  if (status.ok()) status = Statement(db, "DELETE FROM branches WHERE conversation = ?1").bind(**own).run();
  return status;
}

Status forget_input(Database& db, std::string_view run) {
  Statement blank(db, "UPDATE runs SET input = 'null', checksum = " ROW_SUM(
                          "runs",
                          "run, agent, definition_hash, 'null', idempotency_key, request_id, engine_run_id, "
                          "created_at, started_at, fingerprint") " WHERE run = ?1");
  if (Status status = blank.bind(run).run(); !status.ok()) return status;
  return Statement(db, "DELETE FROM run_settings WHERE run = ?1").bind(run).run();
}

}  // namespace

Status insert_unkept_run(Database& db, std::string_view run, WallTime now) {
  return Statement(db, "INSERT INTO unkept_runs (run, root, at) VALUES (?1, ?1, ?2)").bind(run, now).run();
}

Status keep_as_run(Database& db, std::string_view run, std::string_view caller, WallTime now) {
  Statement insert(db,
                   "INSERT OR IGNORE INTO unkept_runs (run, root, at) "
                   "SELECT ?1, root, ?3 FROM unkept_runs WHERE run = ?2");
  return insert.bind(run, caller, now).run();
}

Status forget_contents(Database& db, std::string_view run, WallTime now) {
  const Result<std::optional<UnkeptRun>> unkept = find_unkept(db, run);
  if (!unkept) return unkept.error();
  if (!*unkept || (*unkept)->forgotten_at) return {};
  if (Status status = forget_conversation(db, run); !status.ok()) return status;
  if (Status status = forget_input(db, run); !status.ok()) return status;
  return Statement(db, "UPDATE unkept_runs SET forgotten_at = ?2 WHERE run = ?1").bind(run, now).run();
}

Result<std::optional<UnkeptRun>> SqliteStore::unkept_run(std::string_view run) {
  return reading<std::optional<UnkeptRun>>([&](Database& db) { return find_unkept(db, run); });
}

Result<std::vector<UnkeptRun>> SqliteStore::unkept_runs(std::string_view root, std::string_view after,
                                                        std::uint32_t limit) {
  return reading<std::vector<UnkeptRun>>([&](Database& db) {
    // Two statements, so that each finds its index, which holds those alone that are there still.
    constexpr sqlite::Literal kAll =
        READ_UNKEPT "WHERE forgotten_at IS NULL AND ?1 = '' AND run > ?2 ORDER BY run LIMIT ?3";
    constexpr sqlite::Literal kOf =
        READ_UNKEPT "WHERE forgotten_at IS NULL AND root = ?1 AND run > ?2 ORDER BY run LIMIT ?3";
    Statement query(db, root.empty() ? kAll : kOf);
    return query.bind(root, after, rules::page_size(limit)).all(unkept_of);
  });
}

Status SqliteStore::keep_as(std::string_view workflow, std::string_view run) {
  return commit_.run([&](Database& db) { return keep_as_run(db, workflow, run, clock_.now()); });
}

}  // namespace holdfast::platform
