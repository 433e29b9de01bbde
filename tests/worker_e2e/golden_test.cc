// Runs the golden workflows on every engine, checks that what happened replays, and, with HOLDFAST_RECORD_DIR
// set, writes the histories there for tests/replay.

#include <fstream>

#include "fixture.h"
#include "golden_workflows.h"

namespace holdfast::e2e {
namespace {

void check_and_record(const WorkflowHandle& handle, const std::string& name) {
  auto history = handle.history_json();
  ASSERT_TRUE(history) << history.error().to_string();
  Replayer replayer;
  golden::register_workflows(replayer);
  const auto report = replayer.replay_json(*history, handle.workflow_id());
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_EQ(report->error, "") << name;
  if (const char* directory = std::getenv("HOLDFAST_RECORD_DIR")) {
    std::ofstream(std::string(directory) + "/" + name + ".json") << *history;
  }
}

std::string prefix(const std::string& backend) {
  return backend == "external" ? "temporal_" : "holdfast_" + backend + "_";
}

TEST_P(Sdk, GoldenWorkflowsReplay) {
  Worker& worker = new_worker();
  golden::register_workflows(worker);
  golden::register_activities(worker);
  start_worker();

  const auto steps = start("golden_steps", 3);
  EXPECT_EQ(result<std::string>(steps), "108 activity failed late");
  check_and_record(steps, prefix(GetParam()) + "steps");

  const auto messages = start("golden_messages", "");
  for (int round = 0; round < 2; ++round) {
    // Whichever run of the chain is current.
    const auto current = client_->workflow(messages.workflow_id());
    for (const char* word : {"x", "y"}) ASSERT_TRUE(current.signal("word", word).ok());
    auto rejected = current.update<int>("add", -1);
    ASSERT_TRUE(rejected) << rejected.error().to_string();
    ASSERT_FALSE(rejected->ok());
    auto added = current.update<int>("add", 10);
    ASSERT_TRUE(added) << added.error().to_string();
    if (round == 1) break;
    auto first = messages.describe();
    while (first && first->status == WorkflowStatus::kRunning) first = messages.describe();
    ASSERT_TRUE(first) << first.error().to_string();
    EXPECT_EQ(first->status, WorkflowStatus::kContinuedAsNew);
  }
  EXPECT_EQ(result<std::string>(messages), "child heard xychild heard xy");
  check_and_record(messages, prefix(GetParam()) + "messages");
  check_and_record(client_->workflow(messages.workflow_id()), prefix(GetParam()) + "messages_continued");
  check_and_record(client_->workflow(messages.workflow_id() + "-child"), prefix(GetParam()) + "child");

  const auto canceled = start("golden_canceled");
  ASSERT_TRUE(canceled.cancel("enough").ok());
  EXPECT_EQ(result<std::string>(canceled), "7 canceled");
  check_and_record(canceled, prefix(GetParam()) + "canceled");
}

}  // namespace
}  // namespace holdfast::e2e
