// Runs that wait for somebody, and runs that take up others.

#include "platform_postgres/postgres_store_impl.h"

namespace holdfast::platform {

namespace {

HeldRun held_of(const Statement& row) {
  HeldRun out;
  std::int64_t kind = 0;
  row.read(out.run, kind, out.reason, out.detail, out.by, out.at);
  out.kind = static_cast<protocol::HoldKind>(kind);
  return out;
}

Result<std::optional<Origin>> find_origin(Connection& db, std::string_view run) {
  Statement query(db, "SELECT run, origin, state, started_by, at FROM origins WHERE run = $1");
  return query.bind(run).one([](const Statement& row) {
    Origin out;
    row.read(out.run, out.origin, out.state, out.by, out.at);
    return out;
  });
}

}  // namespace

Status PostgresStore::hold_run(const HeldRun& held) {
  if (Status status = rules::check_body("why a run waits", held.reason + held.detail); !status.ok())
    return status;
  return commit_.run([&](Connection& db) {
    Statement insert(db,
                     "INSERT INTO held_runs (run, kind, reason, detail, held_by, at) "
                     "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (run) DO UPDATE SET kind = excluded.kind, "
                     "reason = excluded.reason, detail = excluded.detail, held_by = excluded.held_by, "
                     "at = excluded.at");
    return insert
        .bind(held.run, static_cast<std::int64_t>(held.kind), held.reason, held.detail, held.by, held.at)
        .run();
  });
}

Status PostgresStore::release_run(std::string_view run) {
  return commit_.run(
      [&](Connection& db) { return Statement(db, "DELETE FROM held_runs WHERE run = $1").bind(run).run(); });
}

Result<std::optional<HeldRun>> PostgresStore::held_run(std::string_view run) {
  return reading<std::optional<HeldRun>>([&](Connection& db) {
    Statement query(db, "SELECT run, kind, reason, detail, held_by, at FROM held_runs WHERE run = $1");
    return query.bind(run).one(held_of);
  });
}

Result<std::vector<HeldRun>> PostgresStore::held_runs(const HeldFilter& filter) {
  return reading<std::vector<HeldRun>>([&](Connection& db) {
    Statement query(
        db,
        "SELECT run, kind, reason, detail, held_by, at FROM held_runs WHERE kind = $1 AND run > $2 "
        "ORDER BY run LIMIT $3");
    return query.bind(static_cast<std::int64_t>(filter.kind), filter.after, rules::page_size(filter.limit))
        .all(held_of);
  });
}

Result<Origin> PostgresStore::put_origin(const Origin& origin) {
  if (Status status = rules::check_body("what a run takes up", origin.state); !status.ok())
    return fail(std::move(status));
  return write<Origin>([&](Connection& db) -> Result<Origin> {
    Statement insert(db,
                     "INSERT INTO origins (run, origin, state, started_by, at) VALUES ($1, $2, $3, $4, $5) "
                     "ON CONFLICT DO NOTHING");
    const Status written =
        insert.bind(origin.run, origin.origin, origin.state, origin.by, clock_.now()).run();
    if (!written.ok()) return fail(written);
    auto stored = find_origin(db, origin.run);
    if (!stored) return fail(stored.error());
    return std::move(**stored);
  });
}

Result<std::optional<Origin>> PostgresStore::origin(std::string_view run) {
  return reading<std::optional<Origin>>([&](Connection& db) { return find_origin(db, run); });
}

}  // namespace holdfast::platform
