// Golden histories: every history in data/ replays with the workflows that made it, and with the workflow's
// name but other code it is turned down. Recorded by worker_e2e (HOLDFAST_RECORD_DIR) on our engine and on a
// Temporal server.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "golden_workflows.h"
#include "holdfast/worker.h"

namespace holdfast {
namespace {

using namespace std::chrono_literals;

std::vector<std::filesystem::path> histories() {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator(HOLDFAST_REPLAY_DATA)) {
    if (entry.path().extension() == ".json") out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string read(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

class Golden : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(Golden, ReplaysWithTheCodeThatMadeIt) {
  Replayer replayer;
  golden::register_workflows(replayer);
  const auto report = replayer.replay_json(read(GetParam()));
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_EQ(report->error, "");
  EXPECT_GT(report->events, 5u);
}

TEST_P(Golden, IsTurnedDownByOtherCode) {
  Replayer replayer;
  replayer.register_dynamic_workflow([](workflow::Context& ctx, std::vector<Payload>) -> Task<Payload> {
    co_await ctx.activity<int>("something_else", ActivityOptions().start_to_close(1s));
    co_await ctx.sleep(1s);
    co_return null_payload();
  });
  const auto report = replayer.replay_json(read(GetParam()));
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_TRUE(report->nondeterministic) << report->error;
  EXPECT_THAT(report->error, ::testing::HasSubstr("[TMPRL1100] history and workflow code disagree"));
}

INSTANTIATE_TEST_SUITE_P(Histories, Golden, ::testing::ValuesIn(histories()), [](const auto& param) {
  std::string name = param.param.stem().string();
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
});

TEST(Golden, ThereAreSome) {
  EXPECT_GE(histories().size(), 8u);
}

}  // namespace
}  // namespace holdfast
