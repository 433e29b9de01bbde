#include "platform_sqlite/schema.h"

#include <fmt/format.h>

#include "base/storage_fault.h"
#include "platform_sqlite/completions.h"
#include "platform_sqlite/flow.h"
#include "platform_sqlite/forks.h"
#include "platform_sqlite/identity_tables.h"
#include "platform_sqlite/oidc_tables.h"
#include "platform_sqlite/outbox.h"
#include "platform_sqlite/people_tables.h"
#include "platform_sqlite/run_settings.h"
#include "platform_sqlite/secrets_table.h"
#include "platform_sqlite/tool_grants_table.h"
#include "sqlite/statement.h"

namespace holdfast::platform {

using sqlite::Database;

namespace {

// PRAGMA application_id: "HFps" and "HFst".
constexpr std::int64_t kStoreId = 0x48467073;
constexpr std::int64_t kStreamsId = 0x48467374;

constexpr const char* kStoreTables = R"sql(
CREATE TABLE branches (
  conversation TEXT NOT NULL, branch INTEGER NOT NULL, parent INTEGER NOT NULL, fork INTEGER NOT NULL,
  head INTEGER NOT NULL, head_sha256 TEXT NOT NULL,
  PRIMARY KEY (conversation, branch)) WITHOUT ROWID;
CREATE TABLE messages (
  conversation TEXT NOT NULL, branch INTEGER NOT NULL, sequence INTEGER NOT NULL, json TEXT NOT NULL,
  content_sha256 TEXT NOT NULL, chain_sha256 TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (conversation, branch, sequence));
CREATE TABLE steps (
  key TEXT NOT NULL PRIMARY KEY, run TEXT NOT NULL, result TEXT NOT NULL, conversation TEXT, branch INTEGER,
  sequence INTEGER, sha256 TEXT, branch_opened INTEGER NOT NULL, at INTEGER NOT NULL);
CREATE INDEX steps_by_run ON steps (run, at);
CREATE TABLE effects (
  key TEXT NOT NULL PRIMARY KEY, run TEXT NOT NULL, tool TEXT NOT NULL, class INTEGER NOT NULL,
  arguments_sha256 TEXT NOT NULL, fence INTEGER NOT NULL, settled INTEGER NOT NULL, succeeded INTEGER NOT NULL,
  result TEXT NOT NULL, begun_at INTEGER NOT NULL, settled_at INTEGER NOT NULL);
CREATE INDEX effects_by_run ON effects (run);
CREATE TABLE approvals (
  n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, run TEXT NOT NULL, agent TEXT NOT NULL,
  tool TEXT NOT NULL, arguments TEXT NOT NULL, arguments_sha256 TEXT NOT NULL, reason TEXT NOT NULL,
  requested_at INTEGER NOT NULL, expires_at INTEGER, status INTEGER NOT NULL, decided_by TEXT NOT NULL,
  decided_at INTEGER, comment TEXT NOT NULL, edited_arguments TEXT NOT NULL);
CREATE INDEX approvals_by_status ON approvals (status, n);
CREATE INDEX approvals_by_run ON approvals (run, n);
CREATE TABLE decisions (
  n INTEGER PRIMARY KEY AUTOINCREMENT, update_id TEXT NOT NULL UNIQUE, approval TEXT NOT NULL,
  decision INTEGER NOT NULL, arguments_sha256 TEXT NOT NULL, edited_arguments TEXT NOT NULL, decided_by TEXT NOT NULL,
  comment TEXT NOT NULL, at INTEGER NOT NULL, answer INTEGER NOT NULL, why TEXT NOT NULL);
CREATE INDEX decisions_unanswered ON decisions (n) WHERE answer = 0;
CREATE TABLE runs (
  n INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL UNIQUE, agent TEXT NOT NULL, definition_hash TEXT NOT NULL,
  input TEXT NOT NULL, idempotency_key TEXT, fingerprint TEXT NOT NULL, request_id TEXT NOT NULL,
  engine_run_id TEXT NOT NULL, created_at INTEGER NOT NULL, started_at INTEGER);
CREATE UNIQUE INDEX runs_by_key ON runs (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX runs_by_agent ON runs (agent, n);
CREATE INDEX runs_unstarted ON runs (created_at) WHERE started_at IS NULL;
CREATE TABLE definitions (
  name TEXT NOT NULL, hash TEXT NOT NULL, text TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (name, hash));
CREATE TABLE current_definitions (name TEXT NOT NULL PRIMARY KEY, hash TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE usage (
  key TEXT NOT NULL PRIMARY KEY, run TEXT NOT NULL, agent TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL,
  input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cached_input_tokens INTEGER NOT NULL,
  at INTEGER NOT NULL);
CREATE INDEX usage_by_run ON usage (run);
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
  subject TEXT NOT NULL, detail TEXT NOT NULL);
CREATE INDEX audit_by_subject ON audit (subject, id);
)sql";

// Version 2: a checksum for each row that an agent goes on from (row_check.h). Old rows have none.
constexpr const char* kStoreChecksums = R"sql(
ALTER TABLE branches ADD COLUMN checksum INTEGER;
ALTER TABLE steps ADD COLUMN checksum INTEGER;
ALTER TABLE effects ADD COLUMN checksum INTEGER;
ALTER TABLE approvals ADD COLUMN checksum INTEGER;
ALTER TABLE decisions ADD COLUMN checksum INTEGER;
ALTER TABLE runs ADD COLUMN checksum INTEGER;
ALTER TABLE definitions ADD COLUMN checksum INTEGER;
ALTER TABLE current_definitions ADD COLUMN checksum INTEGER;
)sql";

// A page of runs is read from these alone (runs.cc), and so are counts and lists (run_index.cc); inboxes of
// teams are found by the agents (inbox.cc). Other
// landings keep them as they keep every index.
constexpr const char* kListIndexes = R"sql(
CREATE INDEX IF NOT EXISTS runs_listed ON runs
  (n, run, agent, definition_hash, idempotency_key, request_id, engine_run_id, created_at, started_at);
CREATE INDEX IF NOT EXISTS runs_listed_by_agent ON runs
  (agent, n, run, definition_hash, idempotency_key, request_id, engine_run_id, created_at, started_at);
CREATE INDEX IF NOT EXISTS approvals_by_agent ON approvals (status, agent, n);
CREATE INDEX IF NOT EXISTS runs_by_time ON runs (created_at, agent, run);
CREATE INDEX IF NOT EXISTS bills_counted ON bills (run, status);
CREATE INDEX IF NOT EXISTS accounts_limited ON accounts (at, run) WHERE limit_tokens IS NOT NULL OR
  limit_money IS NOT NULL OR limit_calls IS NOT NULL OR limit_tool_calls IS NOT NULL OR
  limit_depth IS NOT NULL OR deadline IS NOT NULL;
)sql";

