// Goal: a task that was handed to somebody who was gone goes to the next poll at once, as if it had waited,
// and nothing is lost or done twice by it. Method: tasks are polled, and their answers come back undelivered.

#include <gtest/gtest.h>

#include "engine/core_driver.h"

namespace holdfast::engine {
namespace {

using testing::Driver;
using Names = std::vector<std::string>;
using M = api::Method;

template <typename Response>
void give_back(Driver& d, api::Method method, const Response& answer) {
  d.core->undelivered(method, answer);
  for (auto& release : d.core->take_early()) release.run();
  d.commit();
}

enums::PendingWorkflowTaskState task_state(Driver& d) {
  ws::DescribeWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id("w");
  return d.call<ws::DescribeWorkflowExecutionResponse>(M::kDescribeWorkflowExecution, request)
      .pending_workflow_task()
      .state();
}

// A run whose activities wait for a poll.
void schedule(Driver& d, const Names& activities) {
  d.start("w");
  Driver::Commands commands;
  for (const auto& id : activities) commands.push_back(Driver::schedule_activity(id));
  d.complete(d.workflow_task().task_token(), std::move(commands));
}

TEST(Undelivered, AnActivityGoesToTheNextPollBeforeTheOthers) {
  Driver d;
  schedule(d, {"a", "b"});
  const auto lost = d.activity_task();
  EXPECT_EQ(lost.activity_id(), "a");
  d.clock.ns += history::kSecond;
  give_back(d, M::kPollActivityTaskQueue, lost);
  const auto again = d.activity_task();
  EXPECT_EQ(again.activity_id(), "a");
  EXPECT_EQ(again.attempt(), 1) << "nobody had tried";
  EXPECT_EQ(again.input().payloads(0).data(), "input-a");
  give_back(d, M::kPollActivityTaskQueue, lost);  // an echo: another holds it now
  EXPECT_EQ(d.activity_task().activity_id(), "b");
  d.complete_activity(again.task_token(), "done");
  EXPECT_EQ(d.events("w"), (Names{"WorkflowExecutionStarted", "WorkflowTaskScheduled", "WorkflowTaskStarted",
                                  "WorkflowTaskCompleted", "ActivityTaskScheduled", "ActivityTaskScheduled",
                                  "ActivityTaskStarted", "ActivityTaskCompleted", "WorkflowTaskScheduled"}));
}

TEST(Undelivered, APollThatWaitsGetsIt) {
  Driver d;
  schedule(d, {"a"});
  const auto lost = d.activity_task();
  auto waiting = d.poll_activity();
  EXPECT_FALSE(waiting->done());
  give_back(d, M::kPollActivityTaskQueue, lost);
  EXPECT_EQ(Driver::take<ws::PollActivityTaskQueueResponse>(waiting).activity_id(), "a");
}

TEST(Undelivered, TheHandingBackSurvivesACrash) {
  Driver d;
  schedule(d, {"a"});
  give_back(d, M::kPollActivityTaskQueue, d.activity_task());
  d.crash();
  EXPECT_EQ(d.activity_task().activity_id(), "a");
}

TEST(Undelivered, AnActivityWhoseCancellationWasAskedForEnds) {
  Driver d;
  schedule(d, {"a"});
  const auto lost = d.activity_task();
  d.signal("w", "news");
  pb::command::v1::Command cancel;
  cancel.set_command_type(enums::COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK);
  cancel.mutable_request_cancel_activity_task_command_attributes()->set_scheduled_event_id(5);
  d.complete(d.workflow_task().task_token(), {cancel});
  give_back(d, M::kPollActivityTaskQueue, lost);
  const Names events = d.events("w");
  ASSERT_GE(events.size(), 2u);
  EXPECT_EQ(events[events.size() - 2], "ActivityTaskCanceled");
  EXPECT_FALSE(d.poll_activity()->done());
}

TEST(Undelivered, EagerTasksAreTakenBackToo) {
  Driver d;
  d.start("w");
  auto eager = Driver::schedule_activity("a");
  eager.mutable_schedule_activity_task_command_attributes()->set_request_eager_execution(true);
  const auto completed = d.complete(d.workflow_task().task_token(), {eager});
  ASSERT_EQ(completed.activity_tasks_size(), 1);
  auto waiting = d.poll_activity();
  EXPECT_FALSE(waiting->done());
  give_back(d, M::kRespondWorkflowTaskCompleted, completed);
  EXPECT_EQ(Driver::take<ws::PollActivityTaskQueueResponse>(waiting).activity_id(), "a");
}

TEST(Undelivered, AWorkflowTaskGoesToTheNextPollWithTheSameHistory) {
  Driver d;
  d.start("w");
  const auto lost = d.workflow_task();
  const Names written{"WorkflowExecutionStarted", "WorkflowTaskScheduled", "WorkflowTaskStarted"};
  EXPECT_EQ(task_state(d), enums::PENDING_WORKFLOW_TASK_STATE_STARTED);
  give_back(d, M::kPollWorkflowTaskQueue, lost);
  EXPECT_EQ(task_state(d), enums::PENDING_WORKFLOW_TASK_STATE_SCHEDULED);
  EXPECT_EQ(d.events("w"), written);
  // It waits as long as it has to, and other news wait with it.
  d.advance(3600 * history::kSecond);
  d.signal("w", "news");
  EXPECT_EQ(d.events("w"), written);
  const auto again = d.workflow_task();
  EXPECT_EQ(again.attempt(), 1);
  EXPECT_EQ(again.started_event_id(), lost.started_event_id());
  EXPECT_EQ(again.history().events_size(), 3);
  // Its time begins now.
  d.advance(9 * history::kSecond);
  d.complete(again.task_token(), {});
  EXPECT_EQ(d.events("w"),
            (Names{"WorkflowExecutionStarted", "WorkflowTaskScheduled", "WorkflowTaskStarted",
                   "WorkflowTaskCompleted", "WorkflowExecutionSignaled", "WorkflowTaskScheduled"}));
}

TEST(Undelivered, AWorkflowTaskThatNobodyHoldsIsNobodysToComplete) {
  Driver d;
  d.start("w");
  const auto lost = d.workflow_task();
  give_back(d, M::kPollWorkflowTaskQueue, lost);
  EXPECT_EQ(d.error(M::kRespondWorkflowTaskCompleted, Driver::completion(lost.task_token(), {})).code(),
            Code::kNotFound);
  d.crash();
  const auto again = d.workflow_task();
  EXPECT_EQ(again.started_event_id(), lost.started_event_id()) << "a crash keeps that it waits";
  d.advance(11 * history::kSecond);
  EXPECT_EQ(d.events("w").back(), "WorkflowTaskScheduled") << "who got it did not answer: its timeout came";
}

TEST(Undelivered, ATaskOfOneWorkersQueueGoesToAll) {
  Driver d;
  d.start("w");
  testing::complete_sticky(d, d.workflow_task().task_token(), {});
  auto sticky_poll = d.poll_workflow("sticky");
  d.signal("w", "news");
  const auto lost = Driver::take<ws::PollWorkflowTaskQueueResponse>(sticky_poll);
  EXPECT_NE(lost.history().events(0).event_id(), 1);
  give_back(d, M::kPollWorkflowTaskQueue, lost);
  EXPECT_FALSE(d.poll_workflow("sticky")->done());
  const auto again = d.workflow_task();
  EXPECT_EQ(again.history().events(0).event_id(), 1) << "another worker may have it, which knows nothing";
  d.complete(again.task_token(), {Driver::complete_workflow()});
}

TEST(Undelivered, ItsQueriesGoWithTheNextOne) {
  Driver d;
  d.start("w");
  d.complete(d.workflow_task().task_token(), {});
  d.signal("w", "news");
  auto asked = d.send(M::kQueryWorkflow, testing::ask("w"));
  const auto lost = d.workflow_task();
  EXPECT_EQ(lost.queries_size(), 1);
  give_back(d, M::kPollWorkflowTaskQueue, lost);
  const auto again = d.workflow_task();
  ASSERT_EQ(again.queries_size(), 1);
  auto completion = Driver::completion(again.task_token(), {});
  (*completion.mutable_query_results())[again.queries().begin()->first].set_result_type(
      enums::QUERY_RESULT_TYPE_ANSWERED);
  d.call<ws::RespondWorkflowTaskCompletedResponse>(M::kRespondWorkflowTaskCompleted, completion);
  EXPECT_TRUE(asked->done());
}

TEST(Undelivered, AQueryGoesToAnother) {
  Driver d;
  d.start("w");
  d.complete(d.workflow_task().task_token(), {Driver::complete_workflow()});
  auto asked = d.send(M::kQueryWorkflow, testing::ask("w"));
  const auto lost = d.workflow_task();
  EXPECT_TRUE(lost.has_query());
  give_back(d, M::kPollWorkflowTaskQueue, lost);
  EXPECT_TRUE(d.workflow_task().has_query());
}

TEST(Undelivered, WhatOpensWhileItWaitsEndsIt) {
  Driver d;
  d.options.limits.execution.buffered_events = 2;
  d.crash();
  d.start("w");
  give_back(d, M::kPollWorkflowTaskQueue, d.workflow_task());
  for (const char* id : {"1", "2", "3"}) d.signal("w", "news", id);
  const Names events = d.events("w");
  EXPECT_EQ(events[3], "WorkflowTaskFailed");
  EXPECT_EQ(events.back(), "WorkflowTaskScheduled");
  EXPECT_EQ(d.workflow_task().history().events_size(), 9);
}

TEST(Undelivered, AWorkersInTheProcessMayBeTakenBackBeforeItIsDurable) {
  Driver d;
  d.auto_commit = false;
  d.send(M::kStartWorkflowExecution, Driver::start_request("w"));
  auto inside = d.poll_workflow("q", true);
  ASSERT_TRUE(inside->done());
  EXPECT_EQ(d.core->early_tasks_out(), 1u);
  d.core->undelivered(M::kPollWorkflowTaskQueue, Driver::take<ws::PollWorkflowTaskQueueResponse>(inside));
  EXPECT_EQ(d.core->early_tasks_out(), 0u);
  d.auto_commit = true;
  EXPECT_EQ(d.workflow_task().workflow_execution().workflow_id(), "w");
}

}  // namespace
}  // namespace holdfast::engine
