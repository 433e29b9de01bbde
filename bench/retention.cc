#include "retention.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <vector>

#include "generator.h"
#include "machine.h"
#include "wire.h"
#include "worker.h"

namespace holdfast::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kPart{2};          // of the live load
constexpr int kPartsAlone = 8;       // without the deletion
constexpr seconds kSpaceWithin{60};  // of the end of the deletion
constexpr double kMaxMemoryMb = 300;
constexpr double kMaxRatio = 2;
// Polls of two workers and waits for results share one connection, and a connection has so many streams.
constexpr int kPollers = 4;
// One name in both namespaces: the workers of this process build their commands for one queue.
constexpr const char* kQueue = "bench-retention";
constexpr int kInFlight = 40;

double disk_mb(const std::string& directory) {
  std::uintmax_t bytes = 0;
  std::error_code gone;  // files come and go meanwhile
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory, gone)) {
    if (entry.is_regular_file(gone)) bytes += entry.file_size(gone);
  }
  return static_cast<double>(bytes) / 1e6;
}

class Retention {
 public:
  Retention(const RetentionOptions& options, Report& report)
      : options_(options),
        report_(report),
        ns_("retention-" + std::to_string(getpid())),
        wire_(options.address),
        old_(wire_, ns_, kQueue),
        live_(wire_, options.live_ns, kQueue),
        old_worker_(wire_,
                    {.ns = ns_, .queue = kQueue, .workflow_pollers = kPollers, .activity_pollers = kPollers}),
        live_worker_(wire_, {.ns = options.live_ns,
                             .queue = kQueue,
                             .workflow_pollers = kPollers,
                             .activity_pollers = kPollers}) {}

  void run() {
    register_namespace();
    old_worker_.start();
    live_worker_.start();
    if (!make_runs()) return;
    // In parts, as beside the deletion: the beginning of each is not what is compared.
    std::vector<double> alone;
    for (int part = 0; part < kPartsAlone; ++part) {
      append(alone, live(kPart));
      (void)count(ns_);
    }
    const double disk_before = disk_mb(options_.data);
    const auto begun = std::chrono::steady_clock::now();
    set_retention(ns_, 1);
    std::vector<double> beside;
    while (count(ns_) > 0) {
      if (std::chrono::steady_clock::now() - begun > options_.at_most)
        return report_.fail("the runs were not deleted within the time");
      append(beside, live(kPart));
    }
    report_.add("deleting them took", took(begun), "s");
    const double ratio = percentile(beside, 0.99) / percentile(alone, 0.99);
    report_.add("live load alone, two steps, p99", percentile(alone, 0.99), "ms");
    report_.add("beside the deletion, p99", percentile(beside, 0.99), "ms");
    report_.add("ratio of the p99", ratio, "");
    if (ratio > kMaxRatio) report_.fail("the p99 of the live load more than doubled");
    // The runs of the live load go, too: what is measured then is nobody's.
    set_retention(options_.live_ns, 1);
    while (count(options_.live_ns) > 0 && std::chrono::steady_clock::now() - begun < options_.at_most)
      wire_.run([] { return false; }, milliseconds(200));
    wait_for_space(disk_before);
    memory("memory afterwards");
    for (const auto* error : {&old_.error(), &live_.error(), &old_worker_.error(), &live_worker_.error()}) {
      if (!error->empty()) report_.fail(*error);
    }
  }

 private:
  static void append(std::vector<double>& to, const std::vector<double>& more) {
    to.insert(to.end(), more.begin(), more.end());
  }

