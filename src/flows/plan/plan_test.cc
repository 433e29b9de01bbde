// Goal: V1, V2 and V3 are what was published of them. Method: the eight blocks of the published figure, and
// each rule on the smallest graph that shows it.

#include "plan/plan.h"

#include <gmock/gmock.h>

#include "plan/test_graphs.h"

namespace holdfast::flows {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> texts(const Graph& graph, const Plan& plan) {
  std::vector<std::string> out;
  for (const Activity& activity : plan.activities) {
    std::string& text = out.emplace_back();
    for (const PlannedBlock& one : activity.blocks) text += (text.empty() ? "" : " ") + graph[one.block].id;
  }
  return out;
}

// examples/flows/eight.yaml: a start; a branch that looks things up, and one on which a person decides.
Graph eight() {
  return {own(block("start"), "start block"),
          block("find", {0}),
          block("score", {1}),
          person(block("approve", {0})),
          block("pay", {3}),
          block("receipt", {4}),
          block("note", {2}),
          block("tell", {6})};
}

TEST(Plans, OfTheEightBlocksAsPublished) {
  const Graph graph = eight();
  EXPECT_EQ(plan_v1(graph).activities.size(), 8u);
  EXPECT_THAT(texts(graph, plan_v2(graph)),
              ElementsAre("start", "find score", "approve", "pay receipt note tell"));
  EXPECT_THAT(texts(graph, plan_v3(graph)),
              ElementsAre("start", "find score note tell", "approve", "pay receipt"));
}

// What V2 gets wrong and V3 does not: the branch without a person waits for the one with.
TEST(Plans, V2HoldsABranchUpForAPersonAndV3DoesNot) {
  const Graph graph = eight();
  const Costs costs;
  EXPECT_THAT(predict(graph, plan_v2(graph), costs).waits_for_people_of_others, ElementsAre(6, 7));
  EXPECT_THAT(predict(graph, plan_v3(graph), costs).waits_for_people_of_others, IsEmpty());
}

TEST(Plans, V1AndV2RunOneBehindTheOther) {
  const Graph graph = eight();
  EXPECT_THAT(dependencies(graph, plan_v2(graph)),
              ElementsAre(IsEmpty(), ElementsAre(0), ElementsAre(1), ElementsAre(2)));
  EXPECT_TRUE(plan_v1(graph).in_sequence);
  EXPECT_THAT(dependencies(graph, plan_v3(graph)),
              ElementsAre(IsEmpty(), ElementsAre(0), ElementsAre(0), ElementsAre(2)));
}

TEST(Plans, V3JoinsWhereAllParentsAreTogether) {
  const Graph graph{own(block("start"), "start block"),
                    block("a", {0}),
                    block("b", {1}),
                    block("c", {1}),
                    block("d", {2, 3}),
                    block("e", {0}),
                    block("f", {4, 5})};
  EXPECT_THAT(texts(graph, plan_v3(graph)), ElementsAre("start", "a b c d", "e", "f"));
}

TEST(Plans, ADedicatedBlockIsAloneAndWhatFollowsItBegins) {
  const Graph graph{own(block("start"), "start block"), block("a", {0}), own(block("b", {1})),
                    block("c", {2}), block("d", {1})};
  EXPECT_THAT(texts(graph, plan_v2(graph)), ElementsAre("start", "a", "b", "c d"));
  EXPECT_THAT(texts(graph, plan_v3(graph)), ElementsAre("start", "a d", "b", "c"));
  EXPECT_THAT(plan_v3(graph).activities[2].blocks[0].why, "needs its own: custom retry policy");
}

TEST(Plans, ThePredictionIsTheLongestPath) {
  const Graph graph{own(block("start"), "start block"), block("a", {0}), block("b", {0}), block("c", {1, 2})};
  const Costs costs{Micros(1000), Micros(10)};
  const Prediction v3 = predict(graph, plan_v3(graph), costs);
  EXPECT_EQ(v3.total, Micros(3300));
  EXPECT_THAT(v3.critical_path, ElementsAre(0, 1, 3));
  EXPECT_EQ(predict(graph, plan_v1(graph), costs).total, Micros(4400));
}

TEST(Plans, OfNothingAreNothing) {
  const Costs costs;
  EXPECT_TRUE(plan_v4({}, costs).activities.empty());
  EXPECT_EQ(predict({}, plan_v2({}), costs).total, Micros(0));
}

// A cycle is found where the order ends early; planners are asked of graphs without.
TEST(Plans, ACycleHasNoOrder) {
  const Graph graph{block("a", {1}), block("b", {0}), block("c")};
  EXPECT_THAT(topological_order(graph), ElementsAre(2));
}

}  // namespace
}  // namespace holdfast::flows
