// Goal: what a run holds costs a change of it nothing, is there after a restart, is missed when it is not,
// and goes with the run. Method: runs with thousands of things pending over a real store, and the bytes of
// the batches that change them.

#include <gmock/gmock.h>

#include "engine/core_driver.h"
#include "engine/expired_runs.h"

namespace holdfast::engine {
namespace {

using history::kSecond;
using testing::Driver;

namespace keys = store::keys;
namespace stored = history::stored;

class HoldingsTest : public ::testing::Test {
 protected:
  std::string namespace_id() {
    ws::DescribeNamespaceRequest request;
    request.set_namespace_("default");
    return d.call<ws::DescribeNamespaceResponse>(api::Method::kDescribeNamespace, request)
        .namespace_info()
        .id();
  }
  // A run that waits for so many activities, nothing else.
  std::string fan_out(const std::string& id, int activities) {
    const std::string run = d.start(id).run_id();
    Driver::Commands commands;
    for (int i = 0; i < activities; ++i) {
      commands.push_back(Driver::schedule_activity("a" + std::to_string(i), 3600));
      commands.back().mutable_schedule_activity_task_command_attributes()->mutable_task_queue()->set_name(id);
    }
    d.complete(d.workflow_task().task_token(), std::move(commands));
    return run;
  }
  ws::PollActivityTaskQueueResponse activity(const std::string& queue) {
    ws::PollActivityTaskQueueRequest request;
    request.set_namespace_("default");
    request.mutable_task_queue()->set_name(queue);
    request.set_identity("worker");
    return d.call<ws::PollActivityTaskQueueResponse>(api::Method::kPollActivityTaskQueue, request);
  }
  ws::DescribeWorkflowExecutionRequest named(const std::string& id) {
    ws::DescribeWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.mutable_execution()->set_workflow_id(id);
    return request;
  }
  ws::DescribeWorkflowExecutionResponse describe(const std::string& id) {
    return d.call<ws::DescribeWorkflowExecutionResponse>(api::Method::kDescribeWorkflowExecution, named(id));
  }
  // The keys of its rows beside its state and its history.
  std::vector<std::string> parts(const std::string& id, const std::string& run) {
    return stored_parts(namespace_id(), id, run);
  }
  std::vector<std::string> stored_parts(const std::string& ns, const std::string& id,
                                        const std::string& run) {
    std::vector<std::string> found;
    const Status scanned =
        d.store().scan(keys::state_parts_begin(ns, id, run), keys::state_parts_end(ns, id, run),
                       [&](std::string_view key, std::string_view) {
                         found.emplace_back(key);
                         return true;
                       });
    EXPECT_TRUE(scanned.ok());
    return found;
  }
  template <typename Change>
  std::size_t written_by(Change change) {
    const std::size_t before = d.bytes_written;
    change();
    return d.bytes_written - before;
  }
  void erase_row(const std::string& key) {
    store::WriteBatch batch;
    batch.erase(key);
    d.core.reset();
    ASSERT_TRUE(d.store().commit(batch).ok());
    d.crash();
  }

