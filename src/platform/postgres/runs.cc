// Runs and definitions as rows.

#include "platform/calls.h"

#include <fmt/format.h>

#include "base/sha256.h"
#include "platform_postgres/flow.h"
#include "platform_postgres/postgres_store_impl.h"
#include "platform_postgres/run_index.h"
#include "platform_postgres/run_settings.h"
#include "platform_postgres/unkept_runs.h"

namespace holdfast::platform {

namespace {

using rules::StoredRun;
using rules::Write;

#define RUN_COLUMNS \
  "run, agent, definition_hash, input, idempotency_key, request_id, engine_run_id, created_at, started_at"

#define SEALED_RUN_COLUMNS RUN_COLUMNS ", fingerprint"
#define RUN_VALUES "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10"
#define CONVERSATION "(SELECT conversation FROM turns WHERE turns.run = runs.run)"
#define READ_RUNS "SELECT " SEALED_RUN_COLUMNS ", " CONVERSATION " FROM runs "

RunRecord run_of(const Statement& row) {
  RunRecord out;
  row.read(out.run, out.agent, out.definition_hash, out.input, out.idempotency_key, out.request_id,
           out.engine_run_id, out.created_at, out.started_at);
  out.input_bytes = out.input.size();
  if (!row.is_null(10)) out.conversation = row.text(10);
  return out;
}

// Of a long input only its first characters are read, and none of them is cut.
#define LISTED_RUN_COLUMNS                                                                          \
  "run, agent, definition_hash, substring(input FROM 1 FOR $4::bigint::integer), idempotency_key, " \
  "request_id, "                                                                                    \
  "engine_run_id, created_at, started_at, octet_length(input), " CONVERSATION
constexpr std::size_t kMaxBytesOfCharacter = 4;

RunRecord listed_run_of(const Statement& row) {
  RunRecord out = run_of(row);
  out.input = rules::first_characters(std::move(out.input), kMaxListedInput);
  out.input_bytes = static_cast<std::size_t>(row.integer(9));
  return out;
}

constexpr postgres::Literal kByRun = READ_RUNS "WHERE run = $1";
constexpr postgres::Literal kByKey =
    READ_RUNS "WHERE sha256(idempotency_key) = sha256($1) AND idempotency_key = $1";

// None too when `value` is empty.
Result<std::optional<StoredRun>> find_run(Connection& db, postgres::Literal sql, std::string_view value) {
  if (value.empty()) return std::nullopt;
  Statement query(db, sql);
  return query.bind(value).one([](const Statement& row) { return StoredRun{run_of(row), row.text(9)}; });
}

Result<RunRecord> need_run(Connection& db, std::string_view id) {
  Result<StoredRun> found = calls::need(find_run(db, kByRun, id), "run", id);
  if (!found) return fail(found.error());
  return std::move(found->run);
}

struct RunRows {
  Connection& db;

