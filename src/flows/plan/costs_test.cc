#include "plan/costs.h"

#include <gtest/gtest.h>

#include "plan/test_graphs.h"

namespace holdfast::flows {
namespace {

TEST(Costs, AnActivityCostsOnceAndItsBlocksEach) {
  const Graph graph{block("a"), block("b", {0}), person(block("c", {1}))};
  const Costs costs{Micros(1000), Micros(10)};
  EXPECT_EQ(takes(graph, {0, 1}, costs), Micros(1200));
  EXPECT_EQ(takes(graph, {2}, costs), Micros(10));
}

}  // namespace
}  // namespace holdfast::flows