// Version 3: and for the rows that are accounted by.
constexpr const char* kLedgerChecksums = R"sql(
ALTER TABLE usage ADD COLUMN checksum INTEGER;
ALTER TABLE audit ADD COLUMN checksum INTEGER;
)sql";

// Version 4: labels of versions, and the versions of an agent by their age.
constexpr const char* kLabels = R"sql(
CREATE TABLE labels (
  agent TEXT NOT NULL, label TEXT NOT NULL, move INTEGER NOT NULL, checksum INTEGER,
  PRIMARY KEY (agent, label)) WITHOUT ROWID;
CREATE TABLE label_moves (
  agent TEXT NOT NULL, label TEXT NOT NULL, move INTEGER NOT NULL, hash TEXT NOT NULL, previous TEXT NOT NULL,
  back INTEGER NOT NULL, how INTEGER NOT NULL, source TEXT NOT NULL, actor TEXT NOT NULL, comment TEXT NOT NULL,
  at INTEGER NOT NULL, checksum INTEGER,
  PRIMARY KEY (agent, label, move)) WITHOUT ROWID;
CREATE INDEX definitions_by_age ON definitions (name, at, hash);
)sql";

// Version 4: runs that wait for somebody, and runs that take up others.
constexpr const char* kHeldRuns = R"sql(
CREATE TABLE held_runs (
  run TEXT NOT NULL PRIMARY KEY, kind INTEGER NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,
  held_by TEXT NOT NULL, at INTEGER NOT NULL, checksum INTEGER);
