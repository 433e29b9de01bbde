// ./dev bench sandbox: what an evaluation in the sandbox takes, from the call to its result, processes and
// copying included; and what 1,000 tenants in turn cost, each of whom gets a process that nobody else had.

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "broker/broker.h"
#include "os/clock.h"

namespace holdfast::sandbox {

namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

Request expression() {
  Request request;
  request.code = "blocks.query.rows.filter(r => r.total > 50).length";
  request.inputs =
      R"({"blocks":{"query":{"rows":[{"id":1,"total":40},{"id":2,"total":60},{"id":3,"total":70}]}}})";
  return request;
}

// What a block does: a hundred rows are grouped.
Request block() {
  Request request;
  request.kind = Kind::kScript;
  request.code = R"(
    const sums = {};
    for (const row of rows) sums[row.customer] = (sums[row.customer] ?? 0) + row.total;
    return Object.entries(sums).map(([customer, total]) => ({customer, total})).sort((a, b) => b.total - a.total);)";
  request.inputs = R"({"rows":[)";
  for (int i = 0; i < 100; ++i) {
    request.inputs += fmt::format(R"({}{{"customer":"c{}","total":{},"note":"an order of the spring"}})",
                                  i == 0 ? "" : ",", i % 17, i * 7 % 101);
  }
  request.inputs += "]}";
  return request;
}

Request python() {
  Request request;
  request.kind = Kind::kPython;
  request.limits = kPythonLimits;
  request.code = R"(
from collections import Counter
sums = Counter()
for row in rows:
    sums[row["customer"]] += row["total"]
return [{"customer": customer, "total": total} for customer, total in sums.most_common()])";
  request.inputs = block().inputs;
  return request;
}

Request text() {
  Request request;
  request.kind = Kind::kTemplate;
  request.code =
      "Dear {{ name }}, your order {{ order.id }} of {{ order.total.toFixed(2) }} EUR is on its way.";
  request.inputs = R"({"name":"Ann","order":{"id":9007199254740993,"total":12.5}})";
  return request;
}

double of(std::vector<double>& times, double part) {
  std::ranges::sort(times);
  return times[static_cast<std::size_t>(static_cast<double>(times.size() - 1) * part)];
}

