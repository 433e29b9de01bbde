// Goal: an agent waits for as long as it says, at no cost, through everything that happens meanwhile. Method:
// whole runs on a real engine whose clock the test moves on.

#include <cstdlib>

#include <gmock/gmock.h>

#include "harness.h"

namespace holdfast::e2e {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

constexpr const char* kPause = "    - {name: pause, type: wait, wait: {max: 30d}}";

std::string script(const std::string& calls) {
  return "replies:\n  - when: {turn: 0}\n    tool_calls: [" + calls +
         "]\n  - when: {turn: 1}\n    text: \"Then: {{last}}\"\n";
}

// The run waits: what its log says of the step.
Json waiting_step(Platform& p, const WorkflowHandle& run) {
  Json found;
  EXPECT_TRUE(eventually([&] {
    for (const platform::Event& event : p.events(run.workflow_id())) {
      Json data = Json::parse(event.data);
      if (event.type == "step.started" && data["name"] == "pause") found = data;
    }
    return !found.is_null();
  })) << p.status(run).dump();
  return found;
}

// It takes no place among max_parallel_tools, and no worker needs to be there.
TEST(Wait, ThirtyDaysHoldUpNobodyAndOutliveTheWorkers) {
  if (std::getenv("HOLDFAST_E2E_ENGINE")) GTEST_SKIP() << "the clock of a Temporal server does not jump";
  Platform p(script("{name: pause, arguments: {duration: 30d}}, {name: note, arguments: {text: meanwhile}}"));
  p.deploy("wait", "  limits: {max_parallel_tools: 1}", kPause);
  auto run = p.start("wait", "go");
  EXPECT_TRUE(waiting_step(p, run).contains("until"));
  EXPECT_TRUE(eventually([&] { return p.receiver->deliveries() == 1; }));
  ASSERT_TRUE(sleeps(run));
  p.stop_workers();
  p.skip(std::chrono::days(29));
  p.start_workers();
  EXPECT_EQ(p.status(run)["phase"], "tools");
  p.skip(std::chrono::days(1));
  EXPECT_EQ(p.finish(run).output, "Then: ok");
  EXPECT_THAT(p.conversation(run.workflow_id()), Contains(HasSubstr(R"("waited":"30d)")));
  EXPECT_EQ(p.count_events(run.workflow_id(), "step.completed"), 4);
}

TEST(Wait, CancelEndsIt) {
  Platform p(script("{name: pause, arguments: {duration: 30d}}"));
  p.deploy("stop", "", kPause);
  auto run = p.start("stop", "go");
  waiting_step(p, run);
  ASSERT_TRUE(run.cancel("changed my mind").ok());
  auto result = run.result<agent::RunResult>(std::chrono::seconds(20));
  p.record(run);
  ASSERT_TRUE(result.has_value()) << result.error().to_string();
  ASSERT_FALSE(result->ok());
  EXPECT_TRUE(is_canceled(result->error())) << result->error().to_string();
  EXPECT_EQ(p.count_events(run.workflow_id(), "run.canceled"), 1);
}

TEST(Wait, MoreThanItsMaximumGoesBackToTheModel) {
  Platform p(script("{name: pause, arguments: {duration: 31d}}"));
  p.deploy("bound", "", kPause);
  auto run = p.start("bound", "go");
  EXPECT_THAT(p.finish(run).output, HasSubstr("wrong arguments: `duration` may be 30d at most, not 31d"));
}

TEST(Wait, APersonMayShortenIt) {
  Platform p(script("{name: pause, arguments: {duration: 30d}}"));
  p.deploy("shorten", "  approvals: {rules: [{tool: pause, action: ask}]}", kPause);
  auto run = p.start("shorten", "go");
  Json decision = p.wait_for_approval(run);
  decision["decision"] = "edit";
  decision["edited_arguments"] = {{"until", "2020-01-01T00:00:00Z"}};
  auto decided = p.decide(run, decision);
  ASSERT_TRUE(decided.has_value() && decided->ok());
  EXPECT_THAT(p.finish(run).output, HasSubstr(R"("waited":)"));
}

}  // namespace
}  // namespace holdfast::e2e
