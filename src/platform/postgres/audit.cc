// The record, as who exports it reads it.

#include <limits>

#include "platform_postgres/postgres_store_impl.h"

namespace holdfast::platform {

namespace {

constexpr std::int64_t kEver = std::numeric_limits<std::int64_t>::max();

Result<std::int64_t> last_row(Connection& db) {
  Statement query(db, "SELECT coalesce(max(id), 0) FROM audit");
  auto found = query.one([](const Statement& row) { return row.integer(0); });
  if (!found) return fail(found.error());
  return found->value_or(0);
}

}  // namespace

Result<AuditPage> PostgresStore::audit_page(const AuditFilter& filter) {
  return reading<AuditPage>([&](Connection& db) -> Result<AuditPage> {
    const auto last = last_row(db);
    if (!last) return fail(last.error());
    const std::int64_t until = filter.after < *last - kAuditScan ? filter.after + kAuditScan : *last;
    const std::uint32_t limit = rules::page_size(filter.limit);
    Statement query(
        db,
        "SELECT id, at, actor, action, subject, detail FROM audit WHERE id > $1 AND id <= $2 AND at >= $3 "
        "AND at < $4 AND ($5::bytea = '' OR actor = $5) AND substr(action, 1, length($6::bytea)) = $6 AND "
        "($7::bytea = '' OR subject = $7) ORDER BY id LIMIT $8");
    query.bind(filter.after, until, filter.from.value_or(WallTime()),
               filter.until.value_or(WallTime(std::chrono::nanoseconds(kEver))), filter.actor, filter.kind,
               filter.subject, limit);
    auto rows = query.all([](const Statement& row) {
      AuditRow out;
      row.read(out.id, out.at, out.actor, out.action, out.subject, out.detail);
      return out;
    });
    if (!rows) return fail(rows.error());
    AuditPage out;
    const bool full = rows->size() >= limit;
    out.next = full ? rows->back().id : std::max(until, filter.after);
    out.end = !full && until >= *last;
    out.rows = *std::move(rows);
    return out;
  });
}

}  // namespace holdfast::platform
