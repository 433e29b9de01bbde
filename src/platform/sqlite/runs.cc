// Runs and definitions: the intent to start comes first, and nothing here knows how a run is doing.

#include <fmt/format.h>

#include "base/ids.h"
#include "base/sha256.h"
#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

namespace {

#define RUN_COLUMNS \
  "run, agent, definition_hash, input, idempotency_key, request_id, engine_run_id, created_at, started_at"

RunRecord run_of(const Statement& row) {
  RunRecord out;
  row.read(out.run, out.agent, out.definition_hash, out.input, out.idempotency_key, out.request_id,
           out.engine_run_id, out.created_at, out.started_at);
  return out;
}

struct Stored {
  RunRecord run;
  std::string fingerprint;
};

Result<std::optional<Stored>> find_run(Database& db, sqlite::Literal sql, std::string_view value) {
  return Statement(db, sql).bind(value).one(
      [](const Statement& row) { return Stored{run_of(row), row.text(9)}; });
}

constexpr const char* kByRun = "SELECT " RUN_COLUMNS ", fingerprint FROM runs WHERE run = ?1";
constexpr const char* kByKey = "SELECT " RUN_COLUMNS ", fingerprint FROM runs WHERE idempotency_key = ?1";

// The run that an equal request made before; ALREADY_EXISTS when another request has the id or the key.
Result<std::optional<RunRecord>> earlier(Database& db, const StartIntent& intent,
                                         const std::string& fingerprint) {
  if (!intent.idempotency_key.empty()) {
    auto found = find_run(db, kByKey, intent.idempotency_key);
    if (!found) return fail(found.error());
    if (*found) {
      if ((*found)->fingerprint == fingerprint && (intent.run.empty() || intent.run == (*found)->run.run)) {
        return std::move((*found)->run);
      }
      return fail(Code::kAlreadyExists,
                  fmt::format("idempotency key {} was used for another request: use a new key",
                              intent.idempotency_key));
    }
  }
  if (!intent.run.empty()) {
    auto found = find_run(db, kByRun, intent.run);
    if (!found) return fail(found.error());
    if (*found) {
      if ((*found)->fingerprint == fingerprint) return std::move((*found)->run);
      return fail(
          Code::kAlreadyExists,
          fmt::format("run {} exists with another agent or input: choose another run id", intent.run));
    }
  }
  return std::nullopt;
}

#define DEFINITION_COLUMNS         \
  "d.name, d.hash, d.text, d.at, " \
  "EXISTS (SELECT 1 FROM current_definitions c WHERE c.name = d.name AND c.hash = d.hash)"

Definition definition_of(const Statement& row) {
  Definition out;
  row.read(out.name, out.hash, out.text, out.at, out.current);
  return out;
}

Result<Definition> one_definition(Statement& query, std::string_view name) {
  Result<std::optional<Definition>> found = query.one(definition_of);
  if (!found) return fail(found.error());
  if (!*found)
    return fail(Code::kNotFound, fmt::format("there is no agent {} (or not that version of it)", name));
  return std::move(**found);
}

}  // namespace

Result<Started> SqliteStore::start_run(const StartIntent& intent) {
  if (Status status = check_name("an agent", intent.agent); !status.ok()) return fail(status);
  if (!intent.run.empty()) {
    if (Status status = check_name("a run", intent.run); !status.ok()) return fail(status);
  }
  if (Status status = check_body("the input of a run", intent.input); !status.ok()) return fail(status);
  const std::string fingerprint = intent.fingerprint.empty()
                                      ? sha256_hex(sha256_hex(intent.agent) + sha256_hex(intent.input))
                                      : intent.fingerprint;

  return write<Started>([&](Database& db) -> Result<Started> {
    Started out;
    Result<std::optional<RunRecord>> before = earlier(db, intent, fingerprint);
    if (!before) return fail(before.error());
    if (*before) {
      out.run = std::move(**before);
      return out;
    }
    out.created = true;
    out.run.run = intent.run.empty() ? new_uuid(random_) : intent.run;
    out.run.agent = intent.agent;
    out.run.definition_hash = intent.definition_hash;
    out.run.input = intent.input;
    out.run.idempotency_key = intent.idempotency_key;
    out.run.request_id = out.run.run;
    out.run.created_at = clock_.now();
    std::optional<std::string> key;
    if (!intent.idempotency_key.empty()) key = intent.idempotency_key;
    Statement insert(
        db,
        "INSERT INTO runs (run, agent, definition_hash, input, idempotency_key, fingerprint, request_id, "
        "engine_run_id, created_at, started_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, '', ?8, NULL)");
    insert.bind(out.run.run, intent.agent, intent.definition_hash, intent.input, key, fingerprint,
                out.run.request_id, out.run.created_at);
    if (Status status = insert.run(); !status.ok()) return fail(status);
    return out;
  });
}

