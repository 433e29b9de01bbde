// ./dev bench flows: what planning a large flow takes, and where V4 is better than V3. Prints one JSON
// object. The graphs are random_graph() of src/flows/plan/test_graphs.h, from the seeds below, so that
// anybody gets the same.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "plan/quotient.h"
#include "plan/test_graphs.h"

namespace holdfast::flows {

namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr std::uint64_t kLargeSeed = 4;
constexpr std::size_t kLargeBlocks = 10'000;
constexpr int kTimes = 5;
// The same graphs as in AnyGraph.V4IsBetterOnAtLeastHalf.
constexpr std::uint64_t kComparedSeed = 11;
constexpr std::size_t kComparedBlocks = 30;
constexpr int kComparedGraphs = 200;
constexpr std::array kDedicated = {0.1, 0.3, 0.5};

// The median, of the plan and of what its activities wait for: what a run begins with.
double planning_ms(const Graph& graph, const std::function<Plan()>& planner) {
  std::vector<double> times;
  for (int n = 0; n < kTimes; ++n) {
    const auto begin = std::chrono::steady_clock::now();
    const Plan plan = planner();
    if (dependencies(graph, plan).size() != plan.activities.size()) std::abort();
    times.push_back(Milliseconds(std::chrono::steady_clock::now() - begin).count());
  }
  std::ranges::sort(times);
  return times[kTimes / 2];
}

std::string large() {
  std::mt19937_64 random(kLargeSeed);
  const Graph graph = random_graph(random, kLargeBlocks, 0.2);
  const Costs costs;
  return fmt::format(R"({{"blocks":{},"V1":{:.3f},"V2":{:.3f},"V3":{:.3f},"V4":{:.3f}}})", kLargeBlocks,
                     planning_ms(graph, [&] { return plan_v1(graph); }),
                     planning_ms(graph, [&] { return plan_v2(graph); }),
                     planning_ms(graph, [&] { return plan_v3(graph); }),
                     planning_ms(graph, [&] { return plan_v4(graph, costs); }));
}

struct Compared {
  int graphs = 0;
  int better = 0;   // fewer activities
  int shorter = 0;  // or as many and a shorter critical path
  int worse = 0;    // in either
  std::size_t activities_v3 = 0;
  std::size_t activities_v4 = 0;
};

std::string compared() {
  std::mt19937_64 random(kComparedSeed);
  std::array<Compared, kDedicated.size()> by_share;
  for (int n = 0; n < kComparedGraphs; ++n) {
    const std::size_t share = static_cast<std::size_t>(n) % kDedicated.size();
    const Graph graph = random_graph(random, kComparedBlocks, kDedicated[share]);
    const Costs costs;
    const Plan v3 = plan_v3(graph);
    const Plan v4 = plan_v4(graph, costs);
    const Micros takes_v3 = predict(graph, v3, costs).total;
    const Micros takes_v4 = predict(graph, v4, costs).total;
    Compared& out = by_share[share];
    ++out.graphs;
    out.activities_v3 += v3.activities.size();
    out.activities_v4 += v4.activities.size();
    out.better += v4.activities.size() < v3.activities.size() ? 1 : 0;
    out.shorter += v4.activities.size() == v3.activities.size() && takes_v4 < takes_v3 ? 1 : 0;
    out.worse += v4.activities.size() > v3.activities.size() || takes_v4 > takes_v3 ? 1 : 0;
  }
  std::string out;
  for (std::size_t i = 0; i < by_share.size(); ++i) {
    const Compared& one = by_share[i];
    out += fmt::format(
        R"({}{{"dedicated":{},"graphs":{},"better":{},"shorter":{},"worse":{},"activities_v3":{},"activities_v4":{}}})",
        i == 0 ? "" : ",", kDedicated[i], one.graphs, one.better, one.shorter, one.worse, one.activities_v3,
        one.activities_v4);
  }
  return "[" + out + "]";
}

}  // namespace

}  // namespace holdfast::flows

int main() {
  fmt::print(R"({{"large_seed":{},"compared_seed":{},"compared_blocks":{},"large":{},"compared":{}}})"
             "\n",
             holdfast::flows::kLargeSeed, holdfast::flows::kComparedSeed, holdfast::flows::kComparedBlocks,
             holdfast::flows::large(), holdfast::flows::compared());
}