  Driver d;
};

TEST_F(HoldingsTest, ASignalWritesTheSameWithAHundredPendingActivitiesAndWithTwoThousand) {
  fan_out("few", 100);
  fan_out("many", 2000);
  const auto signal = [&](const char* id) { return written_by([&] { d.signal(id, "s", "request"); }); };
  const std::size_t few = signal("few");
  const std::size_t many = signal("many");
  EXPECT_LT(few, 8'000u);
  EXPECT_NEAR(static_cast<double>(many), static_cast<double>(few), 64);
}

TEST_F(HoldingsTest, SoDoesTheEndOfAnActivityAndTheWholeIsLinear) {
  fan_out("few", 150);
  fan_out("many", 2000);
  const auto complete = [&](const char* id) {
    return written_by([&] { d.complete_activity(activity(id).task_token(), "done"); });
  };
  // The first ones stand with the state; behind them each has its own row.
  for (int i = 0; i < 70; ++i) complete("few"), complete("many");
  const std::size_t few = complete("few");
  const std::size_t many = complete("many");
  EXPECT_LT(few, 16'000u);
  EXPECT_NEAR(static_cast<double>(many), static_cast<double>(few), 256);
}

TEST_F(HoldingsTest, WhatARunHoldsIsThereAfterARestart) {
  const std::string run = fan_out("w", 300);
  EXPECT_GT(parts("w", run).size(), 200u);
  d.crash();
  EXPECT_EQ(describe("w").pending_activities_size(), 300);
  for (int i = 0; i < 300; ++i) d.complete_activity(activity("w").task_token(), "done");
  EXPECT_EQ(describe("w").pending_activities_size(), 0);
  EXPECT_TRUE(parts("w", run).empty());
  // All completions are seen, by the one task that waited since the first.
  d.complete(d.workflow_task().task_token(), {Driver::complete_workflow()});
  EXPECT_EQ(d.events("w").back(), "WorkflowExecutionCompleted");
}

TEST_F(HoldingsTest, CommandsThatFailLeaveNothingOfThemInTheStore) {
  const std::string run = fan_out("w", 300);
  const auto before = parts("w", run);
  d.signal("w", "s");
  Driver::Commands commands;
  for (int i = 0; i < 100; ++i) {
    commands.emplace_back().set_command_type(enums::COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK);
    commands.back().mutable_request_cancel_activity_task_command_attributes()->set_scheduled_event_id(
        5 + 200 + i);
  }
  commands.push_back(Driver::start_timer("t", 5));
  commands.push_back(Driver::start_timer("t", 5));
  const auto request = Driver::completion(d.workflow_task().task_token(), std::move(commands));
  EXPECT_EQ(d.error(api::Method::kRespondWorkflowTaskCompleted, request).code(), Code::kInvalidArgument);
  EXPECT_EQ(parts("w", run), before);
  d.crash();
  EXPECT_EQ(describe("w").pending_activities_size(), 300);
}

TEST_F(HoldingsTest, APartThatIsMissingOrCannotBeReadIsDataLossForItsRun) {
  const std::string missing = fan_out("missing", 100);
  const std::string garbage = fan_out("garbage", 100);
  fan_out("whole", 100);
  d.damage(parts("garbage", garbage).at(7), "\xff\xff\xff\xff");
  erase_row(parts("missing", missing).at(7));
  for (const char* id : {"missing", "garbage"}) {
    EXPECT_EQ(d.error(api::Method::kDescribeWorkflowExecution, named(id)).code(), Code::kDataLoss) << id;
  }
  EXPECT_EQ(describe("whole").pending_activities_size(), 100);
  d.complete_activity(activity("whole").task_token(), "done");
}

TEST_F(HoldingsTest, AStateOfAnEarlierBuildIsTakenApartWhenItIsWritten) {
  const std::string run = fan_out("w", 300);
  const std::string ns = namespace_id();
  history::StateReader reader;
  ASSERT_TRUE(reader.state(**d.store().get(keys::execution_state(ns, "w", run))));
  store::WriteBatch batch;
  const Status scanned = d.store().scan(
      keys::state_parts_begin(ns, "w", run), keys::state_parts_end(ns, "w", run),
      [&](std::string_view key, std::string_view value) {
        keys::PartName part;
        EXPECT_TRUE(keys::parse_state_part(key, part) && reader.part(part.kind, part.n, value));
        batch.erase(std::string(key));
        return true;
      });
  ASSERT_TRUE(scanned.ok());
  batch.put(keys::execution_state(ns, "w", run),
            history::serialize(history::MutableState(std::move(reader)).whole()));
  stored::StoreMeta meta;
  ASSERT_TRUE(meta.ParseFromString(**d.store().get(keys::store_meta())));
  meta.set_format_version(1);
  batch.put(keys::store_meta(), history::serialize(meta));
  d.core.reset();
  ASSERT_TRUE(d.store().commit(batch).ok());
  ASSERT_TRUE(stored_parts(ns, "w", run).empty());
  // Its activities are offered again, which is a change of it.
  d.crash();

  EXPECT_EQ(describe("w").pending_activities_size(), 300);
  EXPECT_GT(parts("w", run).size(), 200u);
  EXPECT_LT(written_by([&] { d.signal("w", "s"); }), 8'000u);
  ASSERT_TRUE(meta.ParseFromString(**d.store().get(keys::store_meta())));
  EXPECT_EQ(meta.format_version(), 3) << "an earlier build would miss the rows";
  d.crash();
  EXPECT_EQ(describe("w").pending_activities_size(), 300);
}

TEST_F(HoldingsTest, WhatARunHeldGoesWithIt) {
  d.options.limits.sweep_rows = 50;
  d.crash();
  const std::string run = d.start("w").run_id();
  for (int i = 0; i < 300; ++i)
    d.signal("w", "s", "a request id of some length, number " + std::to_string(i));
  EXPECT_GT(parts("w", run).size(), 100u);
  ws::DeleteWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.mutable_workflow_execution()->set_workflow_id("w");
  d.call<ws::DeleteWorkflowExecutionResponse>(api::Method::kDeleteWorkflowExecution, request);
  ExpiredRuns expired(d.store(), d.options.limits);
  for (int slices = 0; slices < 100; ++slices) {
    auto slice = expired.next(d.clock.ns);
    ASSERT_TRUE(slice.has_value());
    if (slice->empty()) break;
    d.core->sweep(std::move(*slice));
    d.commit();
  }
  int left = 0;
  const Status scanned = d.store().scan({}, {}, [&](std::string_view key, std::string_view) {
    left += std::string_view("ecxw").find(key[2]) != std::string_view::npos ? 1 : 0;
    return true;
  });
  EXPECT_TRUE(scanned.ok());
  EXPECT_EQ(left, 0);
}

}  // namespace
}  // namespace holdfast::engine
