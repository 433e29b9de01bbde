// `holdfast backup` and `holdfast restore`. A directory that a server has open is backed up by that server,
// asked over its control socket; one at rest is opened here.

#include "app/backup_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/control_socket.h"
#include "app/data_directory.h"
#include "app/exit_code.h"
#include "app/output.h"
#include "app/restore.h"
#include "base/json.h"
#include "os/clock.h"
#include "os/thread_executor.h"
#include "platform_sqlite/sqlite_store.h"
#include "store/rocks_store.h"

namespace holdfast::app {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

// What a command says of a backup that it has made or used, and what the server says to the command.
struct Report {
  std::string taken_at;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  bool engine = false;
  bool platform = true;  // false: it is on PostgreSQL
};

Report report_of(const archive::Manifest& manifest) {
  const bool elsewhere = std::ranges::any_of(
      manifest.files, [](const archive::File& file) { return file.path == kPlatformMark; });
  return {manifest.taken_at, manifest.files.size(), manifest.bytes(), manifest.engine, !elsewhere};
}

Json json_of(const Report& report) {
  return {{"taken_at", report.taken_at},
          {"files", report.files},
          {"bytes", report.bytes},
          {"engine", report.engine},
          {"platform", report.platform}};
}

Result<Report> read_answer(const std::string& text) {
  const Json json = parse_json<Json>(text);
  const auto is = [&json](const char* name, bool (Json::*type)() const noexcept) {
    return json.contains(name) && (json[name].*type)();
  };
  if (json.is_object() && is("code", &Json::is_number_unsigned) && is("message", &Json::is_string)) {
    const auto code = json["code"].get<std::uint64_t>();
    if (code >= 1 && code <= 16) return fail(static_cast<Code>(code), json["message"].get<std::string>());
  }
  if (!json.is_object() || !is("taken_at", &Json::is_string) || !is("files", &Json::is_number_unsigned) ||
      !is("bytes", &Json::is_number_unsigned) || !is("engine", &Json::is_boolean)) {
    return fail(Code::kInternal, "the server gave an answer that this version does not understand");
  }
  return Report{json["taken_at"], json["files"], json["bytes"], json["engine"], json.value("platform", true)};
}

Result<Report> backup_of_running(const fs::path& data, const fs::path& target) {
  auto answer = ask_server(data, dump_json(Json{{"backup", target.string()}}));
  if (!answer) return fail(answer.error());
  return read_answer(*answer);
}

Result<Report> backup_of_stopped(const fs::path& path, const fs::path& target) {
  auto data = DataDirectory::open(path);
  if (!data) return fail(data.error());
  os::SystemClock clock;
  os::SystemRandom random;
  os::ThreadExecutor flusher("stream-flush");
  platform::OpenStores stores;
  if (!platform_mark(data->path())) {
    platform::SqliteOptions options;
    options.directory = data->platform_path();
    auto opened = platform::open_sqlite(options, clock, random, flusher);
    if (!opened) return fail(opened.error());
    stores = *std::move(opened);
  }
  std::unique_ptr<store::RocksStore> engine;
  if (fs::exists(data->engine_path())) {
    auto opened = store::RocksStore::open({.dir = data->engine_path()});
    if (!opened) return fail(opened.error());
    engine = *std::move(opened);
  }
  const BackupSources sources{.engine = engine.get(),
                              .platform = stores.snapshots.get(),
                              .data = data->path(),
                              .scratch = data->checkpoint_path(),
                              .clock = &clock};
  auto manifest = take_backup(sources, target, {});
  if (!manifest) return fail(manifest.error());
  return report_of(*manifest);
}

Result<Report> backup_of(const fs::path& data, const fs::path& target) {
  using Kind = DataDirectoryState::Kind;
  const DataDirectoryState state = inspect_data_directory(data);
  switch (state.kind) {
    case Kind::kInUse: return backup_of_running(data, target);
    case Kind::kUsable:
      if (fs::exists(data / "VERSION")) return backup_of_stopped(data, target);
      [[fallthrough]];
    case Kind::kAbsent:
      return fail(
          Code::kNotFound,
          fmt::format("there is no data directory at {}: say where it is with --data", data.string()));
    default: return fail(Code::kFailedPrecondition, state.detail);
  }
}

void say(std::string_view what, const Report& report, const fs::path& folder, bool json) {
  if (json) {
    Json line = {{"folder", folder.string()}};
    line.update(json_of(report));
    return print_line(dump_json(line));
  }
  print_line(fmt::format("{} {}: as of {}, {} files, {:.1f} MiB{}", what, folder.string(), report.taken_at,
                         report.files, static_cast<double>(report.bytes) / (1 << 20),
                         report.engine ? "" : ", without an engine (the runs are on a Temporal server)"));
  if (!report.platform)
    print_line("The platform store is on PostgreSQL and not in it: its copy must be a later one than this");
}

fs::path absolute(const std::string& path) {
  std::error_code error;
  return fs::absolute(path, error).lexically_normal();
}

}  // namespace

std::string answer_control(const std::string& question, const BackupSources& sources,
                           const archive::GiveUp& give_up) {
  const Json json = parse_json<Json>(question);
  const auto answer = [&]() -> Result<archive::Manifest> {
    if (!json.is_object() || !json.contains("backup") || !json["backup"].is_string())
      return fail(Code::kUnimplemented, "this server does not know that question; use its own version");
    const fs::path target = json["backup"].get<std::string>();
    if (!target.is_absolute()) return fail(Code::kInvalidArgument, "the folder has no absolute path");
    return take_backup(sources, target, give_up);
  }();
  if (answer) return dump_json(json_of(report_of(*answer)));
  return dump_json(
      Json{{"code", static_cast<int>(answer.error().code())}, {"message", answer.error().message()}});
}

int backup(const BackupOptions& options) {
  const fs::path target = absolute(options.folder);
  auto report = backup_of(absolute(options.data), target);
  if (!report) return refuse(report.error());
  say("backed up to", *report, target, options.json);
  return kExitOk;
}

int restore(const RestoreOptions& options) {
  os::SystemClock clock;
  os::SystemRandom random;
  const fs::path target = absolute(options.data);
  auto manifest = restore_backup(absolute(options.folder), target, clock, random);
  if (!manifest) return refuse(manifest.error());
  say("restored to", report_of(*manifest), target, options.json);
  return kExitOk;
}

}  // namespace holdfast::app
