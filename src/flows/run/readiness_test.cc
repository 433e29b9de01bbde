// Goal: which blocks run follows from the outlets of those before them, and from nothing else.

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "run/readiness.h"

namespace holdfast::flows {
namespace {

using protocol::FlowNeed;
using protocol::FlowRule;

FlowRule rule(std::initializer_list<std::pair<std::uint32_t, const char*>> needs, bool any = false) {
  FlowRule out;
  for (const auto& [block, outlet] : needs) {
    FlowNeed need;
    need.block = block;
    need.outlet = outlet;
    out.needs.push_back(need);
  }
  out.any = any;
  return out;
}

const std::map<std::uint32_t, std::string> kEnded = {
    {0, "done"}, {1, "large"}, {2, "error"}, {3, std::string(protocol::kFlowSkipped)}};

bool told(const FlowRule& rule) {
  return runs(rule, [](std::uint32_t block) { return std::string_view(kEnded.at(block)); });
}

TEST(Readiness, AllNeedsMustBeMet) {
  EXPECT_TRUE(told(rule({})));
  EXPECT_TRUE(told(rule({{0, "done"}})));
  EXPECT_TRUE(told(rule({{0, "done"}, {1, "large"}, {2, "error"}})));
  EXPECT_FALSE(told(rule({{0, "done"}, {1, "otherwise"}})));
  EXPECT_FALSE(told(rule({{2, "done"}}))) << "it failed";
  EXPECT_FALSE(told(rule({{3, "done"}}))) << "it was skipped";
}

TEST(Readiness, OfAnyOneIsEnough) {
  EXPECT_TRUE(told(rule({{3, "done"}, {0, "done"}}, true)));
  EXPECT_FALSE(told(rule({{3, "done"}, {1, "otherwise"}, {2, "done"}}, true)));
}

}  // namespace
}  // namespace holdfast::flows
