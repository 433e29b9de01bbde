// Opens the platform store in a schema of PostgreSQL: the tables first, then the two sessions that write.

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "base/storage_fault.h"
#include "platform/buffered_streams.h"
#include "platform_postgres/postgres_log.h"
#include "platform_postgres/postgres_store.h"
#include "platform_postgres/postgres_store_impl.h"
#include "platform_postgres/run_index.h"
#include "platform_postgres/schema.h"

namespace holdfast::platform {

namespace {

void print_and_abort(const std::string& message) {
  std::fprintf(stderr, "holdfast: %s\n", message.c_str());
  std::abort();
}

Status prepare(Connection& connection, const Clock& clock, Random& random) {
  Result<SchemaState> state = inspect_schema(connection);
  if (!state) return state.error();
  if (state->pending.empty()) return {};
  if (state->version == 0) return migrate_schema(connection, clock, random);
  return {Code::kFailedPrecondition,
          fmt::format("{} is of version {}, this program needs {}: take it there with `holdfast migrate "
                      "--platform-store ... --apply`, with no server running on it",
                      connection.address().text(), state->version, state->pending.back().version)};
}

struct Identity {
  std::string id;
  std::string epoch;
};

Result<Identity> identity_of(Connection& connection) {
  Result<std::optional<Identity>> found =
      Statement(connection, "SELECT id, epoch FROM identity").one([](const Statement& row) {
        return Identity{row.text(0), row.text(1)};
      });
  if (!found) return fail(found.error());
  if (!*found) return fail(Code::kDataLoss, "the table identity is empty");
  return std::move(**found);
}

// The pieces of a batch, each atomic by itself: a failing one is undone and leaves its neighbours alone.
Status run_pieces(Connection& db, GroupCommit<Connection>::Batch& batch) {
  if (batch.size() == 1) return batch.front()->status = (*batch.front()->work)(db);
  std::string before = "SAVEPOINT piece";
  for (auto* piece : batch) {
    if (Status status = db.execute(before); !status.ok()) return status;
    piece->status = (*piece->work)(db);
    if (db.lost()) return {Code::kUnavailable, "the connection is lost"};
    before = piece->status.ok() ? "RELEASE piece; SAVEPOINT piece" : "ROLLBACK TO piece";
  }
  return db.execute(before);
}

}  // namespace

void PostgresStore::commit(GroupCommit<Connection>::Batch& batch) {
  const Status status = session_->transact([&](Connection& db) { return run_pieces(db, batch); });
  if (status.ok()) return;
  for (auto* piece : batch) {
    if (piece->status.ok() || status.code() == Code::kUnavailable) piece->status = status;
  }
  // Whoever waits behind has waited as long.
  if (status.code() == Code::kUnavailable) commit_.refuse_waiting(status);
}

Status lost_row(std::string_view table, std::string_view key) {
  return with_fault(
      Code::kDataLoss, StorageFault::kCorrupt,
      fmt::format("the row '{}' of {} is not as it was written, and is not used. The database is "
                  "damaged: restore it from a backup",
                  key.substr(0, DamageLog::kMaxKeyBytes), table));
}

Result<OpenPostgres> open_postgres(const PostgresOptions& options, const Clock& clock, Random& random,
                                   Executor& flusher) {
  SessionOptions session;
  session.clock = &clock;
  session.address = options.address;
  session.limits = options.limits;
  session.patience = options.patience;
  session.fatal = options.fatal ? options.fatal : print_and_abort;

  Result<std::unique_ptr<Connection>> first = Connection::open(options.address, options.limits, clock);
  if (!first) return fail(first.error());
  if (Status status = prepare(**first, clock, random); !status.ok()) return fail(status);
  Result<Identity> identity = identity_of(**first);
  if (!identity) return fail(identity.error());
  first->reset();

  Result<std::unique_ptr<Session>> store = Session::open(session, "store");
  if (!store) return fail(store.error());
  Result<std::unique_ptr<Session>> events = Session::open(session, "events");
  if (!events) return fail(events.error());
  OpenPostgres out;
  out.identity = identity->id;
  auto tables = std::make_unique<PostgresStore>(std::move(*store), session, options.complain, clock, random);
  out.index = postgres_run_index(session);
  out.identities = tables.get();
  out.secrets = tables.get();
  out.oidc = tables.get();
  out.grants = tables.get();
  out.audit = tables.get();
  out.links = tables.get();
  out.inbox = tables.get();
  auto log = std::make_unique<BufferedStreams>(
      std::make_unique<PostgresLog>(std::move(*events), session, identity->epoch), clock, flusher);
  out.outbox = std::make_unique<Outbox>(*tables, *log, clock);
  if (Status told = out.outbox->recover(); !told.ok()) return fail(std::move(told));
  out.store = std::move(tables);
  out.streams = std::move(log);
  return out;
}

}  // namespace holdfast::platform
