// Lines of runs as rows. The number of a row is its place.

#include "platform_sqlite/flow.h"

#include "platform/flow_calls.h"
#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

namespace {

#define FLOW_COLUMNS "line, run, key, rules, input, state, into_run, at, since, begun_at"
#define FLOW_VALUES "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10"
#define READ_FLOW                                                                            \
  "SELECT run, line, key, rules, input, state, into_run, at, since, begun_at, " ROW_DAMAGED( \
      "checksum", "flow_places", FLOW_COLUMNS) " FROM flow_places "

FlowRow flow_of(const Statement& row) {
  FlowRow out;
  std::string rules;
  std::int64_t state = 0;
  row.read(out.place.run, out.place.line, out.place.key, rules, out.place.input, state, out.into, out.at,
           out.since, out.begun_at);
  out.place.rules = flow_rules_of(rules);
  out.state = static_cast<FlowState>(state);
  return out;
}

Status bind_and_run(Statement& statement, const FlowRow& row) {
  const FlowPlace& place = row.place;
  return statement
      .bind(place.line, place.run, place.key, to_text(place.rules), place.input,
            static_cast<std::int64_t>(row.state), row.into, row.at, row.since, row.begun_at)
      .run();
}

struct FlowRows {
  Database& db;

  Result<std::optional<FlowRow>> find(std::string_view run) {
    Statement query(db, READ_FLOW "WHERE run = ?1");
    return sound_one(query.bind(run), "flow_places", flow_of);
  }
  Status erase(std::string_view run) {
    return Statement(db, "DELETE FROM flow_places WHERE run = ?1").bind(run).run();
  }
  Status insert(const FlowRow& row) {
    Statement insert(db, "INSERT INTO flow_places (" FLOW_COLUMNS ", checksum) VALUES (" FLOW_VALUES
                         ", " ROW_SUM("flow_places", FLOW_VALUES) ")");
    return bind_and_run(insert, row);
  }
  Status update(const FlowRow& row) {
    Statement update(db,
                     "UPDATE flow_places SET line = ?1, key = ?3, rules = ?4, input = ?5, state = ?6, into_run = "
                     "?7, at = ?8, since = ?9, begun_at = ?10, checksum = " ROW_SUM("flow_places", FLOW_VALUES) " "
                     "WHERE run = ?2");
    return bind_and_run(update, row);
  }

  Result<std::uint32_t> count(Statement& query) {
    if (!query.next()) return fail(query.status());
    return static_cast<std::uint32_t>(query.integer(0));
  }
  Result<std::uint32_t> count_waiting(std::string_view line, std::uint32_t most) {
    Statement query(
        db, "SELECT count(*) FROM (SELECT 1 FROM flow_places WHERE line = ?1 AND state = 0 LIMIT ?2)");
    return count(query.bind(line, most));
  }
  Result<std::uint32_t> count_came(std::string_view line, WallTime since, std::uint32_t most) {
    Statement query(db,
                    "SELECT count(*) FROM (SELECT 1 FROM flow_places WHERE line = ?1 AND at > ?2 LIMIT ?3)");
    return count(query.bind(line, since, most));
  }
  Result<std::vector<FlowRow>> waiting(std::string_view line, std::uint32_t most) {
    return all(Statement(db, READ_FLOW "WHERE line = ?1 AND state = 0 ORDER BY n LIMIT ?2").bind(line, most));
  }
  Result<std::vector<FlowRow>> stands_for(std::string_view run) {
    return all(Statement(db, READ_FLOW "WHERE into_run = ?1 AND into_run <> '' ORDER BY n LIMIT ?2")
                   .bind(run, kMaxFlowBatch));
  }
  Result<std::vector<FlowRow>> all(Statement& query) {
    std::vector<FlowRow> out;
    while (query.next()) {
      if (last_column_says_damaged(query)) return fail(damaged_row("flow_places", query.view(0)));
      out.push_back(flow_of(query));
    }
    if (!query.status().ok()) return fail(query.status());
    return out;
  }