double processor_seconds(int whose) {
  rusage used{};
  ::getrusage(whose, &used);
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

class Bench {
 public:
  explicit Bench(int level) : level_(level) {}

  // False: this machine does not have the level.
  bool run() {
    if (!Broker::start({.level = level_}, memory_, clock_)) return false;
    warm("expression", expression(), 0.3);
    warm("template of three", text(), 0);
    warm("JavaScript block, 100 rows", block(), 1.0);
    python_blocks();
    monty_blocks();
    tenants("one tenant, 100/s", 1000, std::chrono::milliseconds(10), 0, 1);
    tenants("new tenant each call, without a pause", 1000, std::chrono::nanoseconds(0), 0);
    tenants("1,000 tenants in turn, 100/s", 3000, std::chrono::milliseconds(10), 0.3);
    return true;
  }
  bool held() const { return held_; }

 private:
  void row(const std::string& what, double value, const std::string& unit, double bar = 0) {
    const bool held = bar == 0 || value <= bar;
    held_ = held_ && held;
    fmt::print("| level {} | {} | {:.3f} {} | {} |\n", level_, what, value, unit,
               bar == 0 ? "" : fmt::format("<= {} {}", bar, held ? "ok" : "MISSED"));
  }

  double once(Broker& broker, const std::string& tenant, const Request& request) {
    const MonotonicTime begin = clock_.monotonic();
    const auto reply = broker.run(tenant, request);
    const double took = Milliseconds(clock_.monotonic() - begin).count();
    if (!reply || reply->failure) {
      fmt::print(stderr, "{}\n", reply ? reply->failure->message : reply.error().message());
      std::exit(1);
    }
    return took;
  }

  void warm(const std::string& what, const Request& request, double bar) {
    auto broker = Broker::start({.level = level_}, memory_, clock_);
    std::vector<double> times;
    for (int i = 0; i < 100; ++i) once(**broker, "tenant", request);
    for (int i = 0; i < 5000; ++i) times.push_back(once(**broker, "tenant", request));
    row(what + ", p50", of(times, 0.5), "ms", bar);
    row(what + ", p99", of(times, 0.99), "ms");
  }

  // Each in a process that ran nothing. At a pace at which one is always made ahead, and without a pause; and
  // the first one of a server, which starts the interpreter.
  void python_blocks() {
    if (!find_python()) return;
    std::vector<double> cold;
    for (int i = 0; i < 20; ++i) {
      auto broker = Broker::start({.level = level_}, memory_, clock_);
      cold.push_back(once(**broker, "tenant", python()));
    }
    row("Python block, the first one, p50", of(cold, 0.5), "ms", 25);
    auto broker = Broker::start({.level = level_}, memory_, clock_);
    for (const auto pace : {std::chrono::milliseconds(20), std::chrono::milliseconds(0)}) {
      std::vector<double> times;
      for (int i = 0; i < 10; ++i) once(**broker, "tenant", python());
      const MonotonicTime begin = clock_.monotonic();
      for (int i = 0; i < 500; ++i) {
        std::this_thread::sleep_until(begin + i * pace);
        times.push_back(once(**broker, "tenant", python()));
      }
      const std::string what =
          pace.count() > 0 ? "Python block, 100 rows, 50/s" : "Python block, 100 rows, without a pause";
      row(what + ", p50", of(times, 0.5), "ms", pace.count() > 0 ? 5 : 0);
      row(what + ", p99", of(times, 0.99), "ms");
    }
  }

  // The program that HOLDFAST_MONTY names. The same code as Python's, in a process that its tenant keeps.
  void monty_blocks() {
    const char* program = std::getenv("HOLDFAST_MONTY");
    if (program == nullptr) return;
    Request request = python();
    request.kind = Kind::kMonty;
    std::vector<double> first;
    for (int i = 0; i < 20; ++i) {
      auto broker = Broker::start({.level = level_, .monty = program}, memory_, clock_);
      first.push_back(once(**broker, "tenant", request));
    }
    row("Monty block, the first one, p50", of(first, 0.5), "ms", 25);
    auto broker = Broker::start({.level = level_, .monty = program}, memory_, clock_);
    std::vector<double> times;
    for (int i = 0; i < 100; ++i) once(**broker, "tenant", request);
    for (int i = 0; i < 2000; ++i) times.push_back(once(**broker, "tenant", request));
    row("Monty block, 100 rows, p50", of(times, 0.5), "ms", 5);
    row("Monty block, 100 rows, p99", of(times, 0.99), "ms");
  }

  // At a fixed pace, or as fast as they go; with more tenants than processes each call needs a new one.
  void tenants(const std::string& what, int calls, std::chrono::nanoseconds pace, double bar,
               int different = 1000) {
    std::vector<double> times;
    const Request request = expression();
    const double before = processor_seconds(RUSAGE_SELF) + processor_seconds(RUSAGE_CHILDREN);
    const MonotonicTime begin = clock_.monotonic();
    {
      auto broker = Broker::start({.level = level_}, memory_, clock_);
      for (int i = 0; i < calls; ++i) {
        std::this_thread::sleep_until(begin + i * pace);
        times.push_back(once(**broker, fmt::format("tenant{}", i % different), request));
      }
    }
    const double cpu = processor_seconds(RUSAGE_SELF) + processor_seconds(RUSAGE_CHILDREN) - before;
    const double wall = Milliseconds(clock_.monotonic() - begin).count();
    row(what + ", p50", of(times, 0.5), "ms", bar);
    row(what + ", p99", of(times, 0.99), "ms");
    row(what + ", CPU of all processes per call", cpu * 1000 / calls, "ms");
    row(what + ", CPU", cpu * 100'000 / wall, "% of one core");
  }

  const int level_;
  const os::SystemClock clock_;
  MemoryBudget memory_{"sandbox", std::size_t{512} << 20};
  bool held_ = true;
};

}  // namespace

int bench() {
  fmt::print("| | | | target |\n|-|-|-|-|\n");
  bool held = true;
  int levels = 0;
  for (const int level : {1, 2}) {
    Bench bench(level);
    levels += bench.run() ? 1 : 0;
    held = held && bench.held();
  }
  if (levels == 0) fmt::print(stderr, "this machine has no sandbox: holdfast doctor says why\n");
  return held && levels > 0 ? 0 : 1;
}

}  // namespace holdfast::sandbox

int main() {
  return holdfast::sandbox::bench();
}
