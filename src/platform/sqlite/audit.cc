// The record, as who exports it reads it.

#include <limits>

#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

namespace {

#define AUDIT_COLUMNS "at, actor, action, subject, detail"

constexpr std::int64_t kEver = std::numeric_limits<std::int64_t>::max();

Result<std::int64_t> last_row(Database& db) {
  Statement query(db, "SELECT ifnull(max(id), 0) FROM audit");
  auto found = query.one([](const Statement& row) { return row.integer(0); });
  if (!found) return fail(found.error());
  return found->value_or(0);
}

}  // namespace

Result<AuditPage> SqliteStore::audit_page(const AuditFilter& filter) {
  return reading<AuditPage>([&](Database& db) -> Result<AuditPage> {
    const auto last = last_row(db);
    if (!last) return fail(last.error());
    const std::int64_t until = filter.after < *last - kAuditScan ? filter.after + kAuditScan : *last;
    Statement query(db, "SELECT id, " AUDIT_COLUMNS ", " ROW_DAMAGED("checksum", "audit", AUDIT_COLUMNS)
                        " FROM audit WHERE id > ?1 AND id <= ?2 AND at >= ?3 AND at < ?4 AND (?5 = '' OR actor = ?5) "
                        "AND substr(action, 1, length(?6)) = ?6 AND (?7 = '' OR subject = ?7) ORDER BY id");
    query.bind(filter.after, until, filter.from.value_or(WallTime()),
               filter.until.value_or(WallTime(std::chrono::nanoseconds(kEver))), filter.actor, filter.kind,
               filter.subject);
    const std::size_t limit = rules::page_size(filter.limit);
    auto rows = sound_all(query, "audit", damage_, limit, [](const Statement& row) {
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