CREATE INDEX held_runs_by_kind ON held_runs (kind, run);
CREATE TABLE origins (
  run TEXT NOT NULL PRIMARY KEY, origin TEXT NOT NULL, state TEXT NOT NULL, started_by TEXT NOT NULL,
  at INTEGER NOT NULL, checksum INTEGER);
)sql";

// Version 4: what usage costs, day by day; accounts of runs and what is held in them; bills. A row of usage
// that was as it was written keeps its checksum true.
constexpr const char* kBudgets = R"sql(
ALTER TABLE usage ADD COLUMN version TEXT NOT NULL DEFAULT '';
ALTER TABLE usage ADD COLUMN tool TEXT NOT NULL DEFAULT '';
ALTER TABLE usage ADD COLUMN cache_write_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage ADD COLUMN reasoning_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage ADD COLUMN cost INTEGER;
ALTER TABLE usage ADD COLUMN price_as_of TEXT NOT NULL DEFAULT '';
ALTER TABLE usage ADD COLUMN uncounted INTEGER NOT NULL DEFAULT 0;
UPDATE usage SET checksum = row_checksum('usage', key, run, agent, provider, model, input_tokens, output_tokens,
    cached_input_tokens, at, version, tool, cache_write_tokens, reasoning_tokens, cost, price_as_of, uncounted)
  WHERE checksum = row_checksum('usage', key, run, agent, provider, model, input_tokens, output_tokens,
    cached_input_tokens, at);
CREATE TABLE usage_days (
  day INTEGER NOT NULL, agent TEXT NOT NULL, version TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL,
  tool TEXT NOT NULL,
  calls INTEGER NOT NULL, tool_calls INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
  cached_input_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL,
  cost INTEGER NOT NULL, unpriced_calls INTEGER NOT NULL, uncounted_calls INTEGER NOT NULL, price_as_of TEXT NOT NULL,
  PRIMARY KEY (day, agent, version, provider, model, tool)) WITHOUT ROWID;
INSERT INTO usage_days SELECT at / 86400000000000, agent, '', provider, model, '', count(*), 0, sum(input_tokens),
  sum(output_tokens), sum(cached_input_tokens), 0, 0, 0, count(*), 0, '' FROM usage GROUP BY 1, 2, 4, 5;
CREATE TABLE accounts (
  run TEXT NOT NULL PRIMARY KEY, parent TEXT NOT NULL, agent TEXT NOT NULL, version TEXT NOT NULL,
  depth INTEGER NOT NULL, budgeted INTEGER NOT NULL, limit_tokens INTEGER, limit_money INTEGER, limit_calls INTEGER,
  limit_tool_calls INTEGER, limit_depth INTEGER, deadline INTEGER, park INTEGER NOT NULL,
  calls INTEGER NOT NULL, tool_calls INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
  cached_input_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL,
  cost INTEGER NOT NULL, unpriced_calls INTEGER NOT NULL, uncounted_calls INTEGER NOT NULL, price_as_of TEXT NOT NULL,
  reserved_tokens INTEGER NOT NULL, reserved_money INTEGER NOT NULL, reserved_calls INTEGER NOT NULL,
  waiting_on TEXT NOT NULL, at INTEGER NOT NULL, checksum INTEGER);
CREATE INDEX accounts_waiting ON accounts (waiting_on) WHERE waiting_on <> '';
CREATE TABLE reservations (
  key TEXT NOT NULL PRIMARY KEY, run TEXT NOT NULL, tokens INTEGER NOT NULL, money INTEGER NOT NULL,
  calls INTEGER NOT NULL, at INTEGER NOT NULL, checksum INTEGER);
CREATE INDEX reservations_by_run ON reservations (run);
CREATE TABLE bills (
  run TEXT NOT NULL PRIMARY KEY, parent TEXT NOT NULL, agent TEXT NOT NULL, version TEXT NOT NULL,
  status TEXT NOT NULL, error_type TEXT NOT NULL,
  calls INTEGER NOT NULL, tool_calls INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
  cached_input_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL,
  cost INTEGER NOT NULL, unpriced_calls INTEGER NOT NULL, uncounted_calls INTEGER NOT NULL, price_as_of TEXT NOT NULL,
  unsettled_cost INTEGER NOT NULL, begun_at INTEGER NOT NULL, ended_at INTEGER NOT NULL, checksum INTEGER);
)sql";

