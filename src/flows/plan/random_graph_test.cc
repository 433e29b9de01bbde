// Goal: whatever the graph, a plan runs every block once, behind what it depends on, keeps what is dedicated
// alone, and holds nothing up for a person without need. Method: seeded random graphs, all planners.

#include <gtest/gtest.h>

#include <set>

#include "plan/quotient.h"
#include "plan/test_graphs.h"

namespace holdfast::flows {
namespace {

void expect_whole(const Graph& graph, const Plan& plan) {
  std::vector<std::size_t> activity_of(graph.size(), graph.size());
  std::set<std::size_t> done;
  for (std::size_t i = 0; i < plan.activities.size(); ++i) {
    const Activity& activity = plan.activities[i];
    ASSERT_FALSE(activity.blocks.empty());
    for (const PlannedBlock& one : activity.blocks) {
      EXPECT_TRUE(done.insert(one.block).second) << "twice: " << graph[one.block].id;
      EXPECT_FALSE(one.why.empty());
      for (std::size_t parent : graph[one.block].parents)
        EXPECT_TRUE(done.contains(parent)) << graph[one.block].id << " before " << graph[parent].id;
      if (graph[one.block].dedicated) EXPECT_EQ(activity.blocks.size(), 1u);
      activity_of[one.block] = i;
    }
  }
  EXPECT_EQ(done.size(), graph.size());
  const auto after = dependencies(graph, plan);
  for (std::size_t i = 0; i < after.size(); ++i) {
    for (std::size_t before : after[i]) EXPECT_LT(before, i);
  }
}

TEST(AnyGraph, EveryPlanRunsItWhole) {
  std::mt19937_64 random(1);
  for (int n = 0; n < 400; ++n) {
    const Graph graph = random_graph(random, 1 + random() % 40, 0.1 * static_cast<double>(n % 6), 0.1);
    const Costs costs;
    for (const Plan& plan : {plan_v1(graph), plan_v2(graph), plan_v3(graph), plan_v4(graph, costs)})
      ASSERT_NO_FATAL_FAILURE(expect_whole(graph, plan)) << "graph " << n;
  }
}

TEST(AnyGraph, NobodyWaitsForAPersonWithoutNeed) {
  std::mt19937_64 random(2);
  std::size_t held_up = 0;
  for (int n = 0; n < 400; ++n) {
    const Graph graph = random_graph(random, 2 + random() % 40, 0.2, 0.2);
    const Costs costs;
    EXPECT_TRUE(predict(graph, plan_v3(graph), costs).waits_for_people_of_others.empty()) << n;
    EXPECT_TRUE(predict(graph, plan_v4(graph, costs), costs).waits_for_people_of_others.empty()) << n;
    held_up += predict(graph, plan_v2(graph), costs).waits_for_people_of_others.size();
  }
  EXPECT_GT(held_up, 0u);  // or it would not be seen
}

TEST(AnyGraph, V4IsNeverWorseThanV3) {
  std::mt19937_64 random(3);
  for (int n = 0; n < 300; ++n) {
    const std::size_t size = n % 10 == 0 ? 600 : 1 + random() % 60;
    const Graph graph = random_graph(random, size, 0.1 * static_cast<double>(n % 6), 0.05);
    const Costs costs{Micros(1000 * (n % 60)), Micros(500)};
    const Plan v3 = plan_v3(graph);
    const Plan v4 = plan_v4(graph, costs);
    EXPECT_LE(v4.activities.size(), v3.activities.size()) << n;
    EXPECT_LE(predict(graph, v4, costs).total, predict(graph, v3, costs).total) << n;
  }
}

// The generator of the published figure: seed 11, 30 blocks, 10, 30 and 50 % dedicated.
TEST(AnyGraph, V4IsBetterOnAtLeastHalf) {
  std::mt19937_64 random(11);
  int better = 0;
  for (int n = 0; n < 200; ++n) {
    const Graph graph = random_graph(random, 30, std::vector<double>{0.1, 0.3, 0.5}[n % 3]);
    const Costs costs;
    better += plan_v4(graph, costs).activities.size() < plan_v3(graph).activities.size() ? 1 : 0;
  }
  EXPECT_GE(better, 100);
  RecordProperty("better_of_200", better);
}

TEST(AnyGraph, AGreatOneIsPlannedToo) {
  std::mt19937_64 random(4);
  const Graph graph = random_graph(random, 10'000, 0.2);
  const Costs costs;
  ASSERT_NO_FATAL_FAILURE(expect_whole(graph, plan_v3(graph)));
  const Plan v4 = plan_v4(graph, costs);
  ASSERT_NO_FATAL_FAILURE(expect_whole(graph, v4));
  EXPECT_LT(v4.activities.size(), plan_v3(graph).activities.size());
}

}  // namespace
}  // namespace holdfast::flows
