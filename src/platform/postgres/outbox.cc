#include "platform_postgres/outbox.h"

#include "platform_postgres/postgres_store_impl.h"

namespace holdfast::platform {

Status insert_outbox(Connection& db, const OutboxRow& row) {
  Statement insert(db, "INSERT INTO outbox (n, run, entries) VALUES ($1, $2, $3)");
  return insert.bind(row.n, row.run, row.entries).run();
}

// There are few rows, and no index.
Status forget_outbox_of(Connection& db, std::string_view run) {
  return Statement(db, "DELETE FROM outbox WHERE run = $1").bind(run).run();
}

Result<std::vector<OutboxRow>> PostgresStore::outbox_rows(std::int64_t after) {
  return reading<std::vector<OutboxRow>>([&](Connection& db) {
    Statement query(db, "SELECT n, run, entries FROM outbox WHERE n > $1 ORDER BY n LIMIT $2");
    return query.bind(after, kOutboxPage).all([](const Statement& row) {
      OutboxRow out;
      row.read(out.n, out.run, out.entries);
      return out;
    });
  });
}

Status PostgresStore::forget_outbox(const std::vector<std::int64_t>& rows) {
  postgres::Array gone(postgres::Array::Of::kIntegers);
  for (const std::int64_t n : rows) gone.add(n);
  return commit_.run([&](Connection& db) {
    return Statement(db, "DELETE FROM outbox WHERE n = ANY ($1::bigint[])").bind(gone).run();
  });
}

}  // namespace holdfast::platform
