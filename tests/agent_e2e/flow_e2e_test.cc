// Goal: runs of an agent that have a key in common begin when its `flow` lets them, whoever starts them and
// whatever becomes of those before them. Method: whole runs; the model hangs where a run is to be under way,
// and the clock is moved where a period is to pass.

#include <gmock/gmock.h>
#include <cstdlib>

#include "harness.h"

namespace holdfast::e2e {
namespace {

using ::testing::HasSubstr;

constexpr const char* kEcho = R"(
replies:
  - when: {last: "hang"}
    text: never
    faults: [{hang_after: 0}]
  - when: {last: '(.*)'}
    text: "answer to {{last}}"
)";

// A run under an id of its own, started by nobody of ours.
WorkflowHandle start(Platform& p, const std::string& name, const Json& input) {
  agent::RunInput in;
  in.agent = "flow";
  in.input = input;
  auto run = p.client().start(agent::kWorkflowType, StartOptions(p.run_id(name), agent::kAgentQueue), in);
  EXPECT_TRUE(run) << run.error().to_string();
  return *run;
}

Json of(const std::string& customer, const std::string& what) {
  return {{"customer", customer}, {"what", what}};
}

void deploy(Platform& p, const std::string& flow) {
  p.deploy("flow", "  flow: {key: \"{input.customer}\", " + flow + "}");
}

bool waits(Platform& p, const WorkflowHandle& run) {
  return eventually([&] { return p.count_events(run.workflow_id(), "run.waiting") > 0; });
}

bool calls_model(Platform& p, const WorkflowHandle& run) {
  return eventually([&] { return p.status(run)["phase"] == "model"; });
}

Json first_event(Platform& p, const WorkflowHandle& run, std::string_view type) {
  for (const platform::Event& event : p.events(run.workflow_id())) {
    if (event.type == type) return Json::parse(event.data);
  }
  return {};
}

TEST(Flow, RunsOfAKeyAreOneBehindTheOther) {
  Platform p(kEcho);
  deploy(p, "concurrency: {limit: 1}");
  auto one = start(p, "one", of("ann", "hang"));
  ASSERT_TRUE(calls_model(p, one));
  auto two = start(p, "two", of("ann", "b"));
  ASSERT_TRUE(waits(p, two));
  auto three = start(p, "three", of("ann", "c"));
  ASSERT_TRUE(waits(p, three));
  p.finish(start(p, "other", of("bob", "d")));  // of another key
  const Json waiting = first_event(p, three, "run.waiting");
  EXPECT_EQ(waiting["on"], "flow");
  EXPECT_EQ(waiting["key"], "ann");
  EXPECT_EQ(waiting["behind"], two.workflow_id());
  EXPECT_EQ(first_event(p, two, "run.waiting")["behind"], one.workflow_id());
  p.stop_workers();
  p.start_workers();
  ASSERT_TRUE(one.cancel().ok());
  p.finish(two);
  p.finish(three);
  const auto begun = [&](const WorkflowHandle& run) {
    return *(*p.store().flow_turn(run.workflow_id()))->row.begun_at;
  };
  EXPECT_LT(begun(one), begun(two));
  EXPECT_LT(begun(two), begun(three));
  EXPECT_EQ((*p.store().flow_turn(three.workflow_id()))->row.state, platform::FlowState::kOver);
}

TEST(Flow, ARunThatWasTerminatedHoldsUpNobody) {
  Platform p(kEcho);
  deploy(p, "concurrency: {limit: 1}");
  auto one = start(p, "one", of("ann", "hang"));
  ASSERT_TRUE(calls_model(p, one));
  std::vector<WorkflowHandle> dead;
  for (const char* name : {"two", "three"}) {
    dead.push_back(start(p, name, of("ann", "b")));
    ASSERT_TRUE(waits(p, dead.back()));
  }
  auto four = start(p, "four", of("ann", "c"));
  ASSERT_TRUE(waits(p, four));
  for (const WorkflowHandle& run : dead) ASSERT_TRUE(run.terminate("test").ok());
  ASSERT_TRUE(one.terminate("test").ok());
  p.finish(four);
}

TEST(Flow, WhatTheConditionLeavesOutBeginsAtOnce) {
  Platform p(kEcho);
  deploy(p, "when: 'input.customer != \"vip\"', concurrency: {limit: 1}");
  auto one = start(p, "one", of("vip", "hang"));
  ASSERT_TRUE(calls_model(p, one));
  p.finish(start(p, "two", of("vip", "b")));
  EXPECT_FALSE(p.store().flow_turn(one.workflow_id())->has_value());
  ASSERT_TRUE(one.cancel().ok());
}

TEST(Flow, AThrottleLetsTheNextBeginWhenItIsTime) {
  if (std::getenv("HOLDFAST_E2E_ENGINE")) GTEST_SKIP() << "the clock of a Temporal server does not jump";
  Platform p(kEcho);
  deploy(p, "throttle: {limit: 1, period: 1h}");
  p.finish(start(p, "one", of("ann", "a")));
  auto two = start(p, "two", of("ann", "b"));
  ASSERT_TRUE(waits(p, two));
  EXPECT_EQ(first_event(p, two, "run.waiting")["rule"], "throttle");
  p.skip(std::chrono::hours(2));
  p.finish(two);
}

TEST(Flow, ARateLimitEndsARunThatNobodyCouldRefuse) {
  Platform p(kEcho);
  deploy(p, "rate_limit: {limit: 1, period: 1h}");
  p.finish(start(p, "one", of("ann", "a")));
  auto result = start(p, "two", of("ann", "b")).result<agent::RunResult>(std::chrono::seconds(30));
  ASSERT_TRUE(result.has_value() && !result->ok());
  EXPECT_EQ(find_failure<ApplicationFailure>(result->error())->type(), "FlowLimitedError");
}

TEST(Flow, TheLastOfManyStandsForThem) {
  if (std::getenv("HOLDFAST_E2E_ENGINE")) GTEST_SKIP() << "the clock of a Temporal server does not jump";
  Platform p(kEcho);
  deploy(p, "debounce: {period: 1h}");
  auto one = start(p, "one", of("ann", "a"));
  ASSERT_TRUE(waits(p, one));
  auto two = start(p, "two", of("ann", "b"));
  ASSERT_TRUE(waits(p, two));
  auto ended = one.result<agent::RunResult>(std::chrono::seconds(30));
  ASSERT_TRUE(ended.has_value() && !ended->ok());
  EXPECT_TRUE(is_canceled(ended->error()));
  EXPECT_EQ(first_event(p, one, "run.superseded")["by"], two.workflow_id());
  EXPECT_EQ(p.count_events(one.workflow_id(), "run.canceled"), 1);
  p.skip(std::chrono::hours(2));
  EXPECT_THAT(p.finish(two).output, HasSubstr(R"("what":"b")"));
  EXPECT_EQ(p.scripted->requests(), 1);
}

TEST(Flow, ABatchIsOneRunWithAllInputs) {
  if (std::getenv("HOLDFAST_E2E_ENGINE")) GTEST_SKIP() << "the clock of a Temporal server does not jump";
  Platform p(kEcho);
  deploy(p, "batch: {max_size: 3, timeout: 1h}");
  auto one = start(p, "one", of("ann", "a"));
  ASSERT_TRUE(waits(p, one));
  auto two = start(p, "two", of("ann", "b"));
  ASSERT_TRUE(waits(p, two));
  auto three = start(p, "three", of("ann", "c"));
  EXPECT_THAT(p.finish(three).output,
              HasSubstr(R"([{"customer":"ann","what":"a"},{"customer":"ann","what":"b"},{"customer":"ann")"));
  auto ended = two.result<agent::RunResult>(std::chrono::seconds(30));
  ASSERT_TRUE(ended.has_value() && !ended->ok());
  EXPECT_TRUE(is_canceled(ended->error()));
  EXPECT_EQ(first_event(p, two, "run.batched")["into"], three.workflow_id());
  EXPECT_THAT(first_event(p, three, "run.started")["batch"], ::testing::SizeIs(3));
  // And when its time is over, whoever there is.
  auto four = start(p, "four", of("ann", "d"));
  ASSERT_TRUE(waits(p, four));
  p.skip(std::chrono::hours(2));
  EXPECT_THAT(p.finish(four).output, HasSubstr(R"([{"customer":"ann","what":"d"}])"));
}

}  // namespace
}  // namespace holdfast::e2e
