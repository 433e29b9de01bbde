// The lines of conversations as rows.

#include "platform/turn_calls.h"

#include <utility>

#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

namespace {

// The number of a turn is its place.
#define TURN_COLUMNS "conversation, run, at, over"
#define READ_TURNS \
  "SELECT run, conversation, at, over, " ROW_DAMAGED("checksum", "turns", TURN_COLUMNS) " FROM turns "

Turn turn_of(const Statement& row) {
  Turn out;
  row.read(out.run, out.conversation, out.at, out.over);
  return out;
}

struct TurnRows {
  Database& db;

  Result<std::optional<Turn>> find(std::string_view run) {
    Statement query(db, READ_TURNS "WHERE run = ?1");
    return sound_one(query.bind(run), "turns", turn_of);
  }
  Status erase(std::string_view run) {
    Statement erase(db, "DELETE FROM turns WHERE run = ?1");
    return erase.bind(run).run();
  }
  Status insert(const Turn& turn) { return insert_turn(db, turn); }
  Status end(const Turn& turn) {
    Statement update(db, "UPDATE turns SET over = 1, checksum = " ROW_SUM(
                             "turns", "conversation, run, at, 1") " WHERE run = ?1");
    return update.bind(turn.run).run();
  }

  Result<Turn> look(Turn turn) {
    Statement query(db,
                    "SELECT (SELECT run FROM turns WHERE conversation = ?1 AND over = 0 ORDER BY n LIMIT 1), "
                    "(SELECT count(*) FROM (SELECT 1 FROM turns WHERE conversation = ?1 AND over = 0 AND n < "
                    "(SELECT n FROM turns WHERE run = ?2) LIMIT ?3)), "
                    "EXISTS (SELECT 1 FROM steps WHERE run = ?2), "
                    "?1 <> ?2 AND EXISTS (SELECT 1 FROM steps WHERE run = ?1 AND conversation = ?1) "
                    "AND NOT EXISTS (SELECT 1 FROM turns WHERE run = ?1 AND over = 0)");
    if (!query.bind(turn.conversation, turn.run, kMaxCountedAhead).next()) return fail(query.status());
    query.read(turn.first, turn.ahead, turn.began, turn.behind_owner);
    return turn;
  }
};

}  // namespace

Status insert_turn(Database& db, const Turn& turn) {
  Statement insert(db, "INSERT INTO turns (" TURN_COLUMNS
                       ", checksum) VALUES (?1, ?2, ?3, ?4, " ROW_SUM("turns", "?1, ?2, ?3, ?4") ")");
  return insert.bind(turn.conversation, turn.run, turn.at, turn.over).run();
}

Result<std::string> conversation_of(Database& db, std::string_view run) {
  Result<std::optional<Turn>> found = TurnRows{db}.find(run);
  if (!found) return fail(found.error());
  return *found ? std::move((*found)->conversation) : std::string();
}

Result<Turn> SqliteStore::take_turn(std::string_view conversation, std::string_view run) {
  for (const auto& [what, name] : {std::pair{"a conversation", conversation}, std::pair{"a run", run}}) {
    if (Status status = rules::check_name(what, name); !status.ok()) return fail(std::move(status));
  }
  // Who waits asks again and again, and writes nothing by it.
  Result<std::optional<Turn>> stored = turn(run);
  if (!stored) return fail(stored.error());
  if (calls::stands_in(*stored, conversation)) return std::move(**stored);
  return write<Turn>(
      [&](Database& db) { return calls::take_turn(TurnRows{db}, conversation, run, clock_.now()); });
}

Result<std::string> SqliteStore::leave_turn(std::string_view run) {
  const Result<std::optional<Turn>> stored = turn(run);
  if (!stored) return fail(stored.error());
  if (!*stored || (*stored)->over) return std::string();
  return write<std::string>([&](Database& db) { return calls::leave_turn(TurnRows{db}, run); });
}

Result<std::optional<Turn>> SqliteStore::turn(std::string_view run) {
  return reading<std::optional<Turn>>([&](Database& db) -> Result<std::optional<Turn>> {
    TurnRows rows{db};
    Result<std::optional<Turn>> found = rows.find(run);
    if (!found || !*found) return found;
    Result<Turn> turn = rows.look(std::move(**found));
    if (!turn) return fail(turn.error());
    return std::optional<Turn>(std::move(*turn));
  });
}

Result<std::vector<Turn>> SqliteStore::turns(std::string_view conversation, std::string_view after,
                                             std::uint32_t limit) {
  return reading<std::vector<Turn>>([&](Database& db) -> Result<std::vector<Turn>> {
    Result<std::int64_t> before = page_before(db, "SELECT n FROM turns WHERE run = ?1", after, "run");
    if (!before) return fail(before.error());
    Statement query(db, READ_TURNS "WHERE conversation = ?1 AND n < ?2 ORDER BY n DESC");
    query.bind(conversation, *before);
    return sound_all(query, "turns", damage_, rules::page_size(limit), turn_of);
  });
}

}  // namespace holdfast::platform
