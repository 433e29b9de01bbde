#include "platform_sqlite/outbox.h"

#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

Status insert_outbox(Database& db, const OutboxRow& row) {
  Statement insert(db, "INSERT INTO outbox (n, run, entries, checksum) VALUES (?1, ?2, ?3, " ROW_SUM(
                           "outbox", "?1, ?2, ?3") ")");
  return insert.bind(row.n, row.run, row.entries).run();
}

// There are few rows, and no index.
Status forget_outbox_of(Database& db, std::string_view run) {
  return Statement(db, "DELETE FROM outbox WHERE run = ?1").bind(run).run();
}

Result<std::vector<OutboxRow>> SqliteStore::outbox_rows(std::int64_t after) {
  return reading<std::vector<OutboxRow>>([&](Database& db) {
    Statement query(db, "SELECT n, run, entries, " ROW_DAMAGED(
                            "checksum", "outbox", "n, run, entries") " FROM outbox WHERE n > ?1 ORDER BY n");
    return sound_all(query.bind(after), "outbox", damage_, kOutboxPage, [](const Statement& row) {
      OutboxRow out;
      row.read(out.n, out.run, out.entries);
      return out;
    });
  });
}

Status SqliteStore::forget_outbox(const std::vector<std::int64_t>& rows) {
  return commit_.run([&](Database& db) -> Status {
    for (const std::int64_t n : rows) {
      Status status = Statement(db, "DELETE FROM outbox WHERE n = ?1").bind(n).run();
      if (!status.ok()) return status;
    }
    return {};
  });
}

}  // namespace holdfast::platform
