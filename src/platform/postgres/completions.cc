// Completions as rows.

#include "platform_postgres/completions.h"

#include "platform/completion_calls.h"
#include "platform_postgres/postgres_store_impl.h"

namespace holdfast::platform {

namespace {

#define READ_COMPLETIONS \
  "SELECT id, run, tool, step, tokens, deadline, state, result, told, at, ended_at FROM completions "

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
  Connection& db;

  Result<std::optional<Completion>> find(std::string_view id) {
    Statement query(db, READ_COMPLETIONS "WHERE id = $1");
    return query.bind(id).one(completion_of);
  }
  Status insert(const Completion& row) { return update(row); }
  Status update(const Completion& row) {
    Statement write(
        db,
        "INSERT INTO completions (id, run, tool, step, tokens, deadline, state, result, told, at, "
        "ended_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO UPDATE "
        "SET tokens = excluded.tokens, state = excluded.state, result = excluded.result, "
        "told = excluded.told, ended_at = excluded.ended_at");
    return write
        .bind(row.id, row.run, row.tool, static_cast<std::int64_t>(row.step), row.tokens, row.deadline,
              static_cast<std::int64_t>(row.state), row.result, row.told, row.at, row.ended_at)
        .run();
  }
};

}  // namespace

Status forget_completions(Connection& db, std::string_view run) {
  return Statement(db, "DELETE FROM completions WHERE run = $1").bind(run).run();
}

Result<OpenedCompletion> PostgresStore::open_completion(const CompletionOpening& opening) {
  return write<OpenedCompletion>([&](Connection& db) {
    return calls::open_completion(CompletionRows{db}, opening, random_, clock_.now());
  });
}

Result<Completion> PostgresStore::complete(const CompletionAttempt& attempt) {
  if (Status status = rules::check_body("the result of a call", attempt.result); !status.ok())
    return fail(std::move(status));
  return write<Completion>(
      [&](Connection& db) { return calls::complete(CompletionRows{db}, attempt, clock_.now()); });
}

Result<std::optional<Completion>> PostgresStore::end_completion(std::string_view id, CompletionState as) {
  return write<std::optional<Completion>>(
      [&](Connection& db) { return calls::end_completion(CompletionRows{db}, id, as, clock_.now()); });
}

Result<std::optional<Completion>> PostgresStore::completion(std::string_view id) {
  return reading<std::optional<Completion>>([&](Connection& db) { return CompletionRows{db}.find(id); });
}

Result<std::vector<Completion>> PostgresStore::untold_completions(std::string_view after,
                                                                  std::uint32_t limit) {
  return reading<std::vector<Completion>>([&](Connection& db) {
    Statement query(db,
                    READ_COMPLETIONS "WHERE told = 0 AND state IN (1, 2) AND id > $1 ORDER BY id LIMIT $2");
    return query.bind(after, rules::page_size(limit)).all(completion_of);
  });
}

}  // namespace holdfast::platform
