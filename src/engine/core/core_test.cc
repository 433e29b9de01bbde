// The core, driven call by call over a real RocksDB: histories are compared event by event with what Temporal
// writes, and the same steps are repeated with a crash after every commit.

#include <gmock/gmock.h>

#include "engine/core_driver.h"

namespace holdfast::engine {
namespace {

using testing::Driver;
using ::testing::ElementsAre;

TEST(Core, ActivityTimerComplete) {
  Driver d;
  const auto started = d.start("w");
  EXPECT_TRUE(started.started());
  auto task = d.workflow_task();
  EXPECT_EQ(task.started_event_id(), 3);
  EXPECT_EQ(task.history().events_size(), 3);
  d.complete(task.task_token(), {Driver::schedule_activity("a")});
  auto activity = d.activity_task();
  EXPECT_EQ(activity.input().payloads(0).data(), "input-a");
  EXPECT_EQ(activity.attempt(), 1);
  d.complete_activity(activity.task_token(), "ok");
  task = d.workflow_task();
  EXPECT_EQ(task.previous_started_event_id(), 3);
  d.complete(task.task_token(), {Driver::start_timer("t", 5)});
  d.advance(5 * history::kSecond);
  task = d.workflow_task();
  d.complete(task.task_token(), {Driver::complete_workflow()});
  EXPECT_THAT(d.events("w"),
              ElementsAre("WorkflowExecutionStarted", "WorkflowTaskScheduled", "WorkflowTaskStarted",
                          "WorkflowTaskCompleted", "ActivityTaskScheduled", "ActivityTaskStarted",
                          "ActivityTaskCompleted", "WorkflowTaskScheduled", "WorkflowTaskStarted",
                          "WorkflowTaskCompleted", "TimerStarted", "TimerFired", "WorkflowTaskScheduled",
                          "WorkflowTaskStarted", "WorkflowTaskCompleted", "WorkflowExecutionCompleted"));
}

TEST(Core, EventsShowWhatWasSetAndNothingElse) {
  Driver d;
  d.start("w");
  auto command = Driver::start_timer("t", 5);
  command.mutable_user_metadata()->mutable_summary()->set_data("why we wait");
  d.complete(d.workflow_task().task_token(), {command});
  const auto history = d.history("w");
  const auto& started = history.events(0).workflow_execution_started_event_attributes();
  EXPECT_FALSE(started.has_workflow_execution_timeout());
  EXPECT_FALSE(started.has_workflow_run_timeout());
  EXPECT_TRUE(started.has_workflow_task_timeout());
  EXPECT_EQ(history.events(4).user_metadata().summary().data(), "why we wait");
}

// Whatever the command is, its event has what is said of it; nothing goes to a neighbour.
TEST(Core, EventsShowWhatTheirCommandsSay) {
  Driver d;
  d.start("w");
  d.complete(d.workflow_task().task_token(), {Driver::start_timer("t", 500), Driver::schedule_activity("a")});
  d.signal("w", "go on");
  const auto command = [](enums::CommandType type, const std::string& summary) {
    pb::command::v1::Command made;
    made.set_command_type(type);
    if (!summary.empty()) made.mutable_user_metadata()->mutable_summary()->set_data(summary);
    if (!summary.empty()) made.add_event_group_markers()->mutable_label()->set_id("group of " + summary);
    return made;
  };
  auto cancel_timer = command(enums::COMMAND_TYPE_CANCEL_TIMER, "no timer");
  cancel_timer.mutable_cancel_timer_command_attributes()->set_timer_id("t");
  // Nobody has it: its end comes with the request, and is no command's.
  auto cancel_activity = command(enums::COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK, "no activity");
  cancel_activity.mutable_request_cancel_activity_task_command_attributes()->set_scheduled_event_id(6);
  auto again = command(enums::COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION, "");
  again.mutable_request_cancel_external_workflow_execution_command_attributes()->set_workflow_id("other");
  auto child = command(enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION, "child");
  child.mutable_start_child_workflow_execution_command_attributes()->set_workflow_id("child");
  child.mutable_start_child_workflow_execution_command_attributes()->mutable_workflow_type()->set_name("c");
  child.mutable_start_child_workflow_execution_command_attributes()->set_control("control");
  auto end = Driver::complete_workflow();
  end.mutable_user_metadata()->mutable_summary()->set_data("the end");
  d.complete(d.workflow_task().task_token(), {cancel_timer, cancel_activity, again, child, end});
  std::map<std::string, std::string> said;
  for (const auto& event : d.history("w").events()) {
    const std::string summary = event.user_metadata().summary().data();
    if (!summary.empty()) said[Driver::short_name(event.event_type())] = summary;
    ASSERT_LE(event.event_group_markers_size(), 1);
    if (event.event_group_markers_size() == 1)
      EXPECT_EQ(event.event_group_markers(0).label().id(), "group of " + summary);
    if (event.has_start_child_workflow_execution_initiated_event_attributes())
      EXPECT_EQ(event.start_child_workflow_execution_initiated_event_attributes().control(), "control");
  }
  EXPECT_EQ(said, (std::map<std::string, std::string>{
                      {"TimerCanceled", "no timer"},
                      {"ActivityTaskCancelRequested", "no activity"},
                      {"StartChildWorkflowExecutionInitiated", "child"},
                      {"WorkflowExecutionCompleted", "the end"},
                  }));
}

TEST(Core, EveryStepSurvivesACrashBehindIt) {
  Driver d;
  d.start("w");
  d.crash();
  auto task = d.workflow_task();
  d.crash();
  d.complete(task.task_token(), {Driver::schedule_activity("a")});
  d.crash();
  auto activity = d.activity_task();
  d.crash();
  d.complete_activity(activity.task_token(), "ok");
  d.crash();
  task = d.workflow_task();
  EXPECT_EQ(task.history().events_size(), 9);
  d.complete(task.task_token(), {Driver::start_timer("t", 5)});
  d.crash();
  d.advance(5 * history::kSecond);
  d.crash();
  task = d.workflow_task();
  d.complete(task.task_token(), {Driver::complete_workflow()});
  d.crash();
  EXPECT_EQ(d.events("w").size(), 16u);
}

TEST(Core, SameRequestIdStartsOnce) {
  Driver d;
  const auto first = d.start("w");
  const auto again = d.start("w");
  EXPECT_EQ(first.run_id(), again.run_id());
  EXPECT_TRUE(again.started());
  const Status other = d.error(api::Method::kStartWorkflowExecution,
                               Driver::start_request("w", [](auto& r) { r.set_request_id("other"); }));
  EXPECT_EQ(other.code(), Code::kAlreadyExists);
  ASSERT_EQ(other.details().size(), 1u);
  EXPECT_EQ(other.details()[0].type_url,
            "type.googleapis.com/temporal.api.errordetails.v1.WorkflowExecutionAlreadyStartedFailure");
}

TEST(Core, NothingIsAnsweredBeforeItsCommit) {
  Driver d;
  d.auto_commit = false;
  auto pending = d.send(api::Method::kStartWorkflowExecution, Driver::start_request("w"));
  EXPECT_FALSE(pending->done());
  // The failure of a second one rests on the first, which is not durable: it waits as well.
  auto refused = d.send(api::Method::kStartWorkflowExecution,
                        Driver::start_request("w", [](auto& r) { r.set_request_id("other"); }));
  EXPECT_FALSE(refused->done());
  d.commit();
  EXPECT_TRUE(pending->done());
  EXPECT_TRUE(refused->done());
}

TEST(Core, UncommittedStartIsGoneAfterACrash) {
  Driver d;
  d.auto_commit = false;
  d.send(api::Method::kStartWorkflowExecution, Driver::start_request("w"));
  d.crash();
  d.auto_commit = true;
  ws::DescribeWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id("w");
  EXPECT_EQ(d.error(api::Method::kDescribeWorkflowExecution, request).code(), Code::kNotFound);
}

TEST(Core, SignalsWhileATaskRunsComeBehindIt) {
  Driver d;
  d.start("w");
  auto task = d.workflow_task();
  d.signal("w", "s", "r1");
  d.signal("w", "s", "r1");  // sent twice, taken once
  EXPECT_EQ(d.events("w").size(), 3u);
  // The workflow may not close without having seen it.
  const Status unhandled = d.error(api::Method::kRespondWorkflowTaskCompleted,
                                   Driver::completion(task.task_token(), {Driver::complete_workflow()}));
  EXPECT_EQ(unhandled.code(), Code::kInvalidArgument);
  task = d.workflow_task();
  d.complete(task.task_token(), {Driver::complete_workflow()});
  EXPECT_THAT(d.events("w"),
              ElementsAre("WorkflowExecutionStarted", "WorkflowTaskScheduled", "WorkflowTaskStarted",
                          "WorkflowTaskFailed", "WorkflowExecutionSignaled", "WorkflowTaskScheduled",
                          "WorkflowTaskStarted", "WorkflowTaskCompleted", "WorkflowExecutionCompleted"));
}

TEST(Core, ActivityRetriesThenFails) {
  Driver d;
  d.start("w");
  auto task = d.workflow_task();
  auto command = Driver::schedule_activity("a");
  auto& policy = *command.mutable_schedule_activity_task_command_attributes()->mutable_retry_policy();
  policy.set_maximum_attempts(2);
  d.complete(task.task_token(), {command});
  for (int attempt = 1; attempt <= 2; ++attempt) {
    auto activity = d.activity_task();
    EXPECT_EQ(activity.attempt(), attempt);
    ws::RespondActivityTaskFailedRequest failed;
    failed.set_namespace_("default");
    failed.set_task_token(activity.task_token());
    failed.mutable_failure()->set_message("no");
    failed.mutable_failure()->mutable_application_failure_info()->set_type("T");
    d.call<ws::RespondActivityTaskFailedResponse>(api::Method::kRespondActivityTaskFailed, failed);
    // The token of an attempt that ended is worth nothing.
    EXPECT_EQ(d.error(api::Method::kRespondActivityTaskFailed, failed).code(), Code::kNotFound);
    d.advance(history::kSecond);
  }
  const auto history = d.history("w");
  ASSERT_EQ(history.events_size(), 8);
  const auto& started = history.events(5).activity_task_started_event_attributes();
  EXPECT_EQ(started.attempt(), 2);
  EXPECT_EQ(started.last_failure().message(), "no");
  const auto& failed = history.events(6).activity_task_failed_event_attributes();
  EXPECT_EQ(failed.retry_state(), enums::RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED);
}

TEST(Core, WorkInsideADeadProcessIsTakenUpAtOnce) {
  Driver d;
  d.start("w");
  auto task = Driver::take<ws::PollWorkflowTaskQueueResponse>(d.poll_workflow("q", true));
  d.crash();
  auto again = Driver::take<ws::PollWorkflowTaskQueueResponse>(d.poll_workflow("q", true));
  EXPECT_EQ(again.attempt(), 2);
  d.complete(again.task_token(), {Driver::schedule_activity("a")});
  auto activity = Driver::take<ws::PollActivityTaskQueueResponse>(d.poll_activity(true));
  EXPECT_EQ(activity.attempt(), 1);
  d.crash();
  activity = Driver::take<ws::PollActivityTaskQueueResponse>(d.poll_activity(true));
  EXPECT_EQ(activity.attempt(), 2);
}

TEST(Core, OneEmbeddedStepIsOneCommit) {
  Driver d;
  d.start("w");
  auto task = Driver::take<ws::PollWorkflowTaskQueueResponse>(d.poll_workflow("q", true));
  auto activities = d.poll_activity(true);
  d.complete(task.task_token(), {Driver::schedule_activity("a")});
  auto activity = Driver::take<ws::PollActivityTaskQueueResponse>(activities);
  auto workflows = d.poll_workflow("q", true);
  activities = d.poll_activity(true);
  const int before = d.commits;
  d.auto_commit = false;
  ws::RespondActivityTaskCompletedRequest done;
  done.set_task_token(activity.task_token());
  auto answered = d.send(api::Method::kRespondActivityTaskCompleted, done);
  ASSERT_TRUE(workflows->done());  // early: before its cause is durable
  EXPECT_FALSE(answered->done());
  task = Driver::take<ws::PollWorkflowTaskQueueResponse>(workflows);
  d.send(api::Method::kRespondWorkflowTaskCompleted,
         Driver::completion(task.task_token(), {Driver::schedule_activity("b")}));
  EXPECT_FALSE(activities->done());  // an activity leaves only when it is durable
  d.commit();
  EXPECT_EQ(d.commits, before + 1);
  EXPECT_TRUE(answered->done());
  EXPECT_EQ(Driver::take<ws::PollActivityTaskQueueResponse>(activities).activity_id(), "b");
}

CoreOptions with_pure_activities() {
  CoreOptions options;
  options.limits.pure_activities = {"charge"};
  return options;
}

// A pure activity between two others: both its schedule and its end are part of one commit.
TEST(Core, APureActivityNeedsNoCommitOfItsOwn) {
  Driver d(with_pure_activities());
  d.start("w");
  auto task = Driver::take<ws::PollWorkflowTaskQueueResponse>(d.poll_workflow("q", true));
  auto activities = d.poll_activity(true);
  auto workflows = d.poll_workflow("q", true);
  const int before = d.commits;
  d.auto_commit = false;
  d.send(api::Method::kRespondWorkflowTaskCompleted,
         Driver::completion(task.task_token(), {Driver::schedule_activity("a")}));
  ASSERT_TRUE(activities->done());  // before its schedule is durable
  EXPECT_EQ(d.core->early_tasks_out(), 1u);
  auto activity = Driver::take<ws::PollActivityTaskQueueResponse>(activities);
  EXPECT_EQ(activity.attempt(), 1);
  ws::RespondActivityTaskCompletedRequest done;
  done.set_task_token(activity.task_token());
  auto answered = d.send(api::Method::kRespondActivityTaskCompleted, done);
  ASSERT_TRUE(workflows->done());
  EXPECT_FALSE(answered->done());
  EXPECT_EQ(d.core->early_tasks_out(), 1u);  // the workflow's
  d.commit();
  EXPECT_EQ(d.commits, before + 1);
  EXPECT_TRUE(answered->done());
}

TEST(Core, ABatchWaitsForNoPureActivityOfTheOneBefore) {
  Driver d(with_pure_activities());
  d.start("w");
  auto task = Driver::take<ws::PollWorkflowTaskQueueResponse>(d.poll_workflow("q", true));
  auto activities = d.poll_activity(true);
  d.complete(task.task_token(), {Driver::schedule_activity("a")});
  ASSERT_TRUE(activities->done());
  EXPECT_EQ(d.core->early_tasks_out(), 0u);
}

// Whoever is not part of the process gets it when it is durable, as every other.
TEST(Core, APureActivityLeavesTheProcessOnlyWhenItIsDurable) {
  Driver d(with_pure_activities());
  d.start("w");
  auto task = Driver::take<ws::PollWorkflowTaskQueueResponse>(d.poll_workflow());
  auto activities = d.poll_activity();
  d.auto_commit = false;
  d.send(api::Method::kRespondWorkflowTaskCompleted,
         Driver::completion(task.task_token(), {Driver::schedule_activity("a")}));
  EXPECT_FALSE(activities->done());
  d.commit();
  EXPECT_TRUE(activities->done());
}

// The process dies with the activity and with what caused it: both come again, and nobody has seen the first.
TEST(Core, APureActivityWhoseScheduleWasLostIsScheduledAgain) {
  Driver d(with_pure_activities());
  d.start("w");
  auto task = Driver::take<ws::PollWorkflowTaskQueueResponse>(d.poll_workflow("q", true));
  auto activities = d.poll_activity(true);
  d.auto_commit = false;
  d.send(api::Method::kRespondWorkflowTaskCompleted,
         Driver::completion(task.task_token(), {Driver::schedule_activity("a")}));
  ASSERT_TRUE(activities->done());
  auto lost = Driver::take<ws::PollActivityTaskQueueResponse>(activities);
  d.crash();
  d.auto_commit = true;
  ws::RespondActivityTaskCompletedRequest done;
  done.set_task_token(lost.task_token());
  EXPECT_EQ(d.error(api::Method::kRespondActivityTaskCompleted, done).code(), Code::kNotFound);
  task = Driver::take<ws::PollWorkflowTaskQueueResponse>(d.poll_workflow("q", true));
  activities = d.poll_activity(true);
  d.complete(task.task_token(), {Driver::schedule_activity("a")});
  auto again = Driver::take<ws::PollActivityTaskQueueResponse>(activities);
  EXPECT_EQ(again.attempt(), 1);
  d.complete_activity(again.task_token(), "done");
  // And one whose schedule was durable, but whose process died, is a second attempt.
  task = Driver::take<ws::PollWorkflowTaskQueueResponse>(d.poll_workflow("q", true));
  activities = d.poll_activity(true);
  d.complete(task.task_token(), {Driver::schedule_activity("b")});
  ASSERT_TRUE(activities->done());
  d.crash();
  EXPECT_EQ(Driver::take<ws::PollActivityTaskQueueResponse>(d.poll_activity(true)).attempt(), 2);
}

}  // namespace
}  // namespace holdfast::engine