Status SqliteStore::mark_started(std::string_view run, std::string_view engine_run_id) {
  return commit_.run([&](Database& db) -> Status {
    Statement update(
        db, "UPDATE runs SET engine_run_id = ?2, started_at = coalesce(started_at, ?3) WHERE run = ?1");
    if (Status status = update.bind(run, engine_run_id, clock_.now()).run(); !status.ok()) return status;
    if (db.changes() == 0) return Status(Code::kNotFound, fmt::format("there is no run {}", run));
    return {};
  });
}

Result<std::vector<RunRecord>> SqliteStore::unstarted_runs(WallTime before, std::uint32_t limit,
                                                           std::string_view after) {
  return reading<std::vector<RunRecord>>([&](Database& db) {
    Statement query(db, "SELECT " RUN_COLUMNS
                        " FROM runs WHERE started_at IS NULL AND created_at < ?1 "
                        "AND n > coalesce((SELECT n FROM runs WHERE run = ?3), 0) ORDER BY n LIMIT ?2");
    query.bind(before, page_size(limit), after);
    return query.all(run_of);
  });
}

Result<RunRecord> SqliteStore::run(std::string_view id) {
  return reading<RunRecord>([&](Database& db) -> Result<RunRecord> {
    auto found = find_run(db, kByRun, id);
    if (!found) return fail(found.error());
    if (!*found) return fail(Code::kNotFound, fmt::format("there is no run {}", id));
    return std::move((*found)->run);
  });
}

Result<std::vector<RunRecord>> SqliteStore::runs(const RunFilter& filter) {
  return reading<std::vector<RunRecord>>([&](Database& db) -> Result<std::vector<RunRecord>> {
    std::int64_t before = INT64_MAX;
    if (!filter.after.empty()) {
      Result<std::optional<std::int64_t>> place =
          Statement(db, "SELECT n FROM runs WHERE run = ?1").bind(filter.after).one(number_of);
      if (!place) return fail(place.error());
      if (!*place) return fail(Code::kInvalidArgument, "`after` names no run: " + filter.after);
      before = **place;
    }
    if (filter.agent.empty()) {
      Statement query(db, "SELECT " RUN_COLUMNS " FROM runs WHERE n < ?1 ORDER BY n DESC LIMIT ?2");
      query.bind(before, page_size(filter.limit));
      return query.all(run_of);
    }
    Statement query(db,
                    "SELECT " RUN_COLUMNS " FROM runs WHERE n < ?1 AND agent = ?2 ORDER BY n DESC LIMIT ?3");
    query.bind(before, filter.agent, page_size(filter.limit));
    return query.all(run_of);
  });
}

Result<Definition> SqliteStore::put_definition(std::string_view name, std::string_view text) {
  if (Status status = check_name("an agent", name); !status.ok()) return fail(status);
  if (Status status = check_body("a definition", text); !status.ok()) return fail(status);
  const std::string hash = sha256_hex(text);
  return write<Definition>([&](Database& db) -> Result<Definition> {
    Statement insert(db, "INSERT OR IGNORE INTO definitions (name, hash, text, at) VALUES (?1, ?2, ?3, ?4)");
    if (Status status = insert.bind(name, hash, text, clock_.now()).run(); !status.ok()) return fail(status);
    Statement current(
        db,
        "INSERT INTO current_definitions (name, hash) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE "
        "SET hash = ?2");
    if (Status status = current.bind(name, hash).run(); !status.ok()) return fail(status);
    Statement query(db, "SELECT " DEFINITION_COLUMNS " FROM definitions d WHERE d.name = ?1 AND d.hash = ?2");
    return one_definition(query.bind(name, hash), name);
  });
}

Result<Definition> SqliteStore::definition(std::string_view name, std::string_view hash) {
  return reading<Definition>([&](Database& db) {
    Statement query(db, "SELECT " DEFINITION_COLUMNS " FROM definitions d WHERE d.name = ?1 AND d.hash = ?2");
    return one_definition(query.bind(name, hash), name);
  });
}

Result<Definition> SqliteStore::current_definition(std::string_view name) {
  return reading<Definition>([&](Database& db) {
    Statement query(db, "SELECT " DEFINITION_COLUMNS
                        " FROM definitions d JOIN current_definitions USING (name, hash) WHERE d.name = ?1");
    return one_definition(query.bind(name), name);
  });
}

Result<std::vector<Definition>> SqliteStore::definitions() {
  return reading<std::vector<Definition>>([&](Database& db) {
    Statement query(
        db, "SELECT " DEFINITION_COLUMNS
            " FROM definitions d JOIN current_definitions USING (name, hash) ORDER BY d.name LIMIT ?1");
    return query.bind(kMaxPage).all(definition_of);
  });
}

Result<std::vector<Definition>> SqliteStore::definition_versions(std::string_view name) {
  return reading<std::vector<Definition>>([&](Database& db) {
    Statement query(
        db, "SELECT " DEFINITION_COLUMNS " FROM definitions d WHERE d.name = ?1 ORDER BY d.at DESC LIMIT ?2");
    return query.bind(name, kMaxPage).all(definition_of);
  });
}

}  // namespace holdfast::platform
