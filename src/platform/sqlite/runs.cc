// Runs and definitions: the intent to start comes first, and nothing here knows how a run is doing.

#include <fmt/format.h>

#include "base/ids.h"
#include "base/sha256.h"
#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

namespace {

#define RUN_COLUMNS \
  "run, agent, definition_hash, input, idempotency_key, request_id, engine_run_id, created_at, started_at"

RunRecord run_of(const Query& row) {
  RunRecord out;
  out.run = row.text(0);
  out.agent = row.text(1);
  out.definition_hash = row.text(2);
  out.input = row.text(3);
  out.idempotency_key = row.text(4);
  out.request_id = row.text(5);
  out.engine_run_id = row.text(6);
  out.created_at = wall(row.integer(7));
  if (!row.is_null(8)) out.started_at = wall(row.integer(8));
  return out;
}

Result<std::vector<RunRecord>> all_rows(Query& query) {
  std::vector<RunRecord> out;
  while (query.next()) out.push_back(run_of(query));
  if (!query.status().ok()) return fail(query.status());
  return out;
}

struct Stored {
  RunRecord run;
  std::string fingerprint;
};

Result<std::optional<Stored>> find_run(Db& db, const char* sql, std::string_view value) {
  Query query(db, sql);
  query.bind(value);
  if (query.next()) return Stored{run_of(query), query.text(9)};
  if (!query.status().ok()) return fail(query.status());
  return std::nullopt;
}

constexpr const char* kByRun = "SELECT " RUN_COLUMNS ", fingerprint FROM runs WHERE run = ?1";
constexpr const char* kByKey = "SELECT " RUN_COLUMNS ", fingerprint FROM runs WHERE idempotency_key = ?1";

// The run that an equal request made before; ALREADY_EXISTS when another request has the id or the key.
Result<std::optional<RunRecord>> earlier(Db& db, const StartIntent& intent, const std::string& fingerprint) {
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

Definition definition_of(const Query& row) {
  Definition out;
  out.name = row.text(0);
  out.hash = row.text(1);
  out.text = row.text(2);
  out.at = wall(row.integer(3));
  out.current = row.integer(4) != 0;
  return out;
}

Result<Definition> one_definition(Query& query, std::string_view name) {
  if (query.next()) return definition_of(query);
  if (!query.status().ok()) return fail(query.status());
  return fail(Code::kNotFound, fmt::format("there is no agent {} (or not that version of it)", name));
}

Result<std::vector<Definition>> all_definitions(Query& query) {
  std::vector<Definition> out;
  while (query.next()) out.push_back(definition_of(query));
  if (!query.status().ok()) return fail(query.status());
  return out;
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

  return write<Started>([&](Db& db) -> Result<Started> {
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
    out.run.created_at = wall(now());
    std::optional<std::string> key;
    if (!intent.idempotency_key.empty()) key = intent.idempotency_key;
    Query insert(
        db,
        "INSERT INTO runs (run, agent, definition_hash, input, idempotency_key, fingerprint, request_id, "
        "engine_run_id, created_at, started_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, '', ?8, NULL)");
    insert.bind(out.run.run, intent.agent, intent.definition_hash, intent.input, key, fingerprint,
                out.run.request_id, nanoseconds(out.run.created_at));
    if (Status status = insert.run(); !status.ok()) return fail(status);
    return out;
  });
}

Status SqliteStore::mark_started(std::string_view run, std::string_view engine_run_id) {
  return commit_.run([&](Db& db) -> Status {
    Query update(db,
                 "UPDATE runs SET engine_run_id = ?2, started_at = coalesce(started_at, ?3) WHERE run = ?1");
    if (Status status = update.bind(run, engine_run_id, now()).run(); !status.ok()) return status;
    if (db.changes() == 0) return Status(Code::kNotFound, fmt::format("there is no run {}", run));
    return {};
  });
}

Result<std::vector<RunRecord>> SqliteStore::unstarted_runs(WallTime before, std::uint32_t limit,
                                                           std::string_view after) {
  return reading<std::vector<RunRecord>>([&](Db& db) {
    Query query(db, "SELECT " RUN_COLUMNS
                    " FROM runs WHERE started_at IS NULL AND created_at < ?1 "
                    "AND n > coalesce((SELECT n FROM runs WHERE run = ?3), 0) ORDER BY n LIMIT ?2");
    query.bind(nanoseconds(before), page_size(limit), after);
    return all_rows(query);
  });
}

Result<RunRecord> SqliteStore::run(std::string_view id) {
  return reading<RunRecord>([&](Db& db) -> Result<RunRecord> {
    auto found = find_run(db, kByRun, id);
    if (!found) return fail(found.error());
    if (!*found) return fail(Code::kNotFound, fmt::format("there is no run {}", id));
    return std::move((*found)->run);
  });
}

Result<std::vector<RunRecord>> SqliteStore::runs(const RunFilter& filter) {
  return reading<std::vector<RunRecord>>([&](Db& db) -> Result<std::vector<RunRecord>> {
    std::int64_t before = INT64_MAX;
    if (!filter.after.empty()) {
      Query place(db, "SELECT n FROM runs WHERE run = ?1");
      place.bind(filter.after);
      if (!place.next()) {
        return fail(place.status().ok()
                        ? Status(Code::kInvalidArgument, "`after` names no run: " + filter.after)
                        : place.status());
      }
      before = place.integer(0);
    }
    if (filter.agent.empty()) {
      Query query(db, "SELECT " RUN_COLUMNS " FROM runs WHERE n < ?1 ORDER BY n DESC LIMIT ?2");
      query.bind(before, page_size(filter.limit));
      return all_rows(query);
    }
    Query query(db, "SELECT " RUN_COLUMNS " FROM runs WHERE n < ?1 AND agent = ?2 ORDER BY n DESC LIMIT ?3");
    query.bind(before, filter.agent, page_size(filter.limit));
    return all_rows(query);
  });
}

Result<Definition> SqliteStore::put_definition(std::string_view name, std::string_view text) {
  if (Status status = check_name("an agent", name); !status.ok()) return fail(status);
  if (Status status = check_body("a definition", text); !status.ok()) return fail(status);
  const std::string hash = sha256_hex(text);
  return write<Definition>([&](Db& db) -> Result<Definition> {
    Query insert(db, "INSERT OR IGNORE INTO definitions (name, hash, text, at) VALUES (?1, ?2, ?3, ?4)");
    if (Status status = insert.bind(name, hash, text, now()).run(); !status.ok()) return fail(status);
    Query current(db,
                  "INSERT INTO current_definitions (name, hash) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE "
                  "SET hash = ?2");
    if (Status status = current.bind(name, hash).run(); !status.ok()) return fail(status);
    Query query(db, "SELECT " DEFINITION_COLUMNS " FROM definitions d WHERE d.name = ?1 AND d.hash = ?2");
    return one_definition(query.bind(name, hash), name);
  });
}

Result<Definition> SqliteStore::definition(std::string_view name, std::string_view hash) {
  return reading<Definition>([&](Db& db) {
    Query query(db, "SELECT " DEFINITION_COLUMNS " FROM definitions d WHERE d.name = ?1 AND d.hash = ?2");
    return one_definition(query.bind(name, hash), name);
  });
}

Result<Definition> SqliteStore::current_definition(std::string_view name) {
  return reading<Definition>([&](Db& db) {
    Query query(db, "SELECT " DEFINITION_COLUMNS
                    " FROM definitions d JOIN current_definitions USING (name, hash) WHERE d.name = ?1");
    return one_definition(query.bind(name), name);
  });
}

Result<std::vector<Definition>> SqliteStore::definitions() {
  return reading<std::vector<Definition>>([&](Db& db) {
    Query query(db,
                "SELECT " DEFINITION_COLUMNS
                " FROM definitions d JOIN current_definitions USING (name, hash) ORDER BY d.name LIMIT ?1");
    return all_definitions(query.bind(kMaxPage));
  });
}

Result<std::vector<Definition>> SqliteStore::definition_versions(std::string_view name) {
  return reading<std::vector<Definition>>([&](Db& db) {
    Query query(
        db, "SELECT " DEFINITION_COLUMNS " FROM definitions d WHERE d.name = ?1 ORDER BY d.at DESC LIMIT ?2");
    return all_definitions(query.bind(name, kMaxPage));
  });
}

}  // namespace holdfast::platform
