// Opens the platform store's files: lock first, then the stamp of each, then the tables.

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "base/storage_fault.h"
#include "platform/buffered_streams.h"
#include "platform_sqlite/run_index.h"
#include "platform_sqlite/schema.h"
#include "platform_sqlite/sqlite_snapshots.h"
#include "platform_sqlite/sqlite_store.h"
#include "platform_sqlite/sqlite_store_impl.h"
#include "platform_sqlite/stream_log.h"
#include "sqlite/statement.h"

namespace holdfast::platform {

using sqlite::Database;
using sqlite::Statement;

namespace {

// A database of its own that stays locked while we live; the lock dies with the process. It is not in WAL
// mode: nothing is ever written.
Status take_lock(Database& db, const SqliteOptions& options) {
  using std::chrono_literals::operator""ms;
  Status status =
      open_file(db, options.directory / "platform.lock", {.vfs = options.vfs, .busy_timeout = 0ms});
  if (status.ok()) status = db.execute("BEGIN EXCLUSIVE");
  if (fault_of(status) != StorageFault::kLocked) return status;
  return with_fault(
      Code::kUnavailable, StorageFault::kLocked,
      fmt::format("the data directory {} is in use by another holdfast process: stop it, or choose another "
                  "directory",
                  options.directory.string()));
}

void print_and_abort(const std::string& message) {
  std::fprintf(stderr, "holdfast: %s\n", message.c_str());
  std::abort();
}

Result<std::string> epoch_of(Database& db) {
  Statement query(db, "SELECT epoch FROM meta");
  Result<std::optional<std::string>> epoch = query.one([](const Statement& row) { return row.text(0); });
  if (!epoch) return fail(epoch.error());
  if (!*epoch) return fail(Code::kDataLoss, "streams.db has no epoch");
  return std::move(**epoch);
}

}  // namespace

Result<OpenStores> open_sqlite(const SqliteOptions& options, const Clock& clock, Random& random,
                               Executor& flusher) {
  std::error_code error;
  std::filesystem::create_directories(options.directory, error);
  if (error) {
    return fail(Code::kFailedPrecondition, fmt::format("cannot make the data directory {}: {}",
                                                       options.directory.string(), error.message()));
  }
  const Fatal fatal = options.fatal ? options.fatal : print_and_abort;

  auto lock = std::make_unique<Database>();
  if (Status status = take_lock(*lock, options); !status.ok()) return fail(status);

  const std::filesystem::path store_path = options.directory / "platform.db";
  auto store = std::make_unique<Database>();
  Status status = open_file(*store, store_path, {.vfs = options.vfs});
  if (status.ok()) status = prepare_store(*store);
  if (status.ok()) status = prepare_histories(*store);
  if (status.ok()) status = sqlite::make_shrinkable(*store);
  if (!status.ok()) return fail(status);

  const std::filesystem::path streams_path = options.directory / "streams.db";
  auto streams = std::make_unique<Database>();
  status = open_file(*streams, streams_path, {.vfs = options.vfs});
  if (status.ok()) status = prepare_streams(*streams, new_epoch(random));
  if (status.ok()) status = sqlite::make_shrinkable(*streams);
  if (!status.ok()) return fail(status);
  Result<std::string> epoch = epoch_of(*streams);
  if (!epoch) return fail(epoch.error());

  auto tables = std::make_unique<SqliteStore>(std::move(lock), std::move(store), store_path, options.vfs,
                                              fatal, options.complain, clock, random);
  auto log = std::make_unique<BufferedStreams>(
      std::make_unique<StreamLog>(std::move(streams), streams_path, options.vfs, std::move(*epoch), fatal),
      clock, flusher);
  OpenStores out;
  out.outbox = std::make_unique<Outbox>(*tables, *log, clock);
  if (Status told = out.outbox->recover(); !told.ok()) return fail(std::move(told));
  out.snapshots = std::make_unique<SqliteSnapshots>(*tables, store_path, *log, streams_path, options.vfs);
  out.index = sqlite_run_index(store_path, options.vfs, options.complain);
  out.identities = tables.get();
  out.secrets = tables.get();
  out.oidc = tables.get();
  out.grants = tables.get();
  out.audit = tables.get();
  out.links = tables.get();
  out.inbox = tables.get();
  out.store = std::move(tables);
  out.streams = std::move(log);
  return out;
}

}  // namespace holdfast::platform
