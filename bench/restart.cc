#include "restart.h"

#include <thread>

#include "generator.h"
#include "machine.h"
#include "worker.h"

namespace holdfast::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

double ms_since(SteadyTime begun) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count();
}

// A run that does nothing has been started and has a result: the server serves.
bool serves(Generator& generator, Wire& wire) {
  bool done = false;
  generator.start("noop", [&](Flow flow) { generator.result(std::move(flow), [&](Flow) { done = true; }); });
  return wire.run([&] { return done; }, seconds(60));
}

void idle(const Process& server, Report& report, const std::string& name) {
  std::this_thread::sleep_for(seconds(3));  // what it does right after its start is not idling
  const double before = cpu_seconds(server.pid());
  const auto begun = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(seconds(5));  // the measured interval
  const double share = (cpu_seconds(server.pid()) - before) / (ms_since(begun) / 1000) * 100;
  report.add(name + ", memory", resident_mb(server.pid()), "MB");
  report.add(name + ", CPU", share, "% of a core");
}

// Times from the kill on, in milliseconds.
struct Recovery {
  std::vector<double> fresh;    // to the result of a run that was started then
  std::vector<double> resumed;  // to that of one in mid-step
  std::vector<Flow> finished;
};

// False when a run does not come to its end.
bool kill_once(const RestartOptions& options, Process& server, Wire& wire, Generator& generator,
               Worker& worker, Recovery& seen) {
  const LoadResult held =
      generator.run({.type = "held", .in_flight = 10, .count = options.held_runs, .wait_for_results = false});
  wire.run([&] { return worker.held() == held.flows.size(); }, seconds(30));
  server.kill();
  const auto killed = std::chrono::steady_clock::now();
  server.start(options.command, options.log);
  std::size_t open = held.flows.size() + 1;
  generator.start("noop", [&](Flow flow) {
    generator.result(std::move(flow), [&](Flow done) {
      seen.fresh.push_back(ms_since(killed));
      seen.finished.push_back(std::move(done));
      --open;
    });
  });
  for (const Flow& flow : held.flows) {
    generator.result(flow, [&](Flow done) {
      seen.resumed.push_back(ms_since(killed));
      seen.finished.push_back(std::move(done));
      --open;
    });
  }
  worker.release_held();
  return wire.run([&] { return open == 0; }, seconds(60));
}

}  // namespace

void restart(const RestartOptions& options, Report& report) {
  Process server;
  server.start(options.command, options.log);
  {
    // Up, and then nobody there: an idle server in the plain sense.
    Wire wire(options.address);
    Generator generator(wire, options.ns, "bench-idle");
    Worker worker(wire,
                  {.ns = options.ns, .queue = "bench-idle", .workflow_pollers = 1, .activity_pollers = 1});
    worker.start();
    if (!serves(generator, wire)) {
      report.fail("the server did not answer within a minute: " + generator.error());
      return;
    }
  }
  idle(server, report, "idle server");

  Wire wire(options.address);
  Generator generator(wire, options.ns, "bench-restart");
  Worker worker(wire, {.ns = options.ns, .queue = "bench-restart"});
  worker.start();
  const double empty_mb = resident_mb(server.pid());
  LoadResult parked = generator.run({.type = "timer",
                                     .in_flight = 50,
                                     .count = options.open_runs,
                                     .at_most = seconds(120),
                                     .wait_for_results = false});
  for (const Flow& flow : parked.flows) {
    if (!generator.wait_for_events(flow, 5)) break;
  }
  if (!generator.error().empty()) {
    report.fail("W6: " + generator.error());
    return;
  }
  report.add("W6 timers parked", static_cast<double>(parked.flows.size()), "");
  report.add("W6 starts", static_cast<double>(parked.flows.size()) / parked.seconds, "/s");
  report.add("W6 memory per parked run",
             (resident_mb(server.pid()) - empty_mb) * 1000 / static_cast<double>(parked.flows.size()), "KB");

  Recovery seen;
  for (int i = 0; i < options.kills; ++i) {
    if (!kill_once(options, server, wire, generator, worker, seen)) {
      report.fail("W7: runs did not finish within a minute of the restart; " + worker.error() +
                  generator.error());
      return;
    }
  }
  const std::string name = "W7 killed with " + std::to_string(options.open_runs) + " open";
  report.add(name + ", new result", percentile(seen.fresh, 0.5), "ms");
  report.add(name + ", worst", percentile(seen.fresh, 1), "ms");
  report.add(name + ", run in mid-step", percentile(seen.resumed, 0.5), "ms");
  std::string wrong = generator.check(seen.finished);
  if (wrong.empty()) wrong = generator.check(parked.flows);
  if (!wrong.empty()) report.fail("W7: " + wrong);
  report.add("W7 histories checked", static_cast<double>(seen.finished.size() + parked.flows.size()), "");
  idle(server, report, "server with " + std::to_string(options.open_runs) + " parked");
}

}  // namespace holdfast::bench
