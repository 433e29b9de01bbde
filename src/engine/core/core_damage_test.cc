// Rows that cannot be read. Each test puts other bytes where a row of one run stood, or hides a page of its
// history, and asks that whoever needs it hears DATA_LOSS, that nothing is done in its place, and that other
// runs go on.

#include <gmock/gmock.h>

#include "engine/core_driver.h"
#include "engine/failing_scans.h"

namespace holdfast::engine {
namespace {

using history::kSecond;
using testing::Driver;

namespace keys = store::keys;

const std::string kGarbage = "\xff\xff\xff\xff";

std::string namespace_id(Driver& d) {
  ws::DescribeNamespaceRequest request;
  request.set_namespace_("default");
  return d.call<ws::DescribeNamespaceResponse>(api::Method::kDescribeNamespace, request)
      .namespace_info()
      .id();
}

ws::DescribeWorkflowExecutionRequest describe(const std::string& id, const std::string& run_id = "") {
  ws::DescribeWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id(id);
  request.mutable_execution()->set_run_id(run_id);
  return request;
}

ws::GetWorkflowExecutionHistoryRequest whole(const std::string& id) {
  ws::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id(id);
  return request;
}

Code described(Driver& d, const std::string& id) {
  return d.error(api::Method::kDescribeWorkflowExecution, describe(id)).code();
}

// Another run does what runs do.
void expect_that_others_go_on(Driver& d) {
  d.start("other", [](auto& request) { request.mutable_task_queue()->set_name("elsewhere"); });
  d.complete(d.workflow_task("elsewhere").task_token(), {Driver::complete_workflow()});
  EXPECT_EQ(d.events("other").back(), "WorkflowExecutionCompleted");
}

TEST(Damage, AStateThatCannotBeReadIsDataLossForItsRun) {
  Driver d;
  const std::string run = d.start("w").run_id();
  const auto task = d.workflow_task();
  d.damage(keys::execution_state(namespace_id(d), "w", run), kGarbage);

  EXPECT_EQ(described(d, "w"), Code::kDataLoss);
  EXPECT_EQ(d.error(api::Method::kGetWorkflowExecutionHistory, whole("w")).code(), Code::kDataLoss);
  EXPECT_EQ(d.error(api::Method::kRespondWorkflowTaskCompleted,
                    Driver::completion(task.task_token(), {Driver::complete_workflow()}))
                .code(),
            Code::kDataLoss);
  // Nor is it ended for a run that would take its place.
  EXPECT_EQ(d.error(api::Method::kStartWorkflowExecution,
                    Driver::start_request("w",
                                          [](auto& request) {
                                            request.set_request_id("again");
                                            request.set_workflow_id_conflict_policy(
                                                enums::WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING);
                                          }))
                .code(),
            Code::kDataLoss);
  d.advance(3600 * kSecond);
  expect_that_others_go_on(d);
}

TEST(Damage, AStateOfAnotherRunIsNotTakenForIt) {
  Driver d;
  const std::string run = d.start("w").run_id();
  const std::string other = d.start("v").run_id();
  const std::string ns = namespace_id(d);
  history::stored::ExecutionState state;
  state.set_namespace_id(ns);
  state.set_workflow_id("v");
  state.set_run_id(other);
  d.damage(keys::execution_state(ns, "w", run), history::serialize(state));
  EXPECT_EQ(described(d, "w"), Code::kDataLoss);
}

TEST(Damage, WithoutItsCurrentRunAWorkflowIdStartsNothing) {
  Driver d;
  d.start("w");
  d.damage(keys::current_run(namespace_id(d), "w"), kGarbage);
  EXPECT_EQ(described(d, "w"), Code::kDataLoss);
  EXPECT_EQ(d.error(api::Method::kStartWorkflowExecution, Driver::start_request("w")).code(),
            Code::kDataLoss);
  expect_that_others_go_on(d);
}

TEST(Damage, HistoryEndsWhereItCannotBeRead) {
  Driver d;
  const std::string run = d.start("w").run_id();
  d.complete(d.workflow_task().task_token(), {Driver::start_timer("t", 10)});
  d.damage(keys::history_page(namespace_id(d), "w", run, 1), kGarbage);
  const Status wrong = d.error(api::Method::kGetWorkflowExecutionHistory, whole("w"));
  EXPECT_EQ(wrong.code(), Code::kDataLoss);
  EXPECT_THAT(wrong.message(), ::testing::HasSubstr(run));
  ws::GetWorkflowExecutionHistoryReverseRequest reverse;
  reverse.set_namespace_("default");
  reverse.mutable_execution()->set_workflow_id("w");
  reverse.set_maximum_page_size(100);
  // The newest events are there; those that are not are told when they are asked for.
  auto page = d.call<ws::GetWorkflowExecutionHistoryReverseResponse>(
      api::Method::kGetWorkflowExecutionHistoryReverse, reverse);
  EXPECT_GT(page.history().events_size(), 0);
  reverse.set_next_page_token(page.next_page_token());
  EXPECT_EQ(d.error(api::Method::kGetWorkflowExecutionHistoryReverse, reverse).code(), Code::kDataLoss);
  d.advance(20 * kSecond);  // its timer fires all the same
  expect_that_others_go_on(d);
}

TEST(Damage, AClosedRunWithoutItsLastEventDoesNotAnswerWithNothing) {
  Driver d;
  const std::string run = d.start("w").run_id();
  d.complete(d.workflow_task().task_token(), {Driver::complete_workflow()});
  const std::string ns = namespace_id(d);
  d.damage(keys::history_page(ns, "w", run, d.history("w").events_size() - 1), kGarbage);
  auto request = whole("w");
  request.set_history_event_filter_type(enums::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT);
  EXPECT_EQ(d.error(api::Method::kGetWorkflowExecutionHistory, request).code(), Code::kDataLoss);
}

TEST(Damage, AnActivityWithoutItsInputIsNotHandedOut) {
  Driver d;
  const std::string run = d.start("w").run_id();
  d.complete(d.workflow_task().task_token(), {Driver::schedule_activity("a")});
  d.damage(keys::history_page(namespace_id(d), "w", run, 4), kGarbage);
  EXPECT_FALSE(d.poll_activity()->done());
  expect_that_others_go_on(d);
}

TEST(Damage, ARunThatWouldBeFollowedWaitsForItsFirstEvent) {
  Driver d;
  const auto retried = [](auto& request) {
    request.mutable_retry_policy()->mutable_initial_interval()->set_seconds(1);
    request.mutable_workflow_run_timeout()->set_seconds(100);
    request.mutable_workflow_task_timeout()->set_seconds(50);
  };
  const std::string run = d.start("w", retried).run_id();
  d.complete(d.workflow_task().task_token(), {Driver::start_timer("t", 10)});
  d.damage(keys::history_page(namespace_id(d), "w", run, 1), kGarbage);
  d.advance(11 * kSecond);
  pb::command::v1::Command failing;
  failing.set_command_type(enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION);
  failing.mutable_fail_workflow_execution_command_attributes()->mutable_failure()->set_message("no");
  const Status wrong = d.error(api::Method::kRespondWorkflowTaskCompleted,
                               Driver::completion(d.workflow_task().task_token(), {failing}));
  EXPECT_EQ(wrong.code(), Code::kDataLoss);
  d.advance(200 * kSecond);
  EXPECT_EQ(
      d.call<ws::DescribeWorkflowExecutionResponse>(api::Method::kDescribeWorkflowExecution, describe("w"))
          .workflow_execution_info()
          .status(),
      enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  expect_that_others_go_on(d);
}

TEST(Damage, AMessageToARunThatCannotBeReadStays) {
  Driver d;
  const std::string target =
      d.start("target", [](auto& request) { request.mutable_task_queue()->set_name("far"); }).run_id();
  d.start("w");
  const auto task = d.workflow_task();
  const std::string ns = namespace_id(d);
  d.damage(keys::execution_state(ns, "target", target), kGarbage);
  pb::command::v1::Command signal;
  signal.set_command_type(enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION);
  auto& attributes = *signal.mutable_signal_external_workflow_execution_command_attributes();
  attributes.set_namespace_("default");
  attributes.mutable_execution()->set_workflow_id("target");
  attributes.set_signal_name("go");
  d.complete(task.task_token(), {signal});
  EXPECT_EQ(d.events("w").back(), "SignalExternalWorkflowExecutionInitiated");
}

TEST(Damage, ANamespaceThatCannotBeReadRefusesTheStart) {
  fixture::TemporaryDirectory directory;
  store::RocksOptions rocks;
  rocks.dir = directory.path().string();
  auto kv = store::RocksStore::open(rocks);
  ASSERT_TRUE(kv.has_value());
  store::WriteBatch batch;
  batch.put(keys::namespace_record("default"), kGarbage);
  ASSERT_TRUE((*kv)->commit(batch).ok());
  fixture::ManualClock clock;
  fixture::CountingRandom random;
  EngineCore core(CoreOptions(), clock, random, **kv);
  EXPECT_EQ(core.open().code(), Code::kDataLoss);
}

// Who needs attention is found in one table; without all of it some would wait for ever.
TEST(Damage, ATableOfWaitersThatCannotBeReadRefusesTheStart) {
  Driver d;
  d.start("w");
  testing::FailingScans store(d.store(), keys::kWakeTable);
  store.broken = true;
  EngineCore core(CoreOptions(), d.clock, d.random, store);
  const Status refused = core.open();
  EXPECT_EQ(refused.code(), Code::kDataLoss);
  EXPECT_THAT(refused.message(), ::testing::HasSubstr("block checksum"));
  EXPECT_THAT(refused.message(), ::testing::HasSubstr("from a backup"));
}

TEST(Damage, AWaiterThatHasNoNameRefusesTheStart) {
  Driver d;
  store::WriteBatch batch;
  batch.put(keys::table_begin(7, keys::kWakeTable) + "\xff", "");
  ASSERT_TRUE(d.store().commit(batch).ok());
  EngineCore core(CoreOptions(), d.clock, d.random, d.store());
  EXPECT_EQ(core.open().code(), Code::kDataLoss);
}

TEST(Damage, ATableOfWaitersThatBreaksLaterIsTold) {
  Driver d;
  d.start("w");
  testing::FailingScans store(d.store(), keys::kWakeTable);
  EngineCore core(CoreOptions(), d.clock, d.random, store);
  ASSERT_TRUE(core.open().ok());
  store.broken = true;
  core.tick();
  EXPECT_EQ(core.broken().code(), Code::kDataLoss);
  EXPECT_TRUE(d.core->broken().ok());
}

}  // namespace
}  // namespace holdfast::engine
