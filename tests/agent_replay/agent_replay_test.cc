// Goal: a run that began with an earlier version of the loop goes on with this one. Method: every recorded
// history, from our engine and from a Temporal server, through the replayer.

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "activities/register.h"
#include "holdfast/worker.h"

namespace holdfast::agent {
namespace {

class AgentReplay : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(AgentReplay, FollowsTheHistory) {
  std::ifstream file(GetParam());
  std::string history((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  Replayer replayer;
  Workers all;
  all.agents = all.models = all.tools = &replayer;
  register_all(all, {});  // replay calls no activity
  auto report = replayer.replay_json(history);
  ASSERT_TRUE(report.has_value()) << report.error().to_string();
  EXPECT_TRUE(report->ok()) << report->error;
  EXPECT_GT(report->events, 5u);
}

std::vector<std::filesystem::path> golden() {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator(GOLDEN)) {
    if (entry.path().extension() == ".json") out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

INSTANTIATE_TEST_SUITE_P(Golden, AgentReplay, ::testing::ValuesIn(golden()), [](const auto& info) {
  std::string name = info.param.stem().string();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
});

}  // namespace
}  // namespace holdfast::agent
