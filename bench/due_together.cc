#include "due_together.h"

#include <algorithm>
#include <chrono>
#include <memory>

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

std::int64_t unix_ms() {
  return std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Calls at a fixed pace, whether or not the ones before have been answered: a frozen server is seen by all
// that it keeps waiting.
class Probes {
 public:
  Probes(Wire& wire, std::string ns, Flow target)
      : wire_(wire),
        ns_(std::move(ns)),
        target_(std::move(target)),
        begun_(std::chrono::steady_clock::now()) {
    tick();
  }

  void stop() { stopping_ = true; }
  bool done() const { return stopping_ && open_ == 0; }
  const Flow& target() const { return target_; }
  const std::vector<double>& reads() const { return reads_; }
  const std::vector<double>& writes() const { return writes_; }
  const std::string& error() const { return error_; }

 private:
  static constexpr milliseconds kPace{2};

  void tick() {
    // What the alarm was late is caught up with.
    for (; !stopping_ && sent_ * kPace <= std::chrono::steady_clock::now() - begun_; ++sent_) {
      read();
      if (sent_ % 4 == 0) write();
    }
    if (!stopping_) wire_.after(kPace, [this] { tick(); });
  }
  void read() {
    ws::DescribeWorkflowExecutionRequest request;
    request.set_namespace_(ns_);
    request.mutable_execution()->set_workflow_id(target_.workflow_id);
    send<ws::DescribeWorkflowExecutionResponse>("DescribeWorkflowExecution", request, reads_);
  }
  void write() {
    ws::SignalWorkflowExecutionRequest request;
    request.set_namespace_(ns_);
    request.mutable_workflow_execution()->set_workflow_id(target_.workflow_id);
    request.set_signal_name("probe");
    send<ws::SignalWorkflowExecutionResponse>("SignalWorkflowExecution", request, writes_);
  }
  template <typename Response, typename Request>
  void send(const char* method, const Request& request, std::vector<double>& times) {
    ++open_;
    wire_.call<Request, Response>(
        method, request,
        [this, method, &times, begun = std::chrono::steady_clock::now()](const grpc::Status& status, auto&) {
          --open_;
          times.push_back(ms_since(begun));
          if (!status.ok() && error_.empty()) error_ = std::string(method) + ": " + status.error_message();
        });
  }

  Wire& wire_;
  const std::string ns_;
  const Flow target_;
  const SteadyTime begun_;
  std::int64_t sent_ = 0;
  int open_ = 0;
  bool stopping_ = false;
  std::vector<double> reads_;
  std::vector<double> writes_;
  std::string error_;
};

// Parks the timers; their workers are gone when it returns. The moment at which all are due, in ms.
std::int64_t park(const DueTogetherOptions& options, const std::string& queue, Report& report) {
  Wire wire(options.address);
  Generator generator(wire, options.ns, queue);
  Worker worker(wire, {.ns = options.ns, .queue = queue, .workflow_pollers = 32, .activity_pollers = 1});
  worker.start();
  // As many calls each as a timer takes: how long it will be until all are there.
  constexpr int kTried = 1000;
  const LoadResult tried = generator.run({.type = "noop", .in_flight = 100, .count = kTried});
  const double needed_s = tried.seconds / kTried * options.timers;
  const std::int64_t due_s = unix_ms() / 1000 + static_cast<std::int64_t>(needed_s * 1.5) + 5;
  const LoadResult parked = generator.run({.type = "until-" + std::to_string(due_s),
                                           .in_flight = 100,
                                           .count = options.timers,
                                           .at_most = std::chrono::minutes(10),
                                           .wait_for_results = false});
  wire.run([&] { return worker.completed() >= kTried + parked.flows.size(); }, seconds(60));
  report.add("W8 timers parked", static_cast<double>(worker.completed()) - kTried, "");
  const std::string wrong = generator.error().empty() ? worker.error() : generator.error();
  if (!wrong.empty()) report.fail("W8: " + wrong);
  return due_s * 1000;
}

std::int64_t backlog(Wire& wire, const std::string& ns, const std::string& queue) {
  std::int64_t count = -1;
  ws::DescribeTaskQueueRequest request;
  request.set_report_stats(true);
  request.set_namespace_(ns);
  request.mutable_task_queue()->set_name(queue);
  request.set_task_queue_type(enums::TASK_QUEUE_TYPE_WORKFLOW);
  request.set_report_stats(true);
  wire.call<ws::DescribeTaskQueueRequest, ws::DescribeTaskQueueResponse>(
      "DescribeTaskQueue", request, [&count](const grpc::Status& status, auto& answer) {
        count = status.ok() ? answer.stats().approximate_backlog_count() : -2;
      });
  wire.run([&] { return count != -1; }, seconds(60));
  return count;
}

void wait(Wire& wire, std::int64_t until_ms) {
  wire.run([] { return false; }, milliseconds(std::max<std::int64_t>(until_ms - unix_ms(), 0)));
}

void finish(Wire& wire, Probes& probes) {
  probes.stop();
  wire.run([&] { return probes.done(); }, seconds(60));
}

// The worse p99.9 of both.
double report_probes(const std::string& when, const Probes& probes, Report& report) {
  double worst = 0;
  for (const auto& [kind, times] :
       {std::pair("reads ", &probes.reads()), std::pair("signals ", &probes.writes())}) {
    const std::string name = "W8 " + (kind + when);
    report.add(name, static_cast<double>(times->size()), "");
    report.add(name + ", p50", percentile(*times, 0.5), "ms");
    report.add(name + ", p99", percentile(*times, 0.99), "ms");
    report.add(name + ", p99.9", percentile(*times, 0.999), "ms");
    report.add(name + ", worst", percentile(*times, 1), "ms");
    worst = std::max(worst, percentile(*times, 0.999));
  }
  if (!probes.error().empty()) report.fail("W8: " + probes.error());
  return worst;
}

}  // namespace

