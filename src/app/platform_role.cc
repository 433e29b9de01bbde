#include "app/platform_role.h"

#include <fmt/format.h>

#include <filesystem>

#include "platform_postgres/postgres_store.h"

namespace holdfast::app {

namespace fs = std::filesystem;

namespace {

Result<platform::OpenStores> open_files(const PlatformPlace& place, const Clock& clock, Random& random,
                                        Executor& flusher) {
  platform::SqliteOptions options;
  options.directory = place.data->platform_path();
  options.vfs = place.sqlite_vfs;
  options.fatal = place.fatal;
  options.complain = place.complain;
  return platform::open_sqlite(options, clock, random, flusher);
}

// A directory without the mark may take a store only when neither of them belongs to anybody.
Status check_strangers(const PlatformPlace& place, platform::Store& store) {
  if (!place.embedded_engine) return {};
  platform::RunFilter any;
  any.limit = 1;
  const auto runs = store.runs(any);
  if (!runs) return runs.error();
  if (runs->empty()) return {};
  return {Code::kFailedPrecondition,
          fmt::format("the platform store holds runs of another server, whose executions are not in {}: use "
                      "that server's data directory, or a schema of its own (?schema=NAME)",
                      place.data->path().string())};
}

Result<platform::OpenStores> open_postgres_store(const PlatformPlace& place, const Clock& clock,
                                                 Random& random, Executor& flusher) {
  const fs::path& data = place.data->path();
  const std::optional<std::string> mark = platform_mark(data);
  std::error_code ignored;
  if (!mark && fs::exists(fs::path(place.data->platform_path()) / kPlatformDatabase, ignored)) {
    return fail(
        Code::kFailedPrecondition,
        fmt::format("{} has a platform store of its own: move it first, with `holdfast migrate --from {} "
                    "--platform-store ... --apply`, or choose a new directory with --data",
                    data.string(), data.string()));
  }
  auto address = postgres::parse_address(*place.address);
  if (!address) return fail(address.error());
  platform::PostgresOptions options;
  options.address = *std::move(address);
  options.fatal = place.fatal;
  options.complain = place.complain;
  auto opened = platform::open_postgres(options, clock, random, flusher);
  if (!opened) return fail(opened.error());
  if (mark && *mark != opened->identity) {
    return fail(Code::kFailedPrecondition,
                fmt::format("{} belongs to another platform store than {}: that one is {}, this one {}",
                            data.string(), options.address.text(), *mark, opened->identity));
  }
  if (!mark) {
    if (Status status = check_strangers(place, *opened->store); !status.ok()) return fail(status);
    if (Status status = keep_platform_mark(data, opened->identity); !status.ok()) return fail(status);
  }
  platform::OpenStores out;
  out.store = std::move(opened->store);
  out.streams = std::move(opened->streams);
  out.identities = opened->identities;
  out.secrets = opened->secrets;
  out.oidc = opened->oidc;
  out.grants = opened->grants;
  out.audit = opened->audit;
  out.links = opened->links;
  out.inbox = opened->inbox;
  out.outbox = std::move(opened->outbox);
  out.index = std::move(opened->index);
  return out;
}

}  // namespace

Result<platform::OpenStores> open_platform_store(const PlatformPlace& place, const Clock& clock,
                                                 Random& random, Executor& flusher) {
  if (place.address) return open_postgres_store(place, clock, random, flusher);
  if (const auto mark = platform_mark(place.data->path())) {
    return fail(
        Code::kFailedPrecondition,
        fmt::format("the platform store of {} is on PostgreSQL ({}): say where with --platform-store, or "
                    "HOLDFAST_PLATFORM_STORE",
                    place.data->path().string(), *mark));
  }
  return open_files(place, clock, random, flusher);
}

}  // namespace holdfast::app
