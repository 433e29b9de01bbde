// `holdfast doctor`: is this machine ready? Ports, clock, disk, limits, data directory, whole databases;
// changes nothing that stays.

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/data_directory.h"
#include "app/exit_code.h"
#include "app/output.h"
#include "base/json.h"
#include "base/memory_budget.h"
#include "broker/broker.h"
#include "os/clock.h"
#include "platform_postgres/copy.h"
#include "postgres/address.h"
#include "sqlite/database.h"

namespace holdfast::app {

namespace {

namespace fs = std::filesystem;

enum class Verdict { kOk, kWarn, kFail };

struct Check {
  std::string name;
  Verdict verdict;
  std::string detail;
  nlohmann::json data = {};
};

Check check_port(const char* name, std::uint16_t port) {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int yes = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bool free = ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 && ::listen(fd, 1) == 0;
  ::close(fd);
  nlohmann::json data = {{"port", port}, {"free", free}};
  if (free) return {name, Verdict::kOk, fmt::format("{} is free", port), data};
  return {name, Verdict::kWarn,
          fmt::format("{} is in use; a server without a port flag takes the next free one", port), data};
}

Check check_clock() {
  timex state{};
  int result = ::adjtimex(&state);
  auto now = std::chrono::system_clock::now();
  // Before this program was written: timers and expiries would be nonsense.
  if (now < std::chrono::system_clock::time_point(std::chrono::seconds(1'750'000'000))) {
    return {"clock", Verdict::kFail, "the clock is years behind; set it before anything is recorded"};
  }
  bool synced = result >= 0 && result != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
  if (synced) return {"clock", Verdict::kOk, "synchronised", {{"synchronised", true}}};
  return {"clock",
          Verdict::kWarn,
          "not known to be synchronised (NTP); timers follow it",
          {{"synchronised", false}}};
}

fs::path nearest_existing(fs::path path) {
  std::error_code error;
  path = fs::absolute(path, error);
  while (!fs::is_directory(path, error) && path.has_parent_path() && path != path.parent_path()) {
    path = path.parent_path();
  }
  return path;
}

Check check_sync(const fs::path& folder) {
  constexpr int kRounds = 32;
  fs::path file = folder / fmt::format(".holdfast-doctor-{}", ::getpid());
  int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return {"disk sync", Verdict::kFail, fmt::format("{} cannot be written", folder.string())};
  ::unlink(file.c_str());
  std::string block(4096, 'h');
  std::vector<double> times;
  for (int i = 0; i < kRounds; ++i) {
    auto begin = std::chrono::steady_clock::now();
    bool done = ::pwrite(fd, block.data(), block.size(), i * 4096L) == 4096 && ::fdatasync(fd) == 0;
    if (!done) {
      ::close(fd);
      return {"disk sync", Verdict::kFail, "writing 4 KiB and syncing them failed: disk full or broken"};
    }
    times.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
  }
  ::close(fd);
  std::sort(times.begin(), times.end());
  double p50 = times[kRounds / 2];
  double p95 = times[kRounds * 95 / 100];
  nlohmann::json data = {{"p50_ms", p50}, {"p95_ms", p95}};
  std::string detail = fmt::format("{:.2f} ms for 4 KiB (95 %: {:.2f} ms)", p50, p95);
  if (p50 > 20)
    return {"disk sync", Verdict::kWarn, detail + "; every step waits for one: use a faster disk", data};
  if (p50 < 0.01) {
    return {"disk sync", Verdict::kWarn,
            detail + "; too fast for a disk: is this a RAM disk or a lying cache?", data};
  }
  return {"disk sync", Verdict::kOk, detail, data};
}

Check check_space(const fs::path& folder) {
  struct statvfs disk{};
  if (::statvfs(folder.c_str(), &disk) != 0) return {"disk space", Verdict::kWarn, "unknown"};
  std::uint64_t free = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  Verdict verdict = free < kMinFreeBytes  ? Verdict::kFail
                    : free < (1ULL << 30) ? Verdict::kWarn
                                          : Verdict::kOk;
  return {"disk space",
          verdict,
          fmt::format("{:.1f} GiB free", static_cast<double>(free) / (1ULL << 30)),
          {{"free_bytes", free}}};
}

Check check_files() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  Verdict verdict = limit.rlim_cur < 1024 ? Verdict::kWarn : Verdict::kOk;
  return {"open files", verdict, fmt::format("{} allowed", limit.rlim_cur), {{"limit", limit.rlim_cur}}};
}

Check check_data(const fs::path& path) {
  using Kind = DataDirectoryState::Kind;
  DataDirectoryState state = inspect_data_directory(path);
  bool good = state.kind == Kind::kAbsent || state.kind == Kind::kUsable;
  Verdict verdict = good ? Verdict::kOk : state.kind == Kind::kInUse ? Verdict::kWarn : Verdict::kFail;
  return {"data directory",
          verdict,
          fmt::format("{}: {}", path.string(), state.detail),
          {{"path", path.string()}}};
}

// Every database below the directory, whole: an index that lost an entry hides its row from those who look it
// up, and nobody else would notice.
Check check_databases(const fs::path& path) {
  std::error_code error;
  std::vector<std::string> looked;
  fs::recursive_directory_iterator file(path, fs::directory_options::skip_permission_denied, error);
  for (; !error && file != fs::recursive_directory_iterator(); file.increment(error)) {
    if (file->path().extension() != ".db" || !file->is_regular_file(error)) continue;
    if (const Status status = sqlite::check_whole(file->path()); !status.ok()) {
      return {"databases", Verdict::kFail,
              fmt::format("{}; restore the data directory from a backup", status.message())};
    }
    looked.push_back(file->path().filename().string());
  }
  return {"databases", Verdict::kOk, fmt::format("{} found, whole", looked.size()), {{"found", looked}}};
}

Check check_platform_store(const std::string& text) {
  const char* name = "platform store";
  auto address = postgres::parse_address(text);
  if (!address) return {name, Verdict::kFail, address.error().message()};
  const os::SystemClock clock;
  auto connection = postgres::Connection::open(*address, {}, clock);
  if (!connection) return {name, Verdict::kFail, connection.error().message()};
  auto state = platform::inspect_schema(**connection);
  if (!state) return {name, Verdict::kFail, state.error().message()};
  auto health = platform::postgres_health(**connection, clock);
  if (!health) return {name, Verdict::kFail, health.error().message()};
  Check check{
      name,
      Verdict::kOk,
      fmt::format("{}, PostgreSQL {}, {:.2f} ms away, schema version {} of {}", address->text(),
                  health->version, health->round_trip_ms, state->version, platform::migrations().size()),
      {{"schema_version", state->version},
       {"round_trip_ms", health->round_trip_ms},
       {"fsync", health->flushes},
       {"data_checksums", health->checks_pages}}};
  if (!health->checks_pages) {
    check.verdict = Verdict::kWarn;
    check.detail += "; it has no page checksums (initdb --data-checksums), so damage is not noticed";
  }
  if (state->version > 0 && !state->pending.empty()) {
    check.verdict = Verdict::kFail;
    check.detail += "; take it forward with `holdfast migrate --apply`";
  }
  if (!health->flushes) {
    check.verdict = Verdict::kFail;
    check.detail += "; fsync is off: it loses what it has acknowledged when the power goes";
  }
  return check;
}

// Whether code of users can run here, and what stands around it; tried, not guessed.
Check check_sandbox() {
  const os::SystemClock clock;
  MemoryBudget memory("sandbox", std::size_t{64} << 20);
  auto broker = sandbox::Broker::start({}, memory, clock);
  if (!broker) return {"sandbox", Verdict::kWarn, broker.error().message(), {{"level", 0}}};
  sandbox::Request request;
  request.code = "6 * 7";
  const auto reply = (*broker)->run("doctor", request);
  const nlohmann::json data = {{"level", (*broker)->level()}};
  if (!reply) return {"sandbox", Verdict::kWarn, reply.error().message(), data};
  if (reply->failure) return {"sandbox", Verdict::kWarn, reply->failure->message, data};
  return {"sandbox", Verdict::kOk, (*broker)->description(), data};
}

// Blocks of flows in a language: tried, too. A machine without it runs everything else.
Check check_language(const std::string& name, const sandbox::Broker::Options& options, sandbox::Kind kind,
                     std::string code, std::string_view place) {
  const os::SystemClock clock;
  MemoryBudget memory("sandbox", std::size_t{256} << 20);
  auto broker = sandbox::Broker::start(options, memory, clock);
  if (!broker) return {name, Verdict::kWarn, "it needs the sandbox, which is not there", {}};
  sandbox::Request request;
  request.kind = kind;
  request.limits = sandbox::kPythonLimits;
  request.code = std::move(code);
  const auto reply = (*broker)->run("doctor", request);
  if (!reply) return {name, Verdict::kWarn, reply.error().message(), {}};
  if (reply->failure) return {name, Verdict::kWarn, reply->failure->message, {}};
  const nlohmann::json version = parse_json(reply->result);
  const std::string text = version.is_string() ? version.get<std::string>() : reply->result;
  return {name,
          Verdict::kOk,
          fmt::format("Python {} at {}, in the sandbox at level {}", text, place, (*broker)->level()),
          {{"version", text}}};
}

Check check_python() {
  return check_language("python", {}, sandbox::Kind::kPython,
                        "import platform; return platform.python_version()", sandbox::kPython);
}

// By Monty, where the operator has it.
Check check_monty(const std::string& program) {
  if (program.empty())
    return {"monty", Verdict::kOk, "not named (--monty), so flows with `language: monty` are refused", {}};
  sandbox::Broker::Options options;
  options.monty = program;
  return check_language("monty", options, sandbox::Kind::kMonty, "import sys\nreturn sys.version", program);
}

std::string_view word(Verdict verdict) {
  return verdict == Verdict::kOk ? "ok" : verdict == Verdict::kWarn ? "warn" : "fail";
}

}  // namespace

int doctor(const DoctorOptions& options) {
  fs::path folder = nearest_existing(options.data);
  std::vector<Check> checks = {check_port("gRPC port", 7233),
                               check_port("HTTP port", 8233),
                               check_clock(),
                               check_sync(folder),
                               check_space(folder),
                               check_files(),
                               check_sandbox(),
                               check_python(),
                               check_monty(options.monty),
                               check_data(options.data),
                               check_databases(options.data)};
  if (options.platform_store) checks.push_back(check_platform_store(*options.platform_store));
  bool failed =
      std::any_of(checks.begin(), checks.end(), [](const Check& c) { return c.verdict == Verdict::kFail; });
  if (options.json) {
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    for (const Check& check : checks) {
      nlohmann::ordered_json row = {
          {"check", check.name}, {"verdict", word(check.verdict)}, {"detail", check.detail}};
      if (check.data.is_object()) row.update(check.data);
      rows.push_back(std::move(row));
    }
    print_line(dump_json(nlohmann::ordered_json{{"ok", !failed}, {"checks", rows}}));
  } else {
    for (const Check& check : checks) {
      Colour colour = check.verdict == Verdict::kOk     ? Colour::kGreen
                      : check.verdict == Verdict::kWarn ? Colour::kYellow
                                                        : Colour::kRed;
      print_line(fmt::format("{}  {:<15} {}", coloured(colour, fmt::format("{:<4}", word(check.verdict))),
                             check.name, check.detail));
    }
  }
  return failed ? kExitError : kExitOk;
}

}  // namespace holdfast::app
