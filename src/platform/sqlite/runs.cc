// Runs and definitions as rows.

#include "platform/calls.h"

#include <fmt/format.h>

#include "base/sha256.h"
#include "platform_sqlite/flow.h"
#include "platform_sqlite/run_index.h"
#include "platform_sqlite/run_settings.h"
#include "platform_sqlite/sqlite_store_impl.h"
#include "platform_sqlite/unkept_runs.h"

namespace holdfast::platform {

namespace {

using rules::StoredRun;
using rules::Write;

#define RUN_COLUMNS \
  "run, agent, definition_hash, input, idempotency_key, request_id, engine_run_id, created_at, started_at"

#define SEALED_RUN_COLUMNS RUN_COLUMNS ", fingerprint"
#define RUN_VALUES "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10"
#define READ_RUNS \
  "SELECT " RUN_COLUMNS ", fingerprint, " ROW_DAMAGED("checksum", "runs", SEALED_RUN_COLUMNS) " FROM runs "

RunRecord run_of(const Statement& row) {
  RunRecord out;
  row.read(out.run, out.agent, out.definition_hash, out.input, out.idempotency_key, out.request_id,
           out.engine_run_id, out.created_at, out.started_at);
  out.input_bytes = out.input.size();
  return out;
}

// In the indexes of lists: behind an input of megabytes a row's other columns are found by walking over it.
#define LISTED_RUN_COLUMNS \
  "n, run, agent, definition_hash, idempotency_key, request_id, engine_run_id, created_at, started_at"

struct ListedRun {
  std::int64_t n = 0;
  RunRecord run;
};

ListedRun listed_run_of(const Statement& row) {
  ListedRun out;
  row.read(out.n, out.run.run, out.run.agent, out.run.definition_hash, out.run.idempotency_key,
           out.run.request_id, out.run.engine_run_id, out.run.created_at, out.run.started_at);
  return out;
}

// The beginning of a long input proves nothing of the row: whoever goes on from it reads it whole.
Status read_beginning(Database& db, ListedRun& row) {
  constexpr std::size_t kLongestCharacter = 4;
  auto input = db.beginning("runs", "input", row.n, kLongestCharacter * kMaxListedInput);
  if (!input) return input.error();
  row.run.input_bytes = input->of;
  row.run.input = rules::first_characters(std::move(input->bytes), kMaxListedInput);
  return {};
}

Status read_conversation(Database& db, RunRecord& run) {
  Result<std::string> found = conversation_of(db, run.run);
  if (!found) return found.error();
  run.conversation = std::move(*found);
  return {};
}

Status read_conversations(Database& db, std::vector<RunRecord>& runs) {
  for (RunRecord& run : runs) {
    if (Status status = read_conversation(db, run); !status.ok()) return status;
  }
  return {};
}

constexpr sqlite::Literal kByRun = READ_RUNS "WHERE run = ?1";
constexpr sqlite::Literal kByKey = READ_RUNS "WHERE idempotency_key = ?1";

// None too when `value` is empty.
Result<std::optional<StoredRun>> find_run(Database& db, sqlite::Literal sql, std::string_view value) {
  if (value.empty()) return std::nullopt;
  Statement query(db, sql);
  Result<std::optional<StoredRun>> found = sound_one(
      query.bind(value), "runs", [](const Statement& row) { return StoredRun{run_of(row), row.text(9)}; });
  if (!found || !*found) return found;
  if (Status status = read_conversation(db, (*found)->run); !status.ok()) return fail(std::move(status));
  return found;
}

Result<RunRecord> need_run(Database& db, std::string_view id) {
  Result<StoredRun> found = calls::need(find_run(db, kByRun, id), "run", id);
  if (!found) return fail(found.error());
  return std::move(found->run);
}

struct RunRows {
  Database& db;

