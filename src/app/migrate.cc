// `holdfast migrate`: what a platform store on PostgreSQL needs to become that of this version, and, with
// --apply, taking it there. With --from, moving the platform store of a data directory there.

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/data_directory.h"
#include "app/exit_code.h"
#include "app/output.h"
#include "app/platform_role.h"
#include "base/json.h"
#include "os/clock.h"
#include "os/thread_executor.h"
#include "platform_postgres/copy.h"
#include "platform_sqlite/sqlite_tables.h"

namespace holdfast::app {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

// A copy is one long statement a table.
constexpr postgres::Limits kPatient{.statement = std::chrono::hours(24)};

struct Migration {
  const MigrateOptions& options;
  os::SystemClock clock{};
  os::SystemRandom random{};
  std::unique_ptr<postgres::Connection> connection{};
  Json answer{};
};

void say(const Migration& run, const std::string& line) {
  if (!run.options.json) print_line(line);
}

Status take_forward(Migration& run) {
  auto state = platform::inspect_schema(*run.connection);
  if (!state) return state.error();
  const auto newest = static_cast<std::int64_t>(platform::migrations().size());
  const std::string where = run.connection->address().text();
  say(run, fmt::format("{}: version {} of {}", where, state->version, newest));
  Json pending = Json::array();
  for (const platform::Migration& step : state->pending) {
    pending.push_back({{"version", step.version}, {"what", step.what}});
    say(run, fmt::format("  {} {} {}", run.options.apply ? "taking " : "missing", step.version, step.what));
  }
  run.answer["store"] = where;
  run.answer["version"] = state->version;
  run.answer["newest"] = newest;
  run.answer["pending"] = std::move(pending);
  run.answer["applied"] = run.options.apply;
  if (!run.options.apply) return {};
  return platform::migrate_schema(*run.connection, run.clock, run.random);
}

Status move_store(Migration& run, const fs::path& from) {
  using Kind = DataDirectoryState::Kind;
  const DataDirectoryState state = inspect_data_directory(from);
  if (state.kind == Kind::kAbsent || !fs::exists(from / "VERSION"))
    return {Code::kNotFound, fmt::format("there is no data directory at {}", from.string())};
  auto data = DataDirectory::open(from);
  if (!data) return data.error();
  if (const auto mark = platform_mark(data->path())) {
    return {Code::kFailedPrecondition,
            fmt::format("the platform store of {} is on PostgreSQL already ({})", from.string(), *mark)};
  }
  if (!fs::exists(fs::path(data->platform_path()) / kPlatformDatabase))
    return {Code::kNotFound, fmt::format("{} has no platform store", from.string())};
  // Open it as a server does: what it is made of is checked, and nobody else writes meanwhile.
  os::ThreadExecutor flusher("stream-flush");
  platform::SqliteOptions options;
  options.directory = data->platform_path();
  auto stores = platform::open_sqlite(options, run.clock, run.random, flusher);
  if (!stores) return stores.error();
  auto tables = platform::open_sqlite_tables(options.directory);
  if (!tables) return tables.error();
  auto copied = platform::copy_into_postgres(*run.connection, **tables, run.clock, run.random);
  if (!copied) return copied.error();
  if (Status status = keep_platform_mark(data->path(), copied->identity); !status.ok()) return status;

  Json rows = Json::array();
  for (const platform::CopiedTable& table : copied->tables) {
    rows.push_back({{"table", table.name}, {"rows", table.rows}, {"sha256", table.sha256}});
    say(run, fmt::format("  {:<20} {:>9} rows  sha256 {}  the same there", table.name, table.rows,
                         table.sha256.substr(0, 16)));
  }
  run.answer["from"] = from.string();
  run.answer["tables"] = std::move(rows);
  say(run,
      fmt::format("{} belongs to that store now: start its server with --platform-store. The files in {} "
                  "are left as they are",
                  from.string(), options.directory.string()));
  return {};
}

Status run_migration(Migration& run) {
  auto address = postgres::parse_address(run.options.platform_store);
  if (!address) return address.error();
  auto connection = postgres::Connection::open(*address, kPatient, run.clock);
  if (!connection) return connection.error();
  run.connection = *std::move(connection);
  if (Status status = take_forward(run); !status.ok()) return status;
  if (!run.options.from) return {};
  if (run.options.apply) return move_store(run, fs::absolute(*run.options.from).lexically_normal());
  say(run, fmt::format("with --apply the platform store of {} is copied there", *run.options.from));
  return {};
}

}  // namespace

int migrate(const MigrateOptions& options) {
  Migration run{options};
  if (Status status = run_migration(run); !status.ok()) return refuse(status);
  if (options.json) {
    print_line(dump_json(run.answer));
  } else if (!options.apply) {
    print_line("nothing was changed; --apply does it");
  }
  return kExitOk;
}

}  // namespace holdfast::app
