// Histories that are gone, as rows, and what goes with them.

#include "platform_sqlite/completions.h"
#include "platform_sqlite/outbox.h"
#include "platform_sqlite/schema.h"
#include "platform_sqlite/sqlite_store_impl.h"
#include "platform_sqlite/unkept_runs.h"

namespace holdfast::platform {

namespace {

// Pages of the file that one transaction gives back to the disk at most.
constexpr const char* kGiveBack = "PRAGMA incremental_vacuum(2000)";

constexpr const char* kTable =
    "CREATE TABLE IF NOT EXISTS gone_histories ("
    "  run TEXT NOT NULL PRIMARY KEY, status TEXT NOT NULL, closed_at INTEGER, at INTEGER NOT NULL)"
    " WITHOUT ROWID";

Status forget(Database& db, const GoneHistory& gone, WallTime now) {
  if (Status status = forget_steps(db, gone.run); !status.ok()) return status;
  if (Status status = forget_blobs(db, gone.run); !status.ok()) return status;
  if (Status status = forget_completions(db, gone.run); !status.ok()) return status;
  if (Status status = forget_outbox_of(db, gone.run); !status.ok()) return status;
  if (Status status = forget_contents(db, gone.run, now); !status.ok()) return status;
  // The first to say so is right: the log that told how the run ended may be gone by now.
  Statement keep(db,
                 "INSERT OR IGNORE INTO gone_histories (run, status, closed_at, at) "
                 "SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM runs WHERE run = ?1)");
  return keep.bind(gone.run, gone.status, gone.closed_at, now).run();
}

}  // namespace

Status prepare_histories(Database& db) {
  if (Status status = db.execute(kTable); !status.ok()) return status;
  return db.execute(kUnkeptRunsTable);
}

Status SqliteStore::forget_histories(const std::vector<GoneHistory>& gone) {
  return commit_.run([&](Database& db) -> Status {
    for (const GoneHistory& one : gone) {
      if (Status status = forget(db, one, clock_.now()); !status.ok()) return status;
    }
    return db.execute(kGiveBack);
  });
}

Result<std::optional<GoneHistory>> SqliteStore::gone_history(std::string_view run) {
  return reading<std::optional<GoneHistory>>([&](Database& db) {
    Statement query(db, "SELECT run, status, closed_at, at FROM gone_histories WHERE run = ?1");
    return query.bind(run).one([](const Statement& row) {
      GoneHistory out;
      row.read(out.run, out.status, out.closed_at, out.at);
      return out;
    });
  });
}

}  // namespace holdfast::platform
