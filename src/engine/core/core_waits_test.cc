// Goal: what is said to a run whose first workflow task is held back reaches it as on Temporal: a request to
// cancel, an update and a signal-with-start end the wait, a plain signal does not. Method: runs that wait an
// hour, and a worker that polls at once.

#include <gmock/gmock.h>

#include "engine/core_driver.h"

namespace holdfast::engine {
namespace {

using history::kSecond;
using testing::change;
using testing::Driver;
using ::testing::ElementsAre;

constexpr std::int64_t kHour = 3600 * kSecond;

void start_delayed(Driver& d) {
  d.start("w", [](auto& request) { request.mutable_workflow_start_delay()->set_seconds(3600); });
}

void cancel(Driver& d) {
  ws::RequestCancelWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.mutable_workflow_execution()->set_workflow_id("w");
  d.call<ws::RequestCancelWorkflowExecutionResponse>(api::Method::kRequestCancelWorkflowExecution, request);
}

ws::SignalWithStartWorkflowExecutionRequest signal_with_start() {
  ws::SignalWithStartWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.set_workflow_id("w");
  request.mutable_workflow_type()->set_name("order");
  request.mutable_task_queue()->set_name("q");
  request.set_request_id("signal-with-start");
  request.set_signal_name("go");
  return request;
}

std::size_t tasks(Driver& d) {
  return d.workflow_task().task_token().empty() ? 0 : 1;
}

TEST(FirstWait, EndsWithARequestToCancel) {
  Driver d;
  start_delayed(d);
  cancel(d);
  EXPECT_EQ(tasks(d), 1u);
  EXPECT_THAT(d.events("w"), ElementsAre("WorkflowExecutionStarted", "WorkflowExecutionCancelRequested",
                                         "WorkflowTaskScheduled", "WorkflowTaskStarted"));
}

// As measured on Temporal: the wait is part of the time that the execution has.
TEST(FirstWait, IsPartOfTheExecutionTimeout) {
  Driver d;
  d.start("w", [](auto& request) {
    request.mutable_workflow_start_delay()->set_seconds(3600);
    request.mutable_workflow_execution_timeout()->set_seconds(2 * 3600);
  });
  const auto started = d.history("w").events(0);
  EXPECT_EQ(
      started.workflow_execution_started_event_attributes().workflow_execution_expiration_time().seconds(),
      started.event_time().seconds() + 2 * 3600);
  d.start("short", [](auto& request) {
    request.mutable_workflow_start_delay()->set_seconds(3600);
    request.mutable_workflow_execution_timeout()->set_seconds(60);
  });
  d.advance(61 * kSecond);
  EXPECT_THAT(d.events("short"), ElementsAre("WorkflowExecutionStarted", "WorkflowExecutionTimedOut"));
}

TEST(FirstWait, OfACronEndsWithARequestToCancel) {
  Driver d;
  d.start("w", [](auto& request) { request.set_cron_schedule("0 0 1 1 *"); });
  cancel(d);
  EXPECT_EQ(tasks(d), 1u);
}

TEST(FirstWait, EndsWithASignalWithStart) {
  Driver d;
  start_delayed(d);
  const auto answer = d.call<ws::SignalWithStartWorkflowExecutionResponse>(
      api::Method::kSignalWithStartWorkflowExecution, signal_with_start());
  EXPECT_FALSE(answer.started());
  d.complete(d.workflow_task().task_token(), {});
  d.advance(kHour);
  EXPECT_EQ(d.events("w").size(), 5u) << "the rest of the wait is dropped";
}

TEST(FirstWait, OfTheRunThatASignalWithStartStartsIsKept) {
  Driver d;
  auto request = signal_with_start();
  request.mutable_workflow_start_delay()->set_seconds(3600);
  d.call<ws::SignalWithStartWorkflowExecutionResponse>(api::Method::kSignalWithStartWorkflowExecution,
                                                       request);
  auto parked = d.poll_workflow();
  EXPECT_FALSE(parked->done());
  d.advance(kHour);
  EXPECT_TRUE(parked->done());
}

TEST(FirstWait, EndsWithAnUpdateWhoseTaskIsWritten) {
  Driver d;
  start_delayed(d);
  d.send(api::Method::kUpdateWorkflowExecution, change("u"));
  const auto task = d.workflow_task();
  ASSERT_EQ(task.messages_size(), 1);
  EXPECT_THAT(d.events("w"),
              ElementsAre("WorkflowExecutionStarted", "WorkflowTaskScheduled", "WorkflowTaskStarted"));
}

TEST(FirstWait, EndsWithAnUpdateWithStart) {
  Driver d;
  start_delayed(d);
  ws::ExecuteMultiOperationRequest request;
  request.set_namespace_("default");
  *request.add_operations()->mutable_start_workflow() = Driver::start_request("w", [](auto& start) {
    start.set_request_id("another");
    start.set_workflow_id_conflict_policy(enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING);
  });
  *request.add_operations()->mutable_update_workflow() = change("u");
  d.send(api::Method::kExecuteMultiOperation, request);
  EXPECT_EQ(d.workflow_task().messages_size(), 1);
}

TEST(FirstWait, IsKeptByAPlainSignal) {
  Driver d;
  start_delayed(d);
  d.signal("w", "go");
  auto parked = d.poll_workflow();
  EXPECT_FALSE(parked->done());
  d.crash();
  parked = d.poll_workflow();
  d.advance(kHour);
  EXPECT_EQ(Driver::take<ws::PollWorkflowTaskQueueResponse>(parked).history().events(1).event_type(),
            enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED);
}

}  // namespace
}  // namespace holdfast::engine
