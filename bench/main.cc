// holdfast_bench: the load generator. `holdfast_bench --help`.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ranges>
#include <string>
#include <string_view>
#include <vector>

#include "due_together.h"
#include "machine.h"
#include "restart.h"
#include "retention.h"
#include "workloads.h"

namespace holdfast::bench {
namespace {

constexpr const char* kUsage =
    R"(holdfast_bench --address HOST:PORT [options]              load on a server that runs
holdfast_bench --address HOST:PORT --restart [options] -- COMMAND ...   starts, loads, kills and restarts a server

holdfast_bench --address HOST:PORT --due-together N [--log FILE] -- COMMAND ...   N timers due in one moment

  --workloads LIST    of w1,w2,w3,w5,w9 (all)
  --seconds N         no new starts after N seconds of a workload (10)
  --count N           at most N runs per workload
  --retention N       instead of them: N closed runs, and what their deletion does to a live load; with --data DIR,
                      the server's data directory
  --server-pid PID    also what the server spends
  --sync-dir DIR      also how long the disk under DIR takes for a synced write
  --open-runs N       with --restart: parked runs (1000)
  --kills N           with --restart: how often (3)
  --log FILE          with --restart: the server's output
  --json FILE         the figures, for tools/bench.py
)";

struct Arguments {
  std::string workloads = "w1,w2,w3,w5,w9";
  std::string json;
  std::string sync_dir;
  bool restarts = false;
  int due_together = 0;
  WorkloadOptions load;
  RestartOptions restart;
  RetentionOptions retention;
};

void check_workloads(std::string_view list) {
  constexpr std::string_view kKnown[] = {"w1", "w2", "w3", "w5", "w9"};
  for (const auto part : std::views::split(list, ',')) {
    const std::string_view name(part);
    if (std::ranges::find(kKnown, name) != std::end(kKnown)) continue;
    std::fprintf(stderr, "no workload \"%.*s\"\n%s", static_cast<int>(name.size()), name.data(), kUsage);
    std::exit(2);
  }
}

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--") {
      arguments.restart.command.assign(argv + i + 1, argv + argc);
      break;
    }
    if (name == "--restart") {
      arguments.restarts = true;
      continue;
    }
    if (name == "--help" || i + 1 == argc) {
      std::fputs(kUsage, name == "--help" ? stdout : stderr);
      std::exit(name == "--help" ? 0 : 2);
    }
    const char* value = argv[++i];
    if (name == "--address")
      arguments.restart.address = value;
    else if (name == "--workloads")
      arguments.workloads = value;
    else if (name == "--seconds")
      arguments.load.at_most = std::chrono::seconds(std::atoi(value));
    else if (name == "--count")
      arguments.load.count = std::atoi(value);
    else if (name == "--retention")
      arguments.retention.runs = std::atoi(value);
    else if (name == "--data")
      arguments.retention.data = value;
    else if (name == "--server-pid")
      arguments.load.server_pid = std::atoi(value);
    else if (name == "--sync-dir")
      arguments.sync_dir = value;
    else if (name == "--open-runs")
      arguments.restart.open_runs = std::atoi(value);
    else if (name == "--kills")
      arguments.restart.kills = std::atoi(value);
    else if (name == "--due-together")
      arguments.due_together = std::atoi(value);
    else if (name == "--log")
      arguments.restart.log = value;
    else if (name == "--json")
      arguments.json = value;
    else {
      std::fprintf(stderr, "unknown option %s\n%s", argv[i - 1], kUsage);
      std::exit(2);
    }
  }
  check_workloads(arguments.workloads);
  if (arguments.restart.address.empty() ||
      (arguments.restarts || arguments.due_together > 0) != !arguments.restart.command.empty()) {
    std::fputs(kUsage, stderr);
    std::exit(2);
  }
  return arguments;
}

void load(const Arguments& arguments, Report& report) {
  Wire wire(arguments.restart.address);
  const std::string queue = "bench-" + std::to_string(getpid());
  Generator generator(wire, arguments.restart.ns, queue);
  Worker worker(wire, {.ns = arguments.restart.ns, .queue = queue});
  worker.start();
  const auto wanted = [&](const char* name) { return arguments.workloads.find(name) != std::string::npos; };
  if (wanted("w9")) start_to_result(generator, arguments.load, report);
  if (wanted("w1")) ten_steps(generator, arguments.load, report);
  if (wanted("w3")) signal_to_result(generator, wire, arguments.load, report);
  if (wanted("w5")) fan_out(generator, arguments.load, report);
  if (wanted("w2")) hundred_in_flight(generator, arguments.load, report);
  if (!worker.error().empty()) report.fail("worker: " + worker.error());
}

int run(int argc, char** argv) {
  Arguments arguments = parse(argc, argv);
  Report report;
  const auto disk = [&] {
    if (arguments.sync_dir.empty()) return;
    const std::vector<double> times = sync_times(arguments.sync_dir, 500);
    report.add("synced write of 4 KiB, p50", percentile(times, 0.5), "ms");
    report.add("synced write of 4 KiB, p99", percentile(times, 0.99), "ms");
  };
  disk();
  if (arguments.due_together > 0) {
    due_together({.command = arguments.restart.command,
                  .address = arguments.restart.address,
                  .log = arguments.restart.log,
                  .timers = arguments.due_together},
                 report);
  } else if (arguments.retention.runs > 0) {
    arguments.retention.address = arguments.restart.address;
    arguments.retention.server_pid = arguments.load.server_pid;
    arguments.retention.at_most = arguments.load.at_most;
    retention(arguments.retention, report);
  } else if (arguments.restarts) {
    restart(arguments.restart, report);
  } else {
    load(arguments, report);
  }
  if (!arguments.json.empty() && !report.write_json(arguments.json)) {
    std::fprintf(stderr, "cannot write %s: %s\n", arguments.json.c_str(), std::strerror(errno));
    return 2;
  }
  return report.failed() ? 1 : 0;
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
  return holdfast::bench::run(argc, argv);
}