  Status count(const FlowRow& row, rules::FlowLine& out) {
    const FlowRules& rules = row.place.rules;
    Statement query(
        db,
        "SELECT (SELECT count(*) FROM (SELECT 1 FROM flow_places WHERE line = ?1 AND state = 0 AND n < "
        "(SELECT n FROM flow_places WHERE run = ?2) LIMIT ?3)), "
        "coalesce((SELECT run FROM flow_places WHERE line = ?1 AND state = 0 ORDER BY n LIMIT 1), ''), "
        "coalesce((SELECT at FROM flow_places WHERE line = ?1 AND state = 0 ORDER BY n LIMIT 1), 0), "
        "(SELECT count(*) FROM (SELECT 1 FROM flow_places WHERE line = ?1 AND state = 1 LIMIT ?4)), "
        "(SELECT count(*) FROM (SELECT 1 FROM flow_places WHERE line = ?1 AND state = 0 LIMIT ?5)), "
        "coalesce((SELECT sum(bytes) FROM (SELECT length(CAST(input AS BLOB)) AS bytes FROM flow_places "
        "WHERE line = ?1 AND state = 0 ORDER BY n LIMIT ?5)), 0)");
    query.bind(row.place.line, row.place.run, kMaxCountedAhead, rules.concurrency, rules.batch);
    if (!query.next()) return query.status();
    std::int64_t bytes = 0;
    query.read(out.waiting_before, out.first_waiting, out.first_waiting_at, out.running, out.waiting, bytes);
    out.waiting_bytes = static_cast<std::size_t>(bytes);
    return {};
  }
  Result<std::optional<WallTime>> nth_begun(std::string_view line, std::uint32_t n) {
    std::optional<WallTime> out;
    Statement query(db,
                    "SELECT begun_at FROM flow_places WHERE line = ?1 AND begun_at IS NOT NULL ORDER BY "
                    "begun_at DESC LIMIT 1 OFFSET ?2");
    query.bind(line, n);
    if (query.next()) query.read(out);
    if (!query.status().ok()) return fail(query.status());
    return out;
  }
  Result<std::vector<std::string>> running(std::string_view line, std::uint32_t most) {
    std::vector<std::string> out;
    Statement query(db, "SELECT run FROM flow_places WHERE line = ?1 AND state = 1 ORDER BY n LIMIT ?2");
    query.bind(line, most);
    while (query.next()) out.push_back(query.text(0));
    if (!query.status().ok()) return fail(query.status());
    return out;
  }
};

}  // namespace

Status enter_flow(Database& db, const FlowPlace& place, WallTime now) {
  FlowRows rows{db};
  return calls::enter_flow(rows, place, now);
}

Result<FlowTurn> SqliteStore::take_flow(const FlowPlace& place) {
  Result<std::optional<FlowTurn>> stored = flow_turn(place.run);
  if (!stored) return fail(stored.error());
  if (calls::waits_in(*stored, place)) return std::move(**stored);
  return write<FlowTurn>([&](Database& db) { return calls::take_flow(FlowRows{db}, place, clock_.now()); });
}

Result<std::string> SqliteStore::leave_flow(std::string_view run) {
  Result<std::optional<FlowRow>> stored =
      reading<std::optional<FlowRow>>([&](Database& db) { return FlowRows{db}.find(run); });
  if (!stored) return fail(stored.error());
  if (!*stored) return std::string();
  return write<std::string>([&](Database& db) { return calls::leave_flow(FlowRows{db}, run); });
}

Result<std::optional<FlowTurn>> SqliteStore::flow_turn(std::string_view run) {
  return reading<std::optional<FlowTurn>>(
      [&](Database& db) { return calls::flow_turn(FlowRows{db}, run, clock_.now()); });
}

Result<std::vector<FlowRow>> SqliteStore::flow_line(std::string_view line, std::string_view after,
                                                    std::uint32_t limit) {
  return reading<std::vector<FlowRow>>([&](Database& db) -> Result<std::vector<FlowRow>> {
    Result<std::int64_t> before = page_before(db, "SELECT n FROM flow_places WHERE run = ?1", after, "run");
    if (!before) return fail(before.error());
    Statement query(db, READ_FLOW "WHERE line = ?1 AND n < ?2 ORDER BY n DESC");
    query.bind(line, *before);
    return sound_all(query, "flow_places", damage_, rules::page_size(limit), flow_of);
  });
}

}  // namespace holdfast::platform