  static double took(SteadyTime since) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - since).count();
  }

  // The runs in two parts, so that memory can be compared.
  bool make_runs() {
    const int first = std::min(options_.runs, 1000);
    const auto begun = std::chrono::steady_clock::now();
    const auto at_most = std::chrono::duration_cast<milliseconds>(options_.at_most);
    const std::size_t some = make(first, at_most);
    const double with_some = memory("memory after " + std::to_string(some) + " closed runs");
    const std::size_t all = some + make(options_.runs - first, at_most);
    report_.add("closed runs of ten steps", static_cast<double>(all), "");
    report_.add("making them took", took(begun), "s");
    const double with_all = memory("memory after all of them");
    if (with_all > kMaxMemoryMb) report_.fail("memory grows with the runs that have closed");
    report_.add("memory grew by", with_all - with_some, "MB");
    if (static_cast<int>(all) == options_.runs) return true;
    report_.fail("only " + std::to_string(all) + " runs within the time");
    return false;
  }

  std::size_t make(int runs, milliseconds at_most) {
    std::size_t made = 0;
    const auto deadline = std::chrono::steady_clock::now() + at_most;
    // In parts: the generator keeps what it knows of each run until the part is over.
    while (runs > 0 && std::chrono::steady_clock::now() < deadline && old_.error().empty()) {
      const int part = std::min(runs, 5000);
      made += old_.run({.type = "steps-10", .in_flight = kInFlight, .count = part, .at_most = at_most})
                  .flows.size();
      runs -= part;
    }
    return made;
  }

  std::vector<double> live(milliseconds at_most) {
    std::vector<double> times;
    for (const Flow& flow :
         live_.run({.type = "steps-2", .in_flight = 4, .count = 1'000'000, .at_most = at_most}).flows)
      times.push_back(flow.result_ms);
    return times;
  }

  double memory(const std::string& name) {
    const double mb = resident_mb(options_.server_pid);
    report_.add(name, mb, "MB");
    return mb;
  }

  void wait_for_space(double before) {
    report_.add("disk before", before, "MB");
    const auto begun = std::chrono::steady_clock::now();
    double now = disk_mb(options_.data);
    while (now > before / 4 && std::chrono::steady_clock::now() - begun < kSpaceWithin) {
      wire_.run([] { return false; }, milliseconds(200));
      now = disk_mb(options_.data);
    }
    report_.add("disk afterwards", now, "MB");
    report_.add("given back within", took(begun), "s");
    if (now > before / 4) report_.fail("the disk did not get its room back");
  }

  template <typename Request, typename Response>
  std::optional<Response> call(const char* method, const Request& request) {
    bool done = false;
    std::optional<Response> answer;
    wire_.call<Request, Response>(method, request, [&](const grpc::Status& status, Response& response) {
      done = true;
      if (status.ok()) {
        answer = std::move(response);
      } else {
        report_.fail(std::string(method) + ": " + status.error_message());
      }
    });
    wire_.run([&done] { return done; }, seconds(60));
    return answer;
  }

  void register_namespace() {
    ws::RegisterNamespaceRequest request;
    request.set_namespace_(ns_);
    request.mutable_workflow_execution_retention_period()->set_seconds(24L * 3600);
    call<ws::RegisterNamespaceRequest, ws::RegisterNamespaceResponse>("RegisterNamespace", request);
  }

  void set_retention(const std::string& ns, int s) {
    ws::UpdateNamespaceRequest request;
    request.set_namespace_(ns);
    request.mutable_config()->mutable_workflow_execution_retention_ttl()->set_seconds(s);
    call<ws::UpdateNamespaceRequest, ws::UpdateNamespaceResponse>("UpdateNamespace", request);
  }

  std::int64_t count(const std::string& ns) {
    ws::CountWorkflowExecutionsRequest request;
    request.set_namespace_(ns);
    const auto answer = call<ws::CountWorkflowExecutionsRequest, ws::CountWorkflowExecutionsResponse>(
        "CountWorkflowExecutions", request);
    return answer ? answer->count() : 0;
  }

  const RetentionOptions& options_;
  Report& report_;
  const std::string ns_;
  Wire wire_;
  Generator old_;
  Generator live_;
  Worker old_worker_;
  Worker live_worker_;
};

}  // namespace

void retention(const RetentionOptions& options, Report& report) {
  Retention(options, report).run();
}

}  // namespace holdfast::bench
