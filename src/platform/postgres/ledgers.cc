// Audit and histories that are gone: rows that are only ever added. And the pages of all tables.

#include <fmt/format.h>

#include <limits>

#include "platform/step_rules.h"
#include "platform_postgres/completions.h"
#include "platform_postgres/outbox.h"
#include "platform_postgres/postgres_store_impl.h"
#include "platform_postgres/unkept_runs.h"

namespace holdfast::platform {

Result<std::int64_t> page_before(Connection& db, postgres::Literal place, std::string_view after,
                                 std::string_view what) {
  if (after.empty()) return std::numeric_limits<std::int64_t>::max();
  Statement query(db, place);
  Result<std::optional<std::int64_t>> number =
      query.bind(after).one([](const Statement& row) { return row.integer(0); });
  if (!number) return fail(number.error());
  if (!*number) return fail(Code::kInvalidArgument, fmt::format("`after` names no {}: {}", what, after));
  return **number;
}

Status insert_audit(Connection& db, const AuditRow& row) {
  if (Status status = rules::check_body("the detail of an audit row", row.detail); !status.ok())
    return status;
  Statement insert(db, "INSERT INTO audit (at, actor, action, subject, detail) VALUES ($1, $2, $3, $4, $5)");
  return insert.bind(row.at, row.actor, row.action, row.subject, row.detail).run();
}

Status PostgresStore::audit(const AuditRow& row) {
  return commit_.run([&](Connection& db) {
    AuditRow written = row;
    written.at = clock_.now();
    return insert_audit(db, written);
  });
}

Result<std::vector<AuditRow>> PostgresStore::audit_rows(std::string_view subject, std::uint32_t limit) {
  return reading<std::vector<AuditRow>>([&](Connection& db) {
    constexpr postgres::Literal kAll =
        "SELECT id, at, actor, action, subject, detail FROM audit WHERE $1::bytea = '' ORDER BY id DESC "
        "LIMIT $2";
    constexpr postgres::Literal kOfSubject =
        "SELECT id, at, actor, action, subject, detail FROM audit WHERE subject = $1 ORDER BY id DESC LIMIT "
        "$2";
    Statement query(db, subject.empty() ? kAll : kOfSubject);
    return query.bind(subject, rules::page_size(limit)).all([](const Statement& row) {
      AuditRow out;
      row.read(out.id, out.at, out.actor, out.action, out.subject, out.detail);
      return out;
    });
  });
}

Status PostgresStore::forget_histories(const std::vector<GoneHistory>& gone) {
  return commit_.run([&](Connection& db) -> Status {
    for (const GoneHistory& one : gone) {
      if (Status status = forget_steps(db, one.run); !status.ok()) return status;
      if (Status status = forget_blobs(db, one.run); !status.ok()) return status;
      if (Status status = forget_completions(db, one.run); !status.ok()) return status;
      if (Status status = forget_outbox_of(db, one.run); !status.ok()) return status;
      if (Status status = forget_contents(db, one.run, clock_.now()); !status.ok()) return status;
      // The first to say so is right: the log that told how the run ended may be gone by now.
      Statement keep(db,
                     "INSERT INTO gone_histories (run, status, closed_at, at) "
                     "SELECT $1::bytea, $2::bytea, $3::bigint, $4::bigint "
                     "WHERE EXISTS (SELECT 1 FROM runs WHERE run = $1) ON CONFLICT DO NOTHING");
      if (Status status = keep.bind(one.run, one.status, one.closed_at, clock_.now()).run(); !status.ok())
        return status;
    }
    return {};
  });
}

Result<std::optional<GoneHistory>> PostgresStore::gone_history(std::string_view run) {
  return reading<std::optional<GoneHistory>>([&](Connection& db) {
    Statement query(db, "SELECT run, status, closed_at, at FROM gone_histories WHERE run = $1");
    return query.bind(run).one([](const Statement& row) {
      GoneHistory out;
      row.read(out.run, out.status, out.closed_at, out.at);
      return out;
    });
  });
}

}  // namespace holdfast::platform
