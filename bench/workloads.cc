#include "workloads.h"

#include "machine.h"

namespace holdfast::bench {
namespace {

std::vector<double> results(const std::vector<Flow>& flows) {
  std::vector<double> times;
  for (const Flow& flow : flows) times.push_back(flow.result_ms);
  return times;
}

void warm_up(Generator& generator, const std::string& type) {
  generator.run({.type = type, .in_flight = 4, .count = 20, .at_most = std::chrono::seconds(2)});
}

void validate(Generator& generator, const std::vector<Flow>& flows, const std::string& name, Report& report) {
  std::string wrong = generator.error();
  if (wrong.empty()) wrong = generator.check(flows);
  if (!wrong.empty()) report.fail(name + ": " + wrong);
  report.add(name + " histories checked", static_cast<double>(flows.size()), "");
}

int or_default(int count, int fallback) {
  return count > 0 ? count : fallback;
}

}  // namespace

void ten_steps(Generator& generator, const WorkloadOptions& options, Report& report) {
  warm_up(generator, "steps-10");
  const LoadResult done = generator.run({.type = "steps-10",
                                         .in_flight = 1,
                                         .count = or_default(options.count, 300),
                                         .at_most = options.at_most});
  report.add("W1 ten steps, p50", percentile(results(done.flows), 0.5), "ms");
  report.add("W1 ten steps, p99", percentile(results(done.flows), 0.99), "ms");
  validate(generator, done.flows, "W1", report);
}

void hundred_in_flight(Generator& generator, const WorkloadOptions& options, Report& report) {
  warm_up(generator, "steps-10");
  const double before = cpu_seconds(options.server_pid);
  const double own_before = cpu_seconds(getpid());
  const LoadResult done = generator.run({.type = "steps-10",
                                         .in_flight = 100,
                                         .count = or_default(options.count, 4000),
                                         .at_most = options.at_most});
  const double cpu = cpu_seconds(options.server_pid) - before;
  const double own = cpu_seconds(getpid()) - own_before;
  const auto count = static_cast<double>(done.flows.size());
  report.add("W2 100 in flight, workflows", count / done.seconds, "/s");
  report.add("W2 ten steps, p50", percentile(results(done.flows), 0.5), "ms");
  report.add("W2 ten steps, p99", percentile(results(done.flows), 0.99), "ms");
  if (options.server_pid != 0) report.add("W2 server CPU per workflow", cpu * 1000 / count, "ms");
  report.add("W2 generator CPU per workflow", own * 1000 / count, "ms");
  validate(generator, done.flows, "W2", report);
}

void signal_to_result(Generator& generator, Wire& wire, const WorkloadOptions& options, Report& report) {
  std::vector<Flow> flows;
  const auto deadline = std::chrono::steady_clock::now() + options.at_most;
  const int count = or_default(options.count, 300);
  while (static_cast<int>(flows.size()) < count && std::chrono::steady_clock::now() < deadline) {
    Flow flow;
    bool ready = false;
    generator.start("signal", [&](Flow started) {
      flow = std::move(started);
      ready = true;
    });
    wire.run([&] { return ready; }, std::chrono::seconds(30));
    if (!generator.wait_for_events(flow, 4)) break;
    ready = false;
    flow.begun = std::chrono::steady_clock::now();
    generator.signal(flow);
    generator.result(flow, [&](Flow done) {
      flows.push_back(std::move(done));
      ready = true;
    });
    wire.run([&] { return ready; }, std::chrono::seconds(75));
  }
  report.add("W3 signal to result, p50", percentile(results(flows), 0.5), "ms");
  report.add("W3 signal to result, p99", percentile(results(flows), 0.99), "ms");
  validate(generator, flows, "W3", report);
}

void fan_out(Generator& generator, const WorkloadOptions& options, Report& report) {
  const LoadResult done = generator.run({.type = "fan-100",
                                         .in_flight = 1,
                                         .count = or_default(options.count, 30),
                                         .at_most = options.at_most});
  report.add("W5 100 activities at once, p50", percentile(results(done.flows), 0.5), "ms");
  if (!generator.error().empty()) report.fail("W5: " + generator.error());
}

void start_to_result(Generator& generator, const WorkloadOptions& options, Report& report) {
  warm_up(generator, "noop");
  const LoadResult done = generator.run(
      {.type = "noop", .in_flight = 1, .count = or_default(options.count, 1000), .at_most = options.at_most});
  std::vector<double> acks;
  for (const Flow& flow : done.flows) acks.push_back(flow.ack_ms);
  report.add("W9 start acknowledged, p50", percentile(acks, 0.5), "ms");
  report.add("W9 start to result, p50", percentile(results(done.flows), 0.5), "ms");
  report.add("W9 start to result, p99", percentile(results(done.flows), 0.99), "ms");
  validate(generator, done.flows, "W9", report);
}

}  // namespace holdfast::bench
