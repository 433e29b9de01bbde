// Opens the platform store's files: lock first, then the stamp of each, then the tables.

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "platform_sqlite/schema.h"
#include "platform_sqlite/sqlite_store.h"
#include "platform_sqlite/sqlite_store_impl.h"
#include "platform_sqlite/sqlite_streams.h"

namespace holdfast::platform {

namespace {

// A database of its own that stays locked while we live; the lock dies with the process.
Result<std::unique_ptr<Db>> take_lock(const SqliteOptions& options) {
  const std::filesystem::path path = options.directory / "platform.lock";
  Result<std::unique_ptr<Db>> db = Db::open_lock(path, options.vfs);
  if (db) return db;
  if (fault_of(db.error()) != StoreFault::kLocked) return db;
  Status locked(
      Code::kUnavailable,
      fmt::format("the data directory {} is in use by another holdfast process: stop it, or choose another "
                  "directory",
                  options.directory.string()));
  for (const StatusDetail& detail : db.error().details()) locked.with_detail(detail.type_url, detail.value);
  return fail(std::move(locked));
}

void print_and_abort(const std::string& message) {
  std::fprintf(stderr, "holdfast: %s\n", message.c_str());
  std::abort();
}

Result<std::string> epoch_of(Db& db) {
  Query query(db, "SELECT epoch FROM meta");
  if (!query.next()) {
    return fail(query.status().ok() ? Status(Code::kDataLoss, "streams.db has no epoch") : query.status());
  }
  return query.text(0);
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
  const GroupCommit::Fatal fatal = options.fatal ? options.fatal : print_and_abort;

  Result<std::unique_ptr<Db>> lock = take_lock(options);
  if (!lock) return fail(lock.error());

  const std::filesystem::path store_path = options.directory / "platform.db";
  Result<std::unique_ptr<Db>> store = Db::open(store_path, options.vfs);
  if (!store) return fail(store.error());
  if (Status status = prepare_store(**store); !status.ok()) return fail(status);

  const std::filesystem::path streams_path = options.directory / "streams.db";
  Result<std::unique_ptr<Db>> streams = Db::open(streams_path, options.vfs);
  if (!streams) return fail(streams.error());
  if (Status status = prepare_streams(**streams, fmt::format("{:08x}", random.next() & 0xffffffff));
      !status.ok()) {
    return fail(status);
  }
  Result<std::string> epoch = epoch_of(**streams);
  if (!epoch) return fail(epoch.error());

  OpenStores out;
  out.store = std::make_unique<SqliteStore>(std::move(*lock), std::move(*store), store_path, options.vfs,
                                            fatal, clock, random);
  out.streams = std::make_unique<SqliteStreams>(std::move(*streams), streams_path, options.vfs,
                                                std::move(*epoch), fatal, clock, flusher);
  return out;
}

}  // namespace holdfast::platform