  Result<std::optional<StoredRun>> find_by_key(std::string_view key) { return find_run(db, kByKey, key); }
  Result<std::optional<StoredRun>> find(std::string_view id) { return find_run(db, kByRun, id); }
  Status insert_audit(const AuditRow& row) { return platform::insert_audit(db, row); }
  Status insert(const StoredRun& row) {
    const RunRecord& run = row.run;
    std::optional<std::string> key;
    if (!run.idempotency_key.empty()) key = run.idempotency_key;
    Statement insert(db, "INSERT INTO runs (" SEALED_RUN_COLUMNS ", checksum) VALUES (" RUN_VALUES
                         ", " ROW_SUM("runs", RUN_VALUES) ")");
    insert.bind(run.run, run.agent, run.definition_hash, run.input, key, run.request_id, run.engine_run_id,
                run.created_at, run.started_at, row.fingerprint);
    if (Status status = insert.run(); !status.ok()) return status;
    if (Status status = insert_run_settings(db, run.run, row.settings); !status.ok()) return status;
    if (row.flow) {
      if (Status status = enter_flow(db, *row.flow, run.created_at); !status.ok()) return status;
    }
    if (!row.keep) {
      if (Status status = insert_unkept_run(db, run.run, run.created_at); !status.ok()) return status;
    }
    if (!row.history.empty()) {
      Status begun = begin_conversation_in(db, rules::conversation_of(run), row.history, run.created_at);
      if (!begun.ok()) return begun;
    }
    if (run.conversation.empty()) return {};
    Turn turn;
    turn.conversation = run.conversation;
    turn.run = run.run;
    turn.at = run.created_at;
    return insert_turn(db, turn);
  }
};

#define DEFINITION_COLUMNS                                                                                \
  "d.name, d.hash, d.text, d.at, "                                                                        \
  "EXISTS (SELECT 1 FROM current_definitions c WHERE c.name = d.name AND c.hash = d.hash), " ROW_DAMAGED( \
      "d.checksum", "definitions", "d.name, d.hash, d.at")

// Its hash says what its text is, in rows of every landing.
bool is_damaged_definition(const Statement& row) {
  return last_column_says_damaged(row) || sha256_hex(row.view(2)) != row.view(1);
}

Definition definition_of(const Statement& row) {
  Definition out;
  row.read(out.name, out.hash, out.text, out.at, out.current);
  return out;
}

Result<Definition> find_definition(Database& db, std::string_view name, std::string_view hash) {
  Statement query(db, "SELECT " DEFINITION_COLUMNS " FROM definitions d WHERE d.name = ?1 AND d.hash = ?2");
  Result<std::optional<Definition>> found =
      sound_one(query.bind(name, hash), "definitions", definition_of, is_damaged_definition);
  if (!found) return fail(found.error());
  if (!*found)
    return fail(Code::kNotFound, fmt::format("there is no agent {} (or not that version of it)", name));
  return std::move(**found);
}

Result<Definition> find_current(Database& db, std::string_view name) {
  Statement query(
      db, "SELECT name, hash, " ROW_DAMAGED("checksum", "current_definitions",
                                            "name, hash") " FROM current_definitions WHERE name = ?1");
  Result<std::optional<std::string>> hash =
      sound_one(query.bind(name), "current_definitions", [](const Statement& row) { return row.text(1); });
  if (!hash) return fail(hash.error());
  if (!*hash) return fail(Code::kNotFound, fmt::format("there is no agent {}", name));
  Result<Definition> found = find_definition(db, name, **hash);
  // A name that leads to no version was never written.
  if (!found && found.error().code() == Code::kNotFound)
    return fail(damaged_row("current_definitions", name));
  return found;
}

}  // namespace

Result<Started> SqliteStore::start_run(const StartIntent& intent) {
  if (Status status = rules::check_start(intent); !status.ok()) return fail(status);
  return write<Started>(
      [&](Database& db) { return calls::start_run(RunRows{db}, intent, random_, clock_.now()); });
}

Status SqliteStore::mark_started(std::string_view run, std::string_view engine_run_id) {
  return commit_.run([&](Database& db) -> Status {
    Result<RunRecord> stored = need_run(db, run);
    if (!stored) return stored.error();
    const RunRecord row = rules::mark_started(*stored, engine_run_id, clock_.now()).row;
    Statement update(db, "UPDATE runs SET engine_run_id = ?2, started_at = ?3, checksum = " ROW_SUM(
                             "runs",
                             "run, agent, definition_hash, input, idempotency_key, request_id, ?2, "
                             "created_at, ?3, fingerprint") " WHERE run = ?1");
    return update.bind(run, row.engine_run_id, row.started_at).run();
  });
}

Result<std::vector<RunRecord>> SqliteStore::unstarted_runs(WallTime before, std::uint32_t limit,
                                                           std::string_view after) {
  return reading<std::vector<RunRecord>>([&](Database& db) -> Result<std::vector<RunRecord>> {
    Statement query(db, READ_RUNS
                    "WHERE started_at IS NULL AND created_at < ?1 "
                    "AND n > coalesce((SELECT n FROM runs WHERE run = ?2), 0) ORDER BY n");
    Result<std::vector<RunRecord>> runs =
        sound_all(query.bind(before, after), "runs", damage_, rules::page_size(limit), run_of);
    if (!runs) return runs;
    if (Status status = read_conversations(db, *runs); !status.ok()) return fail(std::move(status));
    return runs;
  });
}

Result<RunRecord> SqliteStore::run(std::string_view id) {
  return reading<RunRecord>([&](Database& db) { return need_run(db, id); });
}

Result<std::vector<RunRecord>> list_runs(Database& db, const RunFilter& filter, const TimeRange& range) {
  Result<std::int64_t> before = page_before(db, "SELECT n FROM runs WHERE run = ?1", filter.after, "run");
  if (!before) return fail(before.error());
  // Two statements, so that each finds its index, which holds all that they look at.
  constexpr sqlite::Literal kAll =
      "SELECT " LISTED_RUN_COLUMNS
      " FROM runs INDEXED BY runs_listed WHERE n < ?1 AND ?2 = '' AND created_at >= ?3 AND created_at < ?4 "
      "ORDER BY n DESC LIMIT ?5";
  constexpr sqlite::Literal kOfAgent =
      "SELECT " LISTED_RUN_COLUMNS
      " FROM runs INDEXED BY runs_listed_by_agent WHERE n < ?1 AND agent = ?2 AND created_at >= ?3 AND "
      "created_at < ?4 ORDER BY n DESC LIMIT ?5";
  Statement query(db, filter.agent.empty() ? kAll : kOfAgent);
  Result<std::vector<ListedRun>> rows =
      query
          .bind(*before, filter.agent, range.from.value_or(WallTime::min()),
                range.to.value_or(WallTime::max()), rules::page_size(filter.limit))
          .all(listed_run_of);
  if (!rows) return fail(rows.error());
  std::vector<RunRecord> out;
  for (ListedRun& row : *rows) {
    if (Status status = read_beginning(db, row); !status.ok()) return fail(std::move(status));
    out.push_back(std::move(row.run));
  }
  if (Status status = read_conversations(db, out); !status.ok()) return fail(std::move(status));
  return out;
}

Result<std::vector<RunRecord>> SqliteStore::runs(const RunFilter& filter) {
  return reading<std::vector<RunRecord>>([&](Database& db) { return list_runs(db, filter, {}); });
}

Result<Definition> SqliteStore::put_definition(std::string_view name, std::string_view text) {
  if (Status status = rules::check_definition(name, text); !status.ok()) return fail(status);
  return write<Definition>([&](Database& db) -> Result<Definition> {
    const Definition row = rules::new_definition(name, text, clock_.now());
    Statement insert(
        db,
        "INSERT OR IGNORE INTO definitions (name, hash, text, at, checksum) VALUES (?1, ?2, ?3, ?4, " ROW_SUM(
            "definitions", "?1, ?2, ?4") ")");
    if (Status status = insert.bind(row.name, row.hash, row.text, row.at).run(); !status.ok())
      return fail(status);
    Statement current(
        db, "INSERT INTO current_definitions (name, hash, checksum) VALUES (?1, ?2, " ROW_SUM(
                "current_definitions",
                "?1, ?2") ") ON CONFLICT (name) DO UPDATE SET hash = ?2, checksum = excluded.checksum");
    if (Status status = current.bind(row.name, row.hash).run(); !status.ok()) return fail(status);
    return find_definition(db, row.name, row.hash);
  });
}

Result<Definition> SqliteStore::definition(std::string_view name, std::string_view hash) {
  return reading<Definition>([&](Database& db) { return find_definition(db, name, hash); });
}

Result<Definition> SqliteStore::current_definition(std::string_view name) {
  return reading<Definition>([&](Database& db) { return find_current(db, name); });
}

Result<std::vector<Definition>> SqliteStore::definitions(std::string_view after, std::uint32_t limit) {
  return reading<std::vector<Definition>>([&](Database& db) {
    Statement query(
        db, "SELECT " DEFINITION_COLUMNS
            " FROM current_definitions c LEFT JOIN definitions d ON d.name = c.name AND d.hash = c.hash "
            "WHERE c.name > ?1 ORDER BY c.name");
    std::size_t bytes = 0;
    return sound_all(
        query.bind(after), "definitions", damage_, rules::page_size(limit),
        [&bytes](const Statement& row) {
          Definition out = definition_of(row);
          bytes += out.text.size();
          return out;
        },
        is_damaged_definition, [&bytes] { return bytes >= kMaxListedText; });
  });
}

Result<std::vector<Definition>> SqliteStore::definition_versions(std::string_view name, std::uint32_t limit,
                                                                 std::string_view after) {
  return reading<std::vector<Definition>>([&](Database& db) {
    // Behind the row of `after`; every text is read, compared with its hash, and left where it is.
    Statement query(db, "SELECT " DEFINITION_COLUMNS
                        " FROM definitions d WHERE d.name = ?1 AND (?2 = '' OR (d.at, d.hash) < "
                        "(SELECT a.at, a.hash FROM definitions a WHERE a.name = ?1 AND a.hash = ?2)) "
                        "ORDER BY d.at DESC, d.hash DESC");
    return sound_all(
        query.bind(name, after), "definitions", damage_, rules::page_size(limit),
        [](const Statement& row) {
          Definition out = definition_of(row);
          out.text = {};
          return out;
        },
        is_damaged_definition);
  });
}

}  // namespace holdfast::platform
