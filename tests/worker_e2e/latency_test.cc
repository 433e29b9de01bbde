// Ten no-op steps, one client: printed, not judged (numbers belong to bench/). Run with
// --gtest_also_run_disabled_tests --gtest_filter='*Latency*'.

#include <algorithm>

#include "fixture.h"

namespace holdfast::e2e {
namespace {

TEST_P(Sdk, DISABLED_LatencyOfTenSteps) {
  Worker& worker = new_worker();
  worker.register_workflow("ten_steps", [](workflow::Context& ctx) -> Task<int> {
    for (int i = 0; i < 10; ++i) co_await ctx.activity<void>("nothing", quick());
    co_return 10;
  });
  worker.register_activity("nothing", [](activity::Context&) {});
  start_worker();
  std::vector<double> milliseconds;
  for (int i = 0; i < 200; ++i) {
    const auto before = std::chrono::steady_clock::now();
    ASSERT_EQ(result<int>(start("ten_steps")), 10);
    milliseconds.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - before).count());
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  std::printf("%s: ten steps p50 %.2f ms, p95 %.2f ms\n", GetParam().c_str(), milliseconds[100],
              milliseconds[190]);
}

}  // namespace
}  // namespace holdfast::e2e
