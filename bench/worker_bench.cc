// holdfast_bench_worker: engine and worker in one process, as `holdfast dev` runs them, through the public
// C++ API. Ten no-op activities one after the other, one client: holdfast_bench_worker DIR [--json FILE].
// Every result is checked.

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "holdfast/client.h"
#include "holdfast/worker.h"
#include "os/clock.h"
#include "os/thread_executor.h"
#include "report.h"
#include "store/rocks_store.h"
#include "visibility/index.h"

namespace holdfast::bench {
namespace {

using namespace std::chrono_literals;

Task<int> ten_steps(workflow::Context& context) {
  int done = 0;
  for (int i = 0; i < 10; ++i) {
    done += co_await context.activity<int>("noop", ActivityOptions().start_to_close(60s), i);
  }
  co_return done;
}

int noop(activity::Context&, int) {
  return 1;
}

int complain(const std::string& what, const Status& status) {
  std::fprintf(stderr, "holdfast_bench_worker: %s: %s\n", what.c_str(), status.to_string().c_str());
  return 2;
}

int run(const std::string& directory, const std::string& json) {
  const os::SystemClock clock;
  os::SystemRandom random;
  auto store = store::RocksStore::open({.dir = directory + "/engine"});
  if (!store) return complain("store", store.error());
  visibility::Index::Options index_options;
  index_options.path = directory + "/visibility.db";
  auto index = visibility::Index::open(index_options);
  if (!index) return complain("index", index.error());
  auto engine = engine::Engine::open({}, **store, clock, random, index->get());
  if (!engine) return complain("engine", engine.error());
  const Environment environment(
      clock, random, [](const std::string& name) { return std::make_unique<os::ThreadExecutor>(name); });
  Worker worker(**engine, environment, WorkerOptions("bench").in_process(true));
  worker.register_workflow("ten_steps", &ten_steps);
  worker.register_activity("noop", &noop);
  if (Status status = worker.start(); !status.ok()) return complain("worker", status);
  const Client client(**engine, environment);

  Report report;
  std::vector<double> times;
  for (int i = -20; i < 500; ++i) {  // the first twenty warm up
    const auto begun = std::chrono::steady_clock::now();
    const std::string id = "ten-steps-" + std::to_string(i);
    auto handle = client.start("ten_steps", StartOptions().workflow_id(id).task_queue("bench"));
    if (!handle) return complain("start", handle.error());
    auto result = handle->result<int>();
    if (!result) return complain("result", result.error());
    if (!result->ok() || result->value() != 10) {
      report.fail(id + " did not return 10");
      break;
    }
    if (i >= 0)
      times.push_back(
          std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count());
  }
  worker.stop();
  report.add("in-process worker, ten steps, p50", percentile(times, 0.5), "ms");
  report.add("in-process worker, ten steps, p99", percentile(times, 0.99), "ms");
  if (!json.empty() && !report.write_json(json))
    return complain("cannot write", Status(Code::kUnknown, json));
  return report.failed() ? 1 : 0;
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("holdfast_bench_worker DIR [--json FILE]\n", stderr);
    return 2;
  }
  const bool json = argc == 4 && std::string_view(argv[2]) == "--json";
  return holdfast::bench::run(argv[1], json ? argv[3] : "");
}