  Result<std::optional<StoredRun>> find_by_key(std::string_view key) { return find_run(db, kByKey, key); }
  Result<std::optional<StoredRun>> find(std::string_view id) { return find_run(db, kByRun, id); }
  Status insert_audit(const AuditRow& row) { return platform::insert_audit(db, row); }
  Status insert(const StoredRun& row) {
    const RunRecord& run = row.run;
    std::optional<std::string> key;
    if (!run.idempotency_key.empty()) key = run.idempotency_key;
    Statement insert(db, "INSERT INTO runs (" SEALED_RUN_COLUMNS ") VALUES (" RUN_VALUES ")");
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

#define DEFINITION_COLUMNS         \
  "d.name, d.hash, d.text, d.at, " \
  "EXISTS (SELECT 1 FROM current_definitions c WHERE c.name = d.name AND c.hash = d.hash)"

Definition definition_of(const Statement& row) {
  Definition out;
  row.read(out.name, out.hash, out.text, out.at, out.current);
  return out;
}

// Its hash says what its text is.
bool is_sound(const Definition& row) {
  return sha256_hex(row.text) == row.hash;
}

Result<Definition> find_definition(Connection& db, std::string_view name, std::string_view hash) {
  Statement query(db, "SELECT " DEFINITION_COLUMNS " FROM definitions d WHERE d.name = $1 AND d.hash = $2");
  Result<std::optional<Definition>> found = query.bind(name, hash).one(definition_of);
  if (!found) return fail(found.error());
  if (!*found)
    return fail(Code::kNotFound, fmt::format("there is no agent {} (or not that version of it)", name));
  if (!is_sound(**found)) return fail(lost_row("definitions", name));
  return std::move(**found);
}

Result<Definition> find_current(Connection& db, std::string_view name) {
  Statement query(db, "SELECT hash FROM current_definitions WHERE name = $1");
  Result<std::optional<std::string>> hash =
      query.bind(name).one([](const Statement& row) { return row.text(0); });
  if (!hash) return fail(hash.error());
  if (!*hash) return fail(Code::kNotFound, fmt::format("there is no agent {}", name));
  Result<Definition> found = find_definition(db, name, **hash);
  // A name that leads to no version was never written.
  if (!found && found.error().code() == Code::kNotFound) return fail(lost_row("current_definitions", name));
  return found;
}

// Of the first `limit` that are sound.
Result<std::vector<Definition>> sound_definitions(Statement& query, std::size_t limit, bool with_text,
                                                  DamageLog& damage) {
  std::vector<Definition> out;
  LeftOut damaged("definitions");
  while (out.size() < limit && query.next()) {
    Definition row = definition_of(query);
    if (is_sound(row)) {
      if (!with_text) row.text = {};
      out.push_back(std::move(row));
    } else {
      damaged.add(row.name);
    }
  }
  damage.note(damaged);
  if (!query.status().ok()) return fail(query.status());
  return out;
}

}  // namespace

Result<Started> PostgresStore::start_run(const StartIntent& intent) {
  if (Status status = rules::check_start(intent); !status.ok()) return fail(status);
  return write<Started>(
      [&](Connection& db) { return calls::start_run(RunRows{db}, intent, random_, clock_.now()); });
}

Status PostgresStore::mark_started(std::string_view run, std::string_view engine_run_id) {
  return commit_.run([&](Connection& db) -> Status {
    Result<RunRecord> stored = need_run(db, run);
    if (!stored) return stored.error();
    const RunRecord row = rules::mark_started(*stored, engine_run_id, clock_.now()).row;
    Statement update(db, "UPDATE runs SET engine_run_id = $2, started_at = $3 WHERE run = $1");
    return update.bind(run, row.engine_run_id, row.started_at).run();
  });
}

Result<std::vector<RunRecord>> PostgresStore::unstarted_runs(WallTime before, std::uint32_t limit,
                                                             std::string_view after) {
  return reading<std::vector<RunRecord>>([&](Connection& db) {
    Statement query(db, READ_RUNS
                    "WHERE started_at IS NULL AND created_at < $1 "
                    "AND n > coalesce((SELECT n FROM runs WHERE run = $2), 0) ORDER BY n LIMIT $3");
    return query.bind(before, after, rules::page_size(limit)).all(run_of);
  });
}

Result<RunRecord> PostgresStore::run(std::string_view id) {
  return reading<RunRecord>([&](Connection& db) { return need_run(db, id); });
}

Result<std::vector<RunRecord>> list_runs(Connection& db, const RunFilter& filter, const TimeRange& range) {
  Result<std::int64_t> before = page_before(db, "SELECT n FROM runs WHERE run = $1", filter.after, "run");
  if (!before) return fail(before.error());
  // Two statements, so that each finds its index.
  constexpr postgres::Literal kAll =
      "SELECT " LISTED_RUN_COLUMNS
      " FROM runs WHERE n < $1 AND $2::bytea = '' AND created_at >= $5 AND created_at < $6 "
      "ORDER BY n DESC LIMIT $3";
  constexpr postgres::Literal kOfAgent =
      "SELECT " LISTED_RUN_COLUMNS
      " FROM runs WHERE n < $1 AND agent = $2 AND created_at >= $5 AND created_at < $6 "
      "ORDER BY n DESC LIMIT $3";
  Statement query(db, filter.agent.empty() ? kAll : kOfAgent);
  return query
      .bind(*before, filter.agent, rules::page_size(filter.limit), kMaxListedInput * kMaxBytesOfCharacter,
            range.from.value_or(WallTime::min()), range.to.value_or(WallTime::max()))
      .all(listed_run_of);
}

Result<std::vector<RunRecord>> PostgresStore::runs(const RunFilter& filter) {
  return reading<std::vector<RunRecord>>([&](Connection& db) { return list_runs(db, filter, {}); });
}

Result<Definition> PostgresStore::put_definition(std::string_view name, std::string_view text) {
  if (Status status = rules::check_definition(name, text); !status.ok()) return fail(status);
  return write<Definition>([&](Connection& db) -> Result<Definition> {
    const Definition row = rules::new_definition(name, text, clock_.now());
    Statement insert(db,
                     "INSERT INTO definitions (name, hash, text, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO "
                     "NOTHING");
    if (Status status = insert.bind(row.name, row.hash, row.text, row.at).run(); !status.ok())
      return fail(status);
    Statement current(db,
                      "INSERT INTO current_definitions (name, hash) VALUES ($1, $2) "
                      "ON CONFLICT (name) DO UPDATE SET hash = excluded.hash");
    if (Status status = current.bind(row.name, row.hash).run(); !status.ok()) return fail(status);
    return find_definition(db, row.name, row.hash);
  });
}

Result<Definition> PostgresStore::definition(std::string_view name, std::string_view hash) {
  return reading<Definition>([&](Connection& db) { return find_definition(db, name, hash); });
}

Result<Definition> PostgresStore::current_definition(std::string_view name) {
  return reading<Definition>([&](Connection& db) { return find_current(db, name); });
}

Result<std::vector<Definition>> PostgresStore::definitions(std::string_view after, std::uint32_t limit) {
  return reading<std::vector<Definition>>([&](Connection& db) {
    // Texts behind a full page are not sent.
    Statement query(
        db, "SELECT " DEFINITION_COLUMNS
            " FROM (SELECT n.name, n.hash, n.text, n.at, sum(octet_length(n.text)) OVER (ORDER BY n.name) - "
            "octet_length(n.text) AS before FROM current_definitions c JOIN definitions n ON n.name = c.name "
            "AND n.hash = c.hash WHERE c.name > $1 ORDER BY c.name LIMIT $2) AS d "
            "WHERE d.before < $3::bigint ORDER BY d.name");
    const std::uint32_t most = rules::page_size(limit);
    return sound_definitions(query.bind(after, most, kMaxListedText), most, true, damage_);
  });
}

Result<std::vector<Definition>> PostgresStore::definition_versions(std::string_view name, std::uint32_t limit,
                                                                   std::string_view after) {
  return reading<std::vector<Definition>>([&](Connection& db) {
    Statement query(db, "SELECT " DEFINITION_COLUMNS
                        " FROM definitions d WHERE d.name = $1 AND ($2::bytea = '' OR (d.at, d.hash) < "
                        "(SELECT a.at, a.hash FROM definitions a WHERE a.name = $1 AND a.hash = $2)) "
                        "ORDER BY d.at DESC, d.hash DESC");
    return sound_definitions(query.bind(name, after), rules::page_size(limit), false, damage_);
  });
}

}  // namespace holdfast::platform
