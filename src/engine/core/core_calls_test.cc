// Single calls at their edges: what a worker or client may send that nobody expects, and what Temporal
// answers.

#include <gmock/gmock.h>

#include <algorithm>

#include "engine/core_driver.h"

namespace holdfast::engine {
namespace {

using history::kSecond;
using ::testing::Contains;
using testing::Driver;
using ::testing::ElementsAre;
using testing::sticky;

void shut_down(Driver& d, const std::string& sticky_queue) {
  ws::ShutdownWorkerRequest request;
  request.set_namespace_("default");
  request.set_sticky_task_queue(sticky_queue);
  request.set_identity("worker");
  d.call<ws::ShutdownWorkerResponse>(api::Method::kShutdownWorker, request);
}

// The answer is there before the caller gives up.
TEST(Poll, EndsEmptyBeforeItsDeadline) {
  Driver d;
  ws::PollWorkflowTaskQueueRequest request;
  request.set_namespace_("default");
  request.mutable_task_queue()->set_name("q");
  testing::Pending pending;
  Call call;
  call.method = api::Method::kPollWorkflowTaskQueue;
  call.request = std::make_unique<ws::PollWorkflowTaskQueueRequest>(request);
  const MonotonicTime deadline = d.clock.monotonic() + std::chrono::seconds(30);
  call.options.deadline = deadline;
  call.done = [&pending](Result<api::MessagePtr> result) { pending.result = std::move(result); };
  d.core->submit(std::move(call));
  d.advance(28 * kSecond);
  EXPECT_FALSE(pending.done());
  EXPECT_NE(d.core->next_deadline(), 0) << "the host wakes for it";
  d.advance(d.core->next_deadline() - d.clock.ns);
  ASSERT_TRUE(pending.done());
  ASSERT_TRUE(*pending.result);
  EXPECT_TRUE(static_cast<ws::PollWorkflowTaskQueueResponse&>(***pending.result).task_token().empty());
  EXPECT_LT(d.clock.monotonic(), deadline);
}

TEST(ShutdownWorker, NormalQueueKeepsItsTasks) {
  Driver d;
  d.start("w1");
  d.start("w2");
  shut_down(d, "q");
  EXPECT_EQ(d.workflow_task().workflow_execution().workflow_id(), "w1");
  EXPECT_EQ(d.workflow_task().workflow_execution().workflow_id(), "w2");
}

TEST(ShutdownWorker, StickyTasksGoToEverybodyAtOnce) {
  Driver d;
  d.start("w");
  auto task = d.workflow_task();
  auto parked = d.poll_workflow("sticky");
  d.core->cancel(parked->id);
  complete_sticky(d, task.task_token(), {Driver::start_timer("t", 1)});
  d.advance(kSecond);  // the timer's task waits on the sticky queue
  auto normal = d.poll_workflow();
  EXPECT_FALSE(normal->done());
  shut_down(d, "sticky");
  EXPECT_EQ(Driver::take<ws::PollWorkflowTaskQueueResponse>(normal).history().events(0).event_id(), 1);
}

void fail_activity(Driver& d, const std::string& token, const google::protobuf::Duration* delay) {
  ws::RespondActivityTaskFailedRequest request;
  request.set_namespace_("default");
  request.set_task_token(token);
  auto& info = *request.mutable_failure()->mutable_application_failure_info();
  if (delay != nullptr) *info.mutable_next_retry_delay() = *delay;
  d.call<ws::RespondActivityTaskFailedResponse>(api::Method::kRespondActivityTaskFailed, request);
}

TEST(ActivityCalls, NegativeRetryDelayMeansAtOnce) {
  Driver d;
  d.start("w");
  d.complete(d.workflow_task().task_token(), {Driver::schedule_activity("a")});
  google::protobuf::Duration delay;
  delay.set_nanos(-5'000'000);
  fail_activity(d, d.activity_task().task_token(), &delay);
  auto again = d.activity_task();
  EXPECT_EQ(again.attempt(), 2);
  d.complete_activity(again.task_token(), "ok");
  EXPECT_THAT(d.events("w"), Contains("ActivityTaskCompleted"));
}

TEST(ActivityCalls, WhoFailsIsToldWhatWasNotTakenAsItWasSent) {
  Driver d;
  d.start("w");
  d.complete(d.workflow_task().task_token(), {Driver::schedule_activity("a")});
  ws::RespondActivityTaskFailedRequest request;
  request.set_namespace_("default");
  request.set_task_token(d.activity_task().task_token());
  request.mutable_failure()->mutable_application_failure_info();
  request.mutable_failure()->set_message(std::string(3 << 20, 'x'));
  request.mutable_last_heartbeat_details()->add_payloads()->set_data(std::string(3 << 20, 'x'));
  const auto told =
      d.call<ws::RespondActivityTaskFailedResponse>(api::Method::kRespondActivityTaskFailed, request);
  ASSERT_EQ(told.failures_size(), 2);
  EXPECT_EQ(told.failures(0).message(), "Heartbeat details exceed size limit.");
  EXPECT_EQ(told.failures(1).message(), "Failure exceeds size limit.");
  EXPECT_THAT(d.events("w"), Contains("ActivityTaskFailed"));
}

ws::RespondActivityTaskCompletedByIdRequest completed_by_id() {
  ws::RespondActivityTaskCompletedByIdRequest request;
  request.set_namespace_("default");
  request.set_workflow_id("w");
  request.set_activity_id("a");
  request.set_identity("operator");
  return request;
}

// The started and the completed event of the only activity.
void expect_completed_by_operator(Driver& d, std::int32_t attempt) {
  const auto history = d.history("w");
  const auto started = std::find_if(history.events().begin(), history.events().end(), [](const auto& event) {
    return event.event_type() == enums::EVENT_TYPE_ACTIVITY_TASK_STARTED;
  });
  ASSERT_NE(started, history.events().end());
  EXPECT_EQ(started->activity_task_started_event_attributes().identity(), "operator");
  EXPECT_EQ(started->activity_task_started_event_attributes().attempt(), attempt);
  const auto& completed = *std::next(started);
  EXPECT_EQ(completed.activity_task_completed_event_attributes().started_event_id(), started->event_id());
}

TEST(ActivityCalls, CompletedByIdBeforeAnybodyTookIt) {
  Driver d;
  d.start("w");
  d.complete(d.workflow_task().task_token(), {Driver::schedule_activity("a")});
  d.call<ws::RespondActivityTaskCompletedByIdResponse>(api::Method::kRespondActivityTaskCompletedById,
                                                       completed_by_id());
  expect_completed_by_operator(d, 1);
  EXPECT_FALSE(d.poll_activity()->done());  // its task is stale
}

TEST(ActivityCalls, CompletedByIdBetweenTwoAttempts) {
  Driver d;
  d.start("w");
  d.complete(d.workflow_task().task_token(), {Driver::schedule_activity("a")});
  fail_activity(d, d.activity_task().task_token(), nullptr);
  d.call<ws::RespondActivityTaskCompletedByIdResponse>(api::Method::kRespondActivityTaskCompletedById,
                                                       completed_by_id());
  expect_completed_by_operator(d, 2);
  d.advance(10 * kSecond);
  EXPECT_FALSE(d.poll_activity()->done());
}

// Refused, it would be lost, and the activity would run into its timeout.
TEST(ActivityCalls, AFailureThatIsTooLargeEndsTheActivity) {
  Driver d;
  d.start("w");
  d.complete(d.workflow_task().task_token(), {Driver::schedule_activity("a")});
  ws::RespondActivityTaskFailedRequest failed;
  failed.set_namespace_("default");
  failed.set_task_token(d.activity_task().task_token());
  failed.mutable_failure()->set_message(std::string(3 << 20, 'm'));
  failed.mutable_failure()->set_stack_trace(std::string(3 << 20, 's'));
  d.call<ws::RespondActivityTaskFailedResponse>(api::Method::kRespondActivityTaskFailed, failed);
  const auto task = d.workflow_task();
  const auto& told = task.history().events(task.history().events_size() - 3);
  ASSERT_TRUE(told.has_activity_task_failed_event_attributes()) << told.DebugString();
  EXPECT_EQ(told.activity_task_failed_event_attributes().failure().message(), "Failure exceeds size limit.");
  EXPECT_TRUE(told.activity_task_failed_event_attributes().failure().cause().message().starts_with("mmm"));
}

TEST(ActivityCalls, OnlyACompletionNeedsNoAttempt) {
  Driver d;
  d.start("w");
  d.complete(d.workflow_task().task_token(), {Driver::schedule_activity("a")});
  ws::RespondActivityTaskFailedByIdRequest failed;
  failed.set_namespace_("default");
  failed.set_workflow_id("w");
  failed.set_activity_id("a");
  EXPECT_EQ(d.error(api::Method::kRespondActivityTaskFailedById, failed).code(), Code::kNotFound);
  auto too_large = completed_by_id();
  too_large.mutable_result()->add_payloads()->set_data(std::string(3 << 20, 'x'));
  EXPECT_EQ(d.error(api::Method::kRespondActivityTaskCompletedById, too_large).code(), Code::kNotFound);
}

TEST(CronCalls, EveryCountsFromWhenTheRunWasDue) {
  Driver d;
  d.start("w", [](auto& r) { r.set_cron_schedule("@every 4s"); });
  const std::int64_t begin = d.clock.ns;
  std::vector<std::int64_t> due;
  for (int i = 0; i < 4; ++i) {
    auto parked = d.poll_workflow();
    while (!parked->done()) d.advance(kSecond);
    due.push_back((d.clock.ns - begin) / kSecond);
    auto task = Driver::take<ws::PollWorkflowTaskQueueResponse>(parked);
    d.advance(2 * kSecond);
    d.complete(task.task_token(), {Driver::complete_workflow()});
  }
  EXPECT_THAT(due, ElementsAre(4, 8, 12, 16));
}

TEST(HistoryCalls, ReversePagesKeepTheByteLimit) {
  CoreOptions options;
  options.limits.page_bytes = 1000;
  Driver d(options);
  d.start("w");
  Driver::Commands commands;
  for (int i = 0; i < 40; ++i) {
    commands.push_back(Driver::start_timer(std::to_string(i) + std::string(i == 20 ? 900 : 100, 'x'), 100));
  }
  d.complete(d.workflow_task().task_token(), commands);
  d.crash();
  ws::GetWorkflowExecutionHistoryReverseRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id("w");
  std::int64_t expected = 44;
  int pages = 0;
  do {
    const auto page = d.call<ws::GetWorkflowExecutionHistoryReverseResponse>(
        api::Method::kGetWorkflowExecutionHistoryReverse, request);
    ASSERT_GT(page.history().events_size(), 0);
    EXPECT_LE(page.history().ByteSizeLong(), 1100u);
    for (const auto& event : page.history().events()) EXPECT_EQ(event.event_id(), expected--);
    request.set_next_page_token(page.next_page_token());
    ++pages;
  } while (!request.next_page_token().empty());
  EXPECT_EQ(expected, 0);
  EXPECT_LT(pages, 20);
}

TEST(HistoryCalls, NoEventIdIsShownTwice) {
  Driver d;
  d.start("w");
  ws::RespondWorkflowTaskFailedRequest failed;
  failed.set_namespace_("default");
  failed.set_task_token(d.workflow_task().task_token());
  d.call<ws::RespondWorkflowTaskFailedResponse>(api::Method::kRespondWorkflowTaskFailed, failed);
  EXPECT_EQ(d.events("w").size(), 5u);  // the transient task is shown
  d.signal("w", "s");
  EXPECT_EQ(d.events("w").back(), "WorkflowExecutionSignaled");
  EXPECT_EQ(d.workflow_task().attempt(), 1);
}

ws::SignalWithStartWorkflowExecutionRequest signal_with_start() {
  ws::SignalWithStartWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.set_workflow_id("w");
  request.mutable_workflow_type()->set_name("order");
  request.mutable_task_queue()->set_name("q");
  request.set_signal_name("go");
  return request;
}

TEST(SignalCalls, OneTooManyIsNothingToTryAgain) {
  CoreOptions options;
  options.limits.execution.signals = 2;
  Driver d(options);
  d.start("w");
  d.signal("w", "s");
  d.signal("w", "s");
  ws::SignalWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.mutable_workflow_execution()->set_workflow_id("w");
  request.set_signal_name("s");
  EXPECT_EQ(d.error(api::Method::kSignalWorkflowExecution, request).code(), Code::kInvalidArgument);
  EXPECT_EQ(d.error(api::Method::kSignalWithStartWorkflowExecution, signal_with_start()).code(),
            Code::kInvalidArgument);
  EXPECT_EQ(d.events("w").size(), 4u);
}

TEST(SignalCalls, SignalWithStartHasTheLimitsOfASignal) {
  Driver d;
  auto request = signal_with_start();
  request.set_signal_name(std::string(1001, 'x'));
  EXPECT_EQ(d.error(api::Method::kSignalWithStartWorkflowExecution, request).code(), Code::kInvalidArgument);
  request = signal_with_start();
  request.mutable_signal_input()->add_payloads()->set_data(std::string(3 << 20, 'x'));
  EXPECT_EQ(d.error(api::Method::kSignalWithStartWorkflowExecution, request).code(), Code::kInvalidArgument);
  EXPECT_TRUE(d.call<ws::SignalWithStartWorkflowExecutionResponse>(
                   api::Method::kSignalWithStartWorkflowExecution, signal_with_start())
                  .started());
}

TEST(TimerCalls, CancelThatTakesBackTheOnlyNewsNeedsNoTask) {
  Driver d;
  d.start("w");
  d.complete(d.workflow_task().task_token(), {Driver::start_timer("t", 1)});
  d.signal("w", "s");
  auto task = d.workflow_task();
  d.advance(kSecond);  // fires while the task is out
  pb::command::v1::Command command;
  command.set_command_type(enums::COMMAND_TYPE_CANCEL_TIMER);
  command.mutable_cancel_timer_command_attributes()->set_timer_id("t");
  d.complete(task.task_token(), {command});
  EXPECT_EQ(d.events("w").back(), "TimerCanceled");
}

// A newer worker's, or nobody's: the task fails and says which.
TEST(CommandCalls, WhatNobodyKnowsIsSaidByItsNumber) {
  for (const int type : {-1, 0, 50, 99}) {
    Driver d;
    d.start("w");
    auto task = d.workflow_task();
    ws::RespondWorkflowTaskCompletedRequest request;
    request.set_namespace_("default");
    request.set_task_token(task.task_token());
    request.add_commands()->set_command_type(static_cast<enums::CommandType>(type));
    const Status status = d.error(api::Method::kRespondWorkflowTaskCompleted, request);
    EXPECT_EQ(status.code(), Code::kInvalidArgument) << type;
    EXPECT_THAT(status.message(), ::testing::HasSubstr(type == 0 ? "Unspecified" : std::to_string(type)));
  }
}

}  // namespace
}  // namespace holdfast::engine
