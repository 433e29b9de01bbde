// Usage and audit: rows that are only ever added. And the pages of all tables.

#include <fmt/format.h>

#include <limits>

#include "platform/step_rules.h"
#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

namespace {

#define USAGE_COLUMNS "key, run, agent, provider, model, input_tokens, output_tokens, cached_input_tokens, at"
#define USAGE_VALUES "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9"
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

Status insert_usage(Database& db, const Usage& usage, WallTime now) {
  if (Status status = rules::check_usage(usage); !status.ok()) return status;
  Statement insert(db, "INSERT OR IGNORE INTO usage (" USAGE_COLUMNS ", checksum) VALUES (" USAGE_VALUES
                       ", " ROW_SUM("usage", USAGE_VALUES) ")");
  return insert
      .bind(usage.key, usage.run, usage.agent, usage.provider, usage.model, usage.input_tokens,
            usage.output_tokens, usage.cached_input_tokens, now)
      .run();
}

Status insert_audit(Database& db, const AuditRow& row) {
  if (Status status = rules::check_body("the detail of an audit row", row.detail); !status.ok())
    return status;
  Statement insert(db, "INSERT INTO audit (" AUDIT_COLUMNS ", checksum) VALUES (" AUDIT_VALUES
                       ", " ROW_SUM("audit", AUDIT_VALUES) ")");
  return insert.bind(row.at, row.actor, row.action, row.subject, row.detail).run();
}

Status SqliteStore::record_usage(const Usage& usage) {
  return commit_.run([&](Database& db) { return insert_usage(db, usage, clock_.now()); });
}

Result<UsageTotal> SqliteStore::usage_of_run(std::string_view run) {
  return reading<UsageTotal>([&](Database& db) -> Result<UsageTotal> {
    Statement query(db,
                    "SELECT count(*), coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0), "
                    "coalesce(sum(cached_input_tokens), 0), coalesce(max(" ROW_DAMAGED(
                        "checksum", "usage", USAGE_COLUMNS) "), 0) FROM usage WHERE run = ?1");
    if (!query.bind(run).next()) return fail(query.status());
    // A sum over what may be another number is none.
    if (last_column_says_damaged(query)) return fail(damaged_row("usage", run));
    UsageTotal out;
    query.read(out.calls, out.input_tokens, out.output_tokens, out.cached_input_tokens);
    return out;
  });
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
