// Goal: a run that began with an earlier version of the flow's workflow goes on with this one. Method: every
// recorded history through the replayer.

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "holdfast/worker.h"
#include "perform/register_flows.h"

namespace holdfast::flows {
namespace {

class FlowReplay : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(FlowReplay, FollowsTheHistory) {
  std::ifstream file(GetParam());
  std::string history((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  Replayer replayer;
  agent::Workers all;
  all.agents = all.models = all.tools = &replayer;
  register_flows(all, {}, {});  // replay calls no activity
  auto report = replayer.replay_json(history);
  ASSERT_TRUE(report.has_value()) << report.error().to_string();
  EXPECT_TRUE(report->ok()) << report->error;
  EXPECT_GT(report->events, 5U);
}

std::vector<std::filesystem::path> golden() {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator(GOLDEN)) {
    if (entry.path().extension() == ".json") out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

INSTANTIATE_TEST_SUITE_P(Golden, FlowReplay, ::testing::ValuesIn(golden()), [](const auto& info) {
  std::string name = info.param.stem().string();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
});

}  // namespace
}  // namespace holdfast::flows
