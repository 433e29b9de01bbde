// Completions as rows.

#include "platform_sqlite/completions.h"

#include "platform/completion_calls.h"
#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

namespace {

#define COMPLETION_COLUMNS "id, run, tool, step, tokens, deadline, state, result, told, at, ended_at"
#define COMPLETION_VALUES "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11"
#define READ_COMPLETIONS \
  "SELECT " COMPLETION_COLUMNS ", " ROW_DAMAGED("checksum", "completions", COMPLETION_COLUMNS) " FROM " \
  "completions "

Completion completion_of(const Statement& row) {
  Completion out;
  std::int64_t step = 0;
  std::int64_t state = 0;
  row.read(out.id, out.run, out.tool, step, out.tokens, out.deadline, state, out.result, out.told, out.at,
           out.ended_at);
  out.step = static_cast<std::uint32_t>(step);
  out.state = static_cast<CompletionState>(state);
  return out;
}

struct CompletionRows {
  Database& db;

  Result<std::optional<Completion>> find(std::string_view id) {
    Statement query(db, READ_COMPLETIONS "WHERE id = ?1");
    return sound_one(query.bind(id), "completions", completion_of);
  }
  Status write(Statement statement, const Completion& row) {
    return statement
        .bind(row.id, row.run, row.tool, static_cast<std::int64_t>(row.step), row.tokens, row.deadline,
              static_cast<std::int64_t>(row.state), row.result, row.told, row.at, row.ended_at)
        .run();
  }
  Status insert(const Completion& row) { return update(row); }
  Status update(const Completion& row) {
    return write(Statement(db, "INSERT OR REPLACE INTO completions (" COMPLETION_COLUMNS
                               ", checksum) VALUES (" COMPLETION_VALUES
                               ", " ROW_SUM("completions", COMPLETION_VALUES) ")"),
                 row);
  }
};

}  // namespace

Status forget_completions(Database& db, std::string_view run) {
  return Statement(db, "DELETE FROM completions WHERE run = ?1").bind(run).run();
}

Result<OpenedCompletion> SqliteStore::open_completion(const CompletionOpening& opening) {
  return write<OpenedCompletion>([&](Database& db) {
    return calls::open_completion(CompletionRows{db}, opening, random_, clock_.now());
  });
}

Result<Completion> SqliteStore::complete(const CompletionAttempt& attempt) {
  if (Status status = rules::check_body("the result of a call", attempt.result); !status.ok())
    return fail(std::move(status));
  return write<Completion>(
      [&](Database& db) { return calls::complete(CompletionRows{db}, attempt, clock_.now()); });
}

Result<std::optional<Completion>> SqliteStore::end_completion(std::string_view id, CompletionState as) {
  return write<std::optional<Completion>>(
      [&](Database& db) { return calls::end_completion(CompletionRows{db}, id, as, clock_.now()); });
}

Result<std::optional<Completion>> SqliteStore::completion(std::string_view id) {
  return reading<std::optional<Completion>>([&](Database& db) { return CompletionRows{db}.find(id); });
}

Result<std::vector<Completion>> SqliteStore::untold_completions(std::string_view after, std::uint32_t limit) {
  return reading<std::vector<Completion>>([&](Database& db) {
    Statement query(db, READ_COMPLETIONS "WHERE told = 0 AND state IN (1, 2) AND id > ?1 ORDER BY id");
    query.bind(after);
    return sound_all(query, "completions", damage_, rules::page_size(limit), completion_of);
  });
}

}  // namespace holdfast::platform