// Version 4: large outputs, by what is in them.
constexpr const char* kBlobTables = R"sql(
CREATE TABLE blobs (
  sha256 TEXT NOT NULL PRIMARY KEY, bytes INTEGER NOT NULL, whole INTEGER NOT NULL, at INTEGER NOT NULL,
  checksum INTEGER) WITHOUT ROWID;
CREATE TABLE blob_pieces (
  sha256 TEXT NOT NULL, n INTEGER NOT NULL, bytes TEXT NOT NULL, checksum INTEGER, PRIMARY KEY (sha256, n));
CREATE TABLE blob_references (
  run TEXT NOT NULL, sha256 TEXT NOT NULL, conversation TEXT NOT NULL, media_type TEXT NOT NULL,
  bytes INTEGER NOT NULL, at INTEGER NOT NULL, checksum INTEGER, PRIMARY KEY (run, sha256)) WITHOUT ROWID;
CREATE INDEX blob_references_by_content ON blob_references (sha256);
CREATE INDEX blob_references_by_conversation ON blob_references (conversation, sha256);
)sql";

// Version 5: what agents remember, and the terms by which it is found.
constexpr const char* kMemoryTables = R"sql(
CREATE TABLE memories (
  subject TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, text TEXT NOT NULL, run TEXT NOT NULL,
  key TEXT NOT NULL, at INTEGER NOT NULL, forgotten INTEGER NOT NULL, bytes INTEGER NOT NULL, checksum INTEGER,
  PRIMARY KEY (subject, name));
CREATE INDEX memories_counted ON memories (subject, forgotten, name, bytes, at);
CREATE TABLE memory_versions (
  subject TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, text TEXT NOT NULL, run TEXT NOT NULL,
  key TEXT NOT NULL, at INTEGER NOT NULL, checksum INTEGER, PRIMARY KEY (subject, name, version));
CREATE TABLE memory_terms (
  subject TEXT NOT NULL, term TEXT NOT NULL, name TEXT NOT NULL, times INTEGER NOT NULL, checksum INTEGER,
  PRIMARY KEY (subject, term, name)) WITHOUT ROWID;
CREATE INDEX memory_terms_by_name ON memory_terms (subject, name);
)sql";

// Version 4: the lines of conversations.
constexpr const char* kTurnTables = R"sql(
CREATE TABLE turns (
  n INTEGER PRIMARY KEY AUTOINCREMENT, conversation TEXT NOT NULL, run TEXT NOT NULL UNIQUE, at INTEGER NOT NULL,
  over INTEGER NOT NULL, checksum INTEGER);
CREATE INDEX turns_of_conversation ON turns (conversation, n);
CREATE INDEX turns_in_line ON turns (conversation, n) WHERE over = 0;
)sql";

constexpr const char* kStreamsTables = R"sql(
CREATE TABLE meta (epoch TEXT NOT NULL);
CREATE TABLE events (
  run TEXT NOT NULL, seq INTEGER NOT NULL, type TEXT NOT NULL, data TEXT NOT NULL, at INTEGER NOT NULL, key TEXT,
  step TEXT, attempt INTEGER, start INTEGER,
  PRIMARY KEY (run, seq));
CREATE UNIQUE INDEX events_by_key ON events (run, key) WHERE key IS NOT NULL;
CREATE INDEX events_by_step ON events (run, step, attempt, start) WHERE step IS NOT NULL;
)sql";

// What each version adds, in order. A step that has landed never changes.
struct Step {
  std::int64_t version;
  const char* sql;
};
constexpr Step kStoreSteps[] = {
    {2, kStoreChecksums},   {3, kLedgerChecksums},  {4, kLabels},       {4, kHeldRuns},
    {4, kBudgets},          {4, kBlobTables},       {4, kMemoryTables}, {4, kTurnTables},
    {4, kRunSettingsTable}, {5, kCompletionsTable}, {5, kFlowTable},    {5, kIdentityTables},
    {5, kOutboxTable},      {6, kForkIndex},        {6, kSecretsTable}, {6, kOidcTables},
    {6, kPeopleTables},     {7, kToolGrantsTable},  {8, kAskedTable},
};