void due_together(const DueTogetherOptions& options, Report& report) {
  Process server;
  server.start(options.command, options.log);
  const std::string queue = "bench-due";
  const std::int64_t due_ms = park(options, queue, report);
  if (unix_ms() > due_ms - 1000) report.fail("W8: the timers were due before all of them were there");
  if (report.failed()) return;
  report.add("W8 memory before", resident_mb(server.pid()), "MB");

  Wire wire(options.address);
  Generator generator(wire, options.ns, "bench-due-probes");
  std::unique_ptr<Probes> probes;
  generator.start("probed", [&](Flow flow) { probes = std::make_unique<Probes>(wire, options.ns, flow); });
  // The same calls while nothing is due: what the machine and its disk make of them.
  wait(wire, due_ms - 700);
  if (probes == nullptr) return report.fail("W8: the server did not answer: " + generator.error());
  finish(wire, *probes);
  report_probes("before", *probes, report);
  probes = std::make_unique<Probes>(wire, options.ns, probes->target());
  wait(wire, due_ms);
  std::int64_t fired = 0;
  while (fired >= 0 && fired < options.timers && unix_ms() < due_ms + 120'000) {
    fired = backlog(wire, options.ns, queue);
    wait(wire, unix_ms() + 50);
  }
  report.add("W8 all fired after", static_cast<double>(unix_ms() - due_ms), "ms");
  wait(wire, unix_ms() + 500);
  finish(wire, *probes);
  report.add("W8 memory behind", resident_mb(server.pid()), "MB");
  if (fired != options.timers) report.fail("W8: " + std::to_string(fired) + " of the timers fired");
  const double worst = report_probes("beside it", *probes, report);
  if (worst > options.most_ms)
    report.fail("W8: p99.9 of calls beside it is over " + std::to_string(options.most_ms) + " ms");
}

}  // namespace holdfast::bench
