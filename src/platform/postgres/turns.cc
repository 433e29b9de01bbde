// The lines of conversations as rows.

#include "platform/turn_calls.h"

#include <utility>

#include "platform_postgres/postgres_store_impl.h"

namespace holdfast::platform {

namespace {

#define READ_TURNS "SELECT run, conversation, at, over FROM turns "

Turn turn_of(const Statement& row) {
  Turn out;
  row.read(out.run, out.conversation, out.at, out.over);
  return out;
}

struct TurnRows {
  Connection& db;

  Result<std::optional<Turn>> find(std::string_view run) {
    Statement query(db, READ_TURNS "WHERE run = $1");
    return query.bind(run).one(turn_of);
  }
  Status erase(std::string_view run) {
    Statement erase(db, "DELETE FROM turns WHERE run = $1");
    return erase.bind(run).run();
  }
  Status insert(const Turn& turn) { return insert_turn(db, turn); }
  Status end(const Turn& turn) {
    Statement update(db, "UPDATE turns SET over = 1 WHERE run = $1");
    return update.bind(turn.run).run();
  }

  Result<Turn> look(Turn turn) {
    Statement query(
        db,
        "SELECT (SELECT run FROM turns WHERE conversation = $1::bytea AND over = 0 ORDER BY n LIMIT 1), "
        "(SELECT count(*) FROM (SELECT 1 FROM turns WHERE conversation = $1::bytea AND over = 0 AND n < "
        "(SELECT n FROM turns WHERE run = $2::bytea) LIMIT $3::bigint) AS before), "
        "EXISTS (SELECT 1 FROM steps WHERE run = $2::bytea), "
        "$1::bytea <> $2::bytea AND EXISTS (SELECT 1 FROM steps WHERE run = $1::bytea AND conversation = "
        "$1::bytea) AND NOT EXISTS (SELECT 1 FROM turns WHERE run = $1::bytea AND over = 0)");
    if (!query.bind(turn.conversation, turn.run, kMaxCountedAhead).next()) return fail(query.status());
    query.read(turn.first, turn.ahead, turn.began, turn.behind_owner);
    return turn;
  }
};

}  // namespace

Status insert_turn(Connection& db, const Turn& turn) {
  Statement insert(db, "INSERT INTO turns (conversation, run, at, over) VALUES ($1, $2, $3, $4)");
  return insert.bind(turn.conversation, turn.run, turn.at, turn.over).run();
}

Result<Turn> PostgresStore::take_turn(std::string_view conversation, std::string_view run) {
  for (const auto& [what, name] : {std::pair{"a conversation", conversation}, std::pair{"a run", run}}) {
    if (Status status = rules::check_name(what, name); !status.ok()) return fail(std::move(status));
  }
  // Who waits asks again and again, and writes nothing by it.
  Result<std::optional<Turn>> stored = turn(run);
  if (!stored) return fail(stored.error());
  if (calls::stands_in(*stored, conversation)) return std::move(**stored);
  return write<Turn>(
      [&](Connection& db) { return calls::take_turn(TurnRows{db}, conversation, run, clock_.now()); });
}

Result<std::string> PostgresStore::leave_turn(std::string_view run) {
  const Result<std::optional<Turn>> stored = turn(run);
  if (!stored) return fail(stored.error());
  if (!*stored || (*stored)->over) return std::string();
  return write<std::string>([&](Connection& db) { return calls::leave_turn(TurnRows{db}, run); });
}

Result<std::optional<Turn>> PostgresStore::turn(std::string_view run) {
  return reading<std::optional<Turn>>([&](Connection& db) -> Result<std::optional<Turn>> {
    TurnRows rows{db};
    Result<std::optional<Turn>> found = rows.find(run);
    if (!found || !*found) return found;
    Result<Turn> turn = rows.look(std::move(**found));
    if (!turn) return fail(turn.error());
    return std::optional<Turn>(std::move(*turn));
  });
}

Result<std::vector<Turn>> PostgresStore::turns(std::string_view conversation, std::string_view after,
                                               std::uint32_t limit) {
  return reading<std::vector<Turn>>([&](Connection& db) -> Result<std::vector<Turn>> {
    Result<std::int64_t> before = page_before(db, "SELECT n FROM turns WHERE run = $1", after, "run");
    if (!before) return fail(before.error());
    Statement query(db, READ_TURNS "WHERE conversation = $1 AND n < $2 ORDER BY n DESC LIMIT $3");
    return query.bind(conversation, *before, rules::page_size(limit)).all(turn_of);
  });
}

}  // namespace holdfast::platform