Status take_store_steps(Database& db, std::int64_t from) {
  for (const Step& step : kStoreSteps) {
    if (step.version <= from) continue;
    if (Status status = db.execute(step.sql); !status.ok()) return status;
  }
  return {};
}

Result<bool> is_new(Database& db, std::int64_t id, std::int64_t version, const char* what) {
  Result<std::int64_t> stored_id = db.number("PRAGMA application_id");
  if (!stored_id) return fail(stored_id.error());
  Result<std::int64_t> stored_version = db.number("PRAGMA user_version");
  if (!stored_version) return fail(stored_version.error());
  Result<std::int64_t> tables = db.number("SELECT count(*) FROM sqlite_master");
  if (!tables) return fail(tables.error());
  if (*stored_id == 0 && *stored_version == 0 && *tables == 0) return true;
  if (*stored_id != id) {
    return fail(Code::kFailedPrecondition,
                fmt::format("the file is not a Holdfast {}: choose another data directory", what));
  }
  if (*stored_version > version) {
    return fail(
        with_fault(Code::kFailedPrecondition, StorageFault::kNewer,
                   fmt::format("the {} was written by a newer Holdfast (format {}, this one knows up to "
                               "{}): use that version, or another data directory",
                               what, *stored_version, version)));
  }
  return false;
}

// The tables and, because pragmas write the file's header, the stamp in one transaction.
template <typename First>
Status create(Database& db, const char* tables, std::int64_t id, std::int64_t version, First first_rows) {
  return sqlite::in_transaction(db, [&]() -> Status {
    if (Status status = db.execute(tables); !status.ok()) return status;
    const std::string stamp = fmt::format("PRAGMA application_id={}; PRAGMA user_version={}", id, version);
    if (Status status = db.execute(stamp.c_str()); !status.ok()) return status;
    return first_rows();
  });
}

Status migrate_store(Database& db) {
  return sqlite::in_transaction(db, [&]() -> Status {
    const Result<std::int64_t> version = db.number("PRAGMA user_version");
    if (!version) return version.error();
    if (*version >= kStoreVersion) return {};
    if (Status status = take_store_steps(db, *version); !status.ok()) return status;
    const std::string stamp = fmt::format("PRAGMA user_version={}", kStoreVersion);
    return db.execute(stamp.c_str());
  });
}

}  // namespace

Status open_file(Database& db, const std::filesystem::path& path, const sqlite::Options& options) {
  if (Status status = db.open(path, options); !status.ok()) return status;
  if (Status status = db.define_row_checksum(); !status.ok()) return status;
  if (!db.read_only()) return {};
  return with_fault(
      Code::kFailedPrecondition, StorageFault::kReadOnly,
      path.string() + " is read-only. Make the data directory and its files writable for this user");
}

Status prepare_store(Database& db) {
  Result<bool> fresh = is_new(db, kStoreId, kStoreVersion, "platform store");
  if (!fresh) return fresh.error();
  if (Status status = db.execute(kPragmas); !status.ok()) return status;
  Status ready =
      !*fresh ? migrate_store(db)
              : create(db, kStoreTables, kStoreId, kStoreVersion, [&] { return take_store_steps(db, 1); });
  return ready.ok() ? db.execute(kListIndexes) : ready;
}

std::string new_epoch(Random& random) {
  return fmt::format("{:08x}", random.next() & 0xffffffff);
}

Status prepare_streams(Database& db, const std::string& epoch) {
  Result<bool> fresh = is_new(db, kStreamsId, kStreamsVersion, "token stream file");
  if (!fresh) return fresh.error();
  if (Status status = db.execute(kPragmas); !status.ok()) return status;
  if (!*fresh) return {};
  return create(db, kStreamsTables, kStreamsId, kStreamsVersion, [&] {
    return sqlite::Statement(db, "INSERT INTO meta (epoch) VALUES (?1)").bind(epoch).run();
  });
}

}  // namespace holdfast::platform
