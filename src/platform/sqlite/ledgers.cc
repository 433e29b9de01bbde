// Audit: rows that are only ever added. And the pages of all tables.

#include <fmt/format.h>

#include <limits>

#include "platform/step_rules.h"
#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

namespace {

// The id of an audit row is its place.
#define AUDIT_COLUMNS "at, actor, action, subject, detail"
#define AUDIT_VALUES "?1, ?2, ?3, ?4, ?5"
#define READ_AUDIT \
  "SELECT id, " AUDIT_COLUMNS ", " ROW_DAMAGED("checksum", "audit", AUDIT_COLUMNS) " FROM audit "

}  // namespace

Result<std::int64_t> page_before(Database& db, sqlite::Literal place, std::string_view after,
                                 std::string_view what) {
  if (after.empty()) return std::numeric_limits<std::int64_t>::max();
  Statement query(db, place);
  Result<std::optional<std::int64_t>> number =
      query.bind(after).one([](const Statement& row) { return row.integer(0); });
  if (!number) return fail(number.error());
  if (!*number) return fail(Code::kInvalidArgument, fmt::format("`after` names no {}: {}", what, after));
  return **number;
}

Status insert_audit(Database& db, const AuditRow& row) {
  if (Status status = rules::check_body("the detail of an audit row", row.detail); !status.ok())
    return status;
  Statement insert(db, "INSERT INTO audit (" AUDIT_COLUMNS ", checksum) VALUES (" AUDIT_VALUES
                       ", " ROW_SUM("audit", AUDIT_VALUES) ")");
  return insert.bind(row.at, row.actor, row.action, row.subject, row.detail).run();
}

Status SqliteStore::audit(const AuditRow& row) {
  return commit_.run([&](Database& db) {
    AuditRow written = row;
    written.at = clock_.now();
    return insert_audit(db, written);
  });
}

Result<std::vector<AuditRow>> SqliteStore::audit_rows(std::string_view subject, std::uint32_t limit) {
  return reading<std::vector<AuditRow>>([&](Database& db) {
    constexpr sqlite::Literal kAll = READ_AUDIT "WHERE ?1 = '' ORDER BY id DESC";
    constexpr sqlite::Literal kOfSubject = READ_AUDIT "WHERE subject = ?1 ORDER BY id DESC";
    Statement query(db, subject.empty() ? kAll : kOfSubject);
    query.bind(subject);
    return sound_all(query, "audit", damage_, rules::page_size(limit), [](const Statement& row) {
      AuditRow out;
      row.read(out.id, out.at, out.actor, out.action, out.subject, out.detail);
      return out;
    });
  });
}

}  // namespace holdfast::platform
