// Sticky queues, queries, updates, children, chains of runs, timeouts: the rules that SDKs rest on, one by
// one.

#include <gmock/gmock.h>

#include "engine/core_driver.h"

namespace holdfast::engine {
namespace {

using history::kSecond;
using testing::add_command;
using testing::add_message;
using testing::ask;
using testing::change;
using ::testing::Contains;
using testing::continue_as_new;
using testing::Driver;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::sticky;

TEST(Sticky, GetsOnlyWhatIsNew) {
  Driver d;
  d.start("w");
  auto task = d.workflow_task();
  auto parked = d.poll_workflow("sticky");
  complete_sticky(d, task.task_token(), {Driver::start_timer("t", 1)});
  d.advance(kSecond);
  task = Driver::take<ws::PollWorkflowTaskQueueResponse>(parked);
  ASSERT_GT(task.history().events_size(), 0);
  EXPECT_EQ(task.history().events(0).event_id(), 4);
  EXPECT_EQ(task.workflow_execution_task_queue().name(), "q");
}

TEST(Sticky, TaskNobodyTakesGoesToEverybody) {
  Driver d;
  d.start("w");
  auto task = d.workflow_task();
  auto parked = d.poll_workflow("sticky");
  d.core->cancel(parked->id);
  d.commit();
  complete_sticky(d, task.task_token(), {Driver::start_timer("t", 1)});
  d.advance(kSecond);
  auto normal = d.poll_workflow("q");
  EXPECT_FALSE(normal->done());
  d.advance(10 * kSecond);
  task = Driver::take<ws::PollWorkflowTaskQueueResponse>(normal);
  EXPECT_EQ(task.history().events(0).event_id(), 1);
  EXPECT_EQ(task.attempt(), 1);
  EXPECT_THAT(d.events("w"), Contains("WorkflowTaskTimedOut"));
}

TEST(Query, GoesAloneWhenTheWorkflowRests) {
  Driver d;
  d.start("w");
  auto task = d.workflow_task();
  d.complete(task.task_token(), {Driver::start_timer("t", 100)});
  auto asked = d.send(api::Method::kQueryWorkflow, ask("w"));
  task = d.workflow_task();
  EXPECT_EQ(task.query().query_type(), "state");
  EXPECT_EQ(task.history().events_size(), 5);
  ws::RespondQueryTaskCompletedRequest answer;
  answer.set_task_token(task.task_token());
  answer.set_completed_type(enums::QUERY_RESULT_TYPE_ANSWERED);
  answer.mutable_query_result()->add_payloads()->set_data("42");
  d.call<ws::RespondQueryTaskCompletedResponse>(api::Method::kRespondQueryTaskCompleted, answer);
  EXPECT_EQ(Driver::take<ws::QueryWorkflowResponse>(asked).query_result().payloads(0).data(), "42");
  EXPECT_EQ(d.events("w").size(), 5u);
}

TEST(Query, TravelsWithTheTaskThatIsComing) {
  Driver d;
  d.start("w");
  auto asked = d.send(api::Method::kQueryWorkflow, ask("w"));
  EXPECT_EQ(d.error(api::Method::kQueryWorkflow, ask("w")).code(), Code::kResourceExhausted);
  auto task = d.workflow_task();
  ASSERT_EQ(task.queries_size(), 1);
  auto done = Driver::completion(task.task_token(), {Driver::start_timer("t", 100)});
  auto& result = (*done.mutable_query_results())[task.queries().begin()->first];
  result.set_result_type(enums::QUERY_RESULT_TYPE_FAILED);
  result.set_error_message("no");
  d.call<ws::RespondWorkflowTaskCompletedResponse>(api::Method::kRespondWorkflowTaskCompleted, done);
  ASSERT_TRUE(asked->done());
  EXPECT_EQ(asked->result->error().details()[0].type_url,
            "type.googleapis.com/temporal.api.errordetails.v1.QueryFailedFailure");
}

TEST(Update, AcceptedAndCompletedInOneTask) {
  Driver d;
  d.start("w");
  auto task = d.workflow_task();
  d.complete(task.task_token(), {Driver::start_timer("t", 100)});
  auto sent = d.send(api::Method::kUpdateWorkflowExecution, change("u"));
  EXPECT_EQ(d.history("w").events_size(), 6);  // the speculative task is shown, though not written
  task = d.workflow_task();
  ASSERT_EQ(task.messages_size(), 1);
  EXPECT_EQ(task.messages(0).id(), "u/request");
  EXPECT_EQ(task.messages(0).event_id(), task.started_event_id() - 1);
  auto done = Driver::completion(task.task_token(), {});
  pb::update::v1::Acceptance acceptance;
  acceptance.set_accepted_request_message_id("u/request");
  pb::update::v1::Response response;
  response.mutable_meta()->set_update_id("u");
  response.mutable_outcome()->mutable_success()->add_payloads()->set_data("yes");
  add_message(done, "u", "u/accept", acceptance);
  add_message(done, "u", "u/complete", response);
  add_command(done, "u/accept");
  add_command(done, "u/complete");
  d.call<ws::RespondWorkflowTaskCompletedResponse>(api::Method::kRespondWorkflowTaskCompleted, done);
  EXPECT_EQ(Driver::take<ws::UpdateWorkflowExecutionResponse>(sent).outcome().success().payloads(0).data(),
            "yes");
  EXPECT_THAT(d.events("w"),
              ElementsAre("WorkflowExecutionStarted", "WorkflowTaskScheduled", "WorkflowTaskStarted",
                          "WorkflowTaskCompleted", "TimerStarted", "WorkflowTaskScheduled",
                          "WorkflowTaskStarted", "WorkflowTaskCompleted", "WorkflowExecutionUpdateAccepted",
                          "WorkflowExecutionUpdateCompleted"));
  // The same id again, even after a crash, brings the same outcome and nothing new.
  d.crash();
  auto again = d.send(api::Method::kUpdateWorkflowExecution, change("u"));
  EXPECT_EQ(Driver::take<ws::UpdateWorkflowExecutionResponse>(again).outcome().success().payloads(0).data(),
            "yes");
  EXPECT_EQ(d.events("w").size(), 10u);
}

TEST(Update, RejectionLeavesNoTrace) {
  Driver d;
  d.start("w");
  auto task = d.workflow_task();
  d.complete(task.task_token(), {Driver::start_timer("t", 100)});
  auto sent = d.send(api::Method::kUpdateWorkflowExecution, change("u"));
  task = d.workflow_task();
  auto done = Driver::completion(task.task_token(), {});
  done.mutable_capabilities()->set_discard_speculative_workflow_task_with_events(true);
  pb::update::v1::Rejection rejection;
  rejection.mutable_failure()->set_message("not you");
  add_message(done, "u", "u/reject", rejection);
  const auto response =
      d.call<ws::RespondWorkflowTaskCompletedResponse>(api::Method::kRespondWorkflowTaskCompleted, done);
  EXPECT_EQ(response.reset_history_event_id(), 3);
  EXPECT_EQ(Driver::take<ws::UpdateWorkflowExecutionResponse>(sent).outcome().failure().message(), "not you");
  EXPECT_EQ(d.events("w").size(), 5u);
}

TEST(Update, SignalDuringASpeculativeTaskMakesItReal) {
  Driver d;
  d.start("w");
  auto task = d.workflow_task();
  d.complete(task.task_token(), {Driver::start_timer("t", 100)});
  d.send(api::Method::kUpdateWorkflowExecution, change("u"));
  task = d.workflow_task();
  d.signal("w", "s");
  d.crash();  // the admitted update is gone, the task and the signal are not
  EXPECT_THAT(d.events("w"), ElementsAre("WorkflowExecutionStarted", "WorkflowTaskScheduled",
                                         "WorkflowTaskStarted", "WorkflowTaskCompleted", "TimerStarted",
                                         "WorkflowTaskScheduled", "WorkflowTaskStarted"));
  d.complete(task.task_token(), {});
  EXPECT_EQ(d.events("w").back(), "WorkflowTaskScheduled");
}

pb::command::v1::Command start_child(const std::string& id, enums::ParentClosePolicy policy) {
  pb::command::v1::Command command;
  command.set_command_type(enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION);
  auto& attributes = *command.mutable_start_child_workflow_execution_command_attributes();
  attributes.set_workflow_id(id);
  attributes.mutable_workflow_type()->set_name("child");
  attributes.mutable_task_queue()->set_name("children");
  attributes.set_parent_close_policy(policy);
  return command;
}

TEST(Children, ParentHearsOfTheEnd) {
  Driver d;
  d.start("w");
  auto task = d.workflow_task();
  d.complete(task.task_token(), {start_child("c", enums::PARENT_CLOSE_POLICY_TERMINATE)});
  d.crash();
  auto child = d.workflow_task("children");
  EXPECT_EQ(child.workflow_execution().workflow_id(), "c");
  task = d.workflow_task();
  d.complete(task.task_token(), {});
  d.complete(child.task_token(), {Driver::complete_workflow("from child")});
  task = d.workflow_task();
  d.complete(task.task_token(), {Driver::complete_workflow()});
  EXPECT_THAT(d.events("w"),
              ElementsAre("WorkflowExecutionStarted", "WorkflowTaskScheduled", "WorkflowTaskStarted",
                          "WorkflowTaskCompleted", "StartChildWorkflowExecutionInitiated",
                          "ChildWorkflowExecutionStarted", "WorkflowTaskScheduled", "WorkflowTaskStarted",
                          "WorkflowTaskCompleted", "ChildWorkflowExecutionCompleted", "WorkflowTaskScheduled",
                          "WorkflowTaskStarted", "WorkflowTaskCompleted", "WorkflowExecutionCompleted"));
}

TEST(Children, ParentClosePolicies) {
  Driver d;
  d.start("w");
  auto task = d.workflow_task();
  d.complete(task.task_token(), {start_child("terminated", enums::PARENT_CLOSE_POLICY_TERMINATE),
                                 start_child("cancelled", enums::PARENT_CLOSE_POLICY_REQUEST_CANCEL),
                                 start_child("left", enums::PARENT_CLOSE_POLICY_ABANDON)});
  task = d.workflow_task();
  d.complete(task.task_token(), {Driver::complete_workflow()});
  EXPECT_EQ(d.events("terminated").back(), "WorkflowExecutionTerminated");
  EXPECT_THAT(d.events("cancelled"), Contains("WorkflowExecutionCancelRequested"));
  EXPECT_EQ(d.events("left").size(), 2u);
}

TEST(External, SignalThenCompleteStillArrives) {
  Driver d;
  d.start("target");
  d.start("w", [](auto& r) { r.mutable_task_queue()->set_name("other"); });
  auto task = d.workflow_task("other");
  pb::command::v1::Command command;
  command.set_command_type(enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION);
  auto& attributes = *command.mutable_signal_external_workflow_execution_command_attributes();
  attributes.mutable_execution()->set_workflow_id("target");
  attributes.set_signal_name("hello");
  auto missing = command;
  missing.mutable_signal_external_workflow_execution_command_attributes()
      ->mutable_execution()
      ->set_workflow_id("no");
  d.complete(task.task_token(), {missing});
  EXPECT_THAT(d.events("w"), Contains("SignalExternalWorkflowExecutionFailed"));
  task = d.workflow_task("other");
  d.complete(task.task_token(), {command, Driver::complete_workflow()});
  EXPECT_THAT(d.events("target"), Contains("WorkflowExecutionSignaled"));
}

TEST(Chain, ContinueAsNewIsOneCommit) {
  Driver d;
  const auto started = d.start("w");
  auto task = d.workflow_task();
  d.advance(2 * kSecond);
  d.complete(task.task_token(), {continue_as_new()});
  d.crash();
  EXPECT_EQ(d.events("w", started.run_id()).back(), "WorkflowExecutionContinuedAsNew");
  task = d.workflow_task();
  EXPECT_NE(task.workflow_execution().run_id(), started.run_id());
  const auto& first = task.history().events(0).workflow_execution_started_event_attributes();
  EXPECT_EQ(first.first_execution_run_id(), started.run_id());
  EXPECT_EQ(first.continued_execution_run_id(), started.run_id());
  EXPECT_EQ(first.input().payloads(0).data(), "next");
}

TEST(Chain, ShortRunWaitsForItsSuccessor) {
  Driver d;
  d.start("w");
  auto task = d.workflow_task();
  d.complete(task.task_token(), {continue_as_new()});
  auto parked = d.poll_workflow();
  EXPECT_FALSE(parked->done());
  d.advance(kSecond);
  EXPECT_TRUE(parked->done());
}

TEST(Chain, RetryKeepsInputAndCountsAttempts) {
  Driver d;
  d.start("w", [](auto& r) {
    r.mutable_retry_policy()->set_maximum_attempts(2);
    r.mutable_input()->add_payloads()->set_data("in");
  });
  for (int attempt = 1; attempt <= 2; ++attempt) {
    auto task = d.workflow_task();
    const auto& first = task.history().events(0).workflow_execution_started_event_attributes();
    EXPECT_EQ(first.attempt(), attempt);
    EXPECT_EQ(first.input().payloads(0).data(), "in");
    pb::command::v1::Command command;
    command.set_command_type(enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION);
    command.mutable_fail_workflow_execution_command_attributes()->mutable_failure()->set_message("no");
    d.complete(task.task_token(), {command});
    d.advance(kSecond);
  }
  EXPECT_EQ(d.events("w").back(), "WorkflowExecutionFailed");
}

TEST(Timeouts, OfTheRun) {
  Driver d;
  d.start("w", [](auto& r) { r.mutable_workflow_run_timeout()->set_seconds(30); });
  d.crash();
  d.advance(30 * kSecond);
  EXPECT_EQ(d.events("w").back(), "WorkflowExecutionTimedOut");
}

TEST(Timeouts, OfAWorkflowTaskAndItsTransientSuccessor) {
  Driver d;
  d.start("w");
  auto lost = d.workflow_task();
  d.advance(10 * kSecond);
  auto task = d.workflow_task();
  EXPECT_EQ(task.attempt(), 2);
  EXPECT_EQ(task.history().events_size(), 6);  // the transient task is shown
  EXPECT_EQ(
      d.error(api::Method::kRespondWorkflowTaskCompleted, Driver::completion(lost.task_token(), {})).code(),
      Code::kNotFound);
  d.complete(task.task_token(), {Driver::complete_workflow()});
  EXPECT_THAT(d.events("w"),
              ElementsAre("WorkflowExecutionStarted", "WorkflowTaskScheduled", "WorkflowTaskStarted",
                          "WorkflowTaskTimedOut", "WorkflowTaskScheduled", "WorkflowTaskStarted",
                          "WorkflowTaskCompleted", "WorkflowExecutionCompleted"));
}

TEST(Timeouts, HeartbeatRetriesWithDetails) {
  Driver d;
  d.start("w");
  auto task = d.workflow_task();
  auto command = Driver::schedule_activity("a");
  command.mutable_schedule_activity_task_command_attributes()->mutable_heartbeat_timeout()->set_seconds(2);
  d.complete(task.task_token(), {command});
  auto activity = d.activity_task();
  ws::RecordActivityTaskHeartbeatRequest beat;
  beat.set_task_token(activity.task_token());
  beat.mutable_details()->add_payloads()->set_data("half");
  d.call<ws::RecordActivityTaskHeartbeatResponse>(api::Method::kRecordActivityTaskHeartbeat, beat);
  d.advance(2 * kSecond);
  d.advance(kSecond);
  activity = d.activity_task();
  EXPECT_EQ(activity.attempt(), 2);
  EXPECT_EQ(activity.heartbeat_details().payloads(0).data(), "half");
}

TEST(Cancel, ActivityThatNobodyHoldsIsCancelledAtOnce) {
  Driver d;
  d.start("w");
  auto task = d.workflow_task();
  d.complete(task.task_token(), {Driver::schedule_activity("a")});
  d.signal("w", "stop");
  task = d.workflow_task();
  pb::command::v1::Command command;
  command.set_command_type(enums::COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK);
  command.mutable_request_cancel_activity_task_command_attributes()->set_scheduled_event_id(5);
  d.complete(task.task_token(), {command});
  const auto events = d.events("w");
  ASSERT_GE(events.size(), 3u);
  EXPECT_EQ(events[events.size() - 3], "ActivityTaskCancelRequested");
  EXPECT_EQ(events[events.size() - 2], "ActivityTaskCanceled");
  EXPECT_EQ(events[events.size() - 1], "WorkflowTaskScheduled");
}

TEST(History, WaitsForNewsAndForTheEnd) {
  Driver d;
  d.start("w");
  ws::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id("w");
  request.set_wait_new_event(true);
  request.set_history_event_filter_type(enums::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT);
  auto end = d.send(api::Method::kGetWorkflowExecutionHistory, request);
  EXPECT_FALSE(end->done());
  auto task = d.workflow_task();
  d.complete(task.task_token(), {Driver::complete_workflow()});
  const auto response = Driver::take<ws::GetWorkflowExecutionHistoryResponse>(end);
  ASSERT_EQ(response.history().events_size(), 1);
  EXPECT_EQ(response.history().events(0).event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED);
  EXPECT_THAT(response.next_page_token(), IsEmpty());
}

TEST(History, OfAnOpenRunHasNoClosingEvent) {
  Driver d;
  d.start("w");
  ws::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id("w");
  request.set_history_event_filter_type(enums::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT);
  const auto response =
      d.call<ws::GetWorkflowExecutionHistoryResponse>(api::Method::kGetWorkflowExecutionHistory, request);
  EXPECT_TRUE(response.has_history());
  EXPECT_EQ(response.history().events_size(), 0);
  EXPECT_THAT(response.next_page_token(), IsEmpty());
}

TEST(Priority, IsInheritedWhereACommandLeavesItOpen) {
  Driver d;
  d.start("w", [](auto& request) {
    request.mutable_priority()->set_priority_key(1);
    request.mutable_priority()->set_fairness_key("tenant");
  });
  auto own = Driver::schedule_activity("own");
  own.mutable_schedule_activity_task_command_attributes()->mutable_priority()->set_priority_key(4);
  pb::command::v1::Command child;
  child.set_command_type(enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION);
  auto& attributes = *child.mutable_start_child_workflow_execution_command_attributes();
  attributes.set_workflow_id("child");
  attributes.mutable_workflow_type()->set_name("order");
  attributes.mutable_task_queue()->set_name("children");
  d.complete(d.workflow_task().task_token(), {Driver::schedule_activity("open"), own, child});
  const auto open = d.activity_task().priority();
  EXPECT_EQ(open.priority_key(), 1);
  EXPECT_EQ(open.fairness_key(), "tenant");
  const auto said = d.activity_task().priority();
  EXPECT_EQ(said.priority_key(), 4);
  EXPECT_EQ(said.fairness_key(), "tenant");
  const auto started = d.history("child").events(0).workflow_execution_started_event_attributes();
  EXPECT_EQ(started.priority().priority_key(), 1);
  EXPECT_EQ(started.priority().fairness_key(), "tenant");
}

TEST(Priority, ThatCannotBeIsRefused) {
  Driver d;
  const auto refused = [&d](const std::function<void(pb::common::v1::Priority*)>& change) {
    ws::StartWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.set_workflow_id("w");
    request.mutable_workflow_type()->set_name("order");
    request.mutable_task_queue()->set_name("q");
    change(request.mutable_priority());
    const Status status = d.error(api::Method::kStartWorkflowExecution, request);
    EXPECT_EQ(status.code(), Code::kInvalidArgument);
    return status.message();
  };
  EXPECT_EQ(refused([](auto* p) { p->set_priority_key(-1); }), "PriorityKey can't be negative");
  EXPECT_EQ(refused([](auto* p) { p->set_fairness_key(std::string(65, 'k')); }),
            "FairnessKey length exceeds limit");
  EXPECT_EQ(refused([](auto* p) { p->set_fairness_weight(-1); }), "FairnessWeight can't be negative");
  d.start("w");
  auto activity = Driver::schedule_activity("a");
  activity.mutable_schedule_activity_task_command_attributes()->mutable_priority()->set_priority_key(-1);
  const Status told = d.error(api::Method::kRespondWorkflowTaskCompleted,
                              Driver::completion(d.workflow_task().task_token(), {activity}));
  EXPECT_THAT(told.message(), HasSubstr("PriorityKey can't be negative"));
  const auto history = d.history("w");
  EXPECT_EQ(history.events(3).workflow_task_failed_event_attributes().cause(),
            enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES);
}

TEST(History, PagesAndReverse) {
  Driver d;
  d.start("w");
  auto task = d.workflow_task();
  Driver::Commands commands;
  for (int i = 0; i < 20; ++i) commands.push_back(Driver::start_timer("t" + std::to_string(i), 100));
  d.complete(task.task_token(), commands);
  d.crash();
  ws::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id("w");
  request.set_maximum_page_size(7);
  int pages = 0;
  std::int64_t expected = 1;
  do {
    const auto page =
        d.call<ws::GetWorkflowExecutionHistoryResponse>(api::Method::kGetWorkflowExecutionHistory, request);
    for (const auto& event : page.history().events()) EXPECT_EQ(event.event_id(), expected++);
    request.set_next_page_token(page.next_page_token());
    ++pages;
  } while (!request.next_page_token().empty());
  EXPECT_EQ(expected, 25);
  EXPECT_EQ(pages, 4);
  ws::GetWorkflowExecutionHistoryReverseRequest reverse;
  reverse.set_namespace_("default");
  reverse.mutable_execution()->set_workflow_id("w");
  const auto all = d.call<ws::GetWorkflowExecutionHistoryReverseResponse>(
      api::Method::kGetWorkflowExecutionHistoryReverse, reverse);
  ASSERT_EQ(all.history().events_size(), 24);
  EXPECT_EQ(all.history().events(0).event_id(), 24);
}

TEST(SignalWithStart, SignalIsPartOfTheFirstTask) {
  Driver d;
  ws::SignalWithStartWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.set_workflow_id("w");
  request.mutable_workflow_type()->set_name("order");
  request.mutable_task_queue()->set_name("q");
  request.set_signal_name("go");
  request.set_request_id("r");
  const auto first = d.call<ws::SignalWithStartWorkflowExecutionResponse>(
      api::Method::kSignalWithStartWorkflowExecution, request);
  EXPECT_TRUE(first.started());
  const auto again = d.call<ws::SignalWithStartWorkflowExecutionResponse>(
      api::Method::kSignalWithStartWorkflowExecution, request);
  EXPECT_EQ(again.run_id(), first.run_id());
  request.set_request_id("r2");
  EXPECT_FALSE(d.call<ws::SignalWithStartWorkflowExecutionResponse>(
                    api::Method::kSignalWithStartWorkflowExecution, request)
                   .started());
  EXPECT_THAT(d.events("w"), ElementsAre("WorkflowExecutionStarted", "WorkflowExecutionSignaled",
                                         "WorkflowTaskScheduled", "WorkflowExecutionSignaled"));
}

TEST(UpdateWithStart, OneCallStartsAndUpdates) {
  Driver d;
  ws::ExecuteMultiOperationRequest request;
  request.set_namespace_("default");
  *request.add_operations()->mutable_start_workflow() = Driver::start_request("w");
  *request.add_operations()->mutable_update_workflow() = change("u");
  auto sent = d.send(api::Method::kExecuteMultiOperation, request);
  auto task = d.workflow_task();
  ASSERT_EQ(task.messages_size(), 1);
  auto done = Driver::completion(task.task_token(), {});
  pb::update::v1::Acceptance acceptance;
  pb::update::v1::Response response;
  response.mutable_outcome()->mutable_success()->add_payloads()->set_data("yes");
  add_message(done, "u", "1", acceptance);
  add_message(done, "u", "2", response);
  d.call<ws::RespondWorkflowTaskCompletedResponse>(api::Method::kRespondWorkflowTaskCompleted, done);
  const auto both = Driver::take<ws::ExecuteMultiOperationResponse>(sent);
  ASSERT_EQ(both.responses_size(), 2);
  EXPECT_TRUE(both.responses(0).start_workflow().started());
  EXPECT_EQ(both.responses(1).update_workflow().outcome().success().payloads(0).data(), "yes");
}

TEST(Cron, NextRunFollowsAtTheNextMinute) {
  Driver d;
  d.start("w", [](auto& r) { r.set_cron_schedule("* * * * *"); });
  auto parked = d.poll_workflow();
  EXPECT_FALSE(parked->done());
  d.advance(60 * kSecond);
  auto task = Driver::take<ws::PollWorkflowTaskQueueResponse>(parked);
  const std::string run = task.workflow_execution().run_id();
  d.complete(task.task_token(), {Driver::complete_workflow("first")});
  d.crash();
  parked = d.poll_workflow();
  d.advance(60 * kSecond);
  task = Driver::take<ws::PollWorkflowTaskQueueResponse>(parked);
  EXPECT_NE(task.workflow_execution().run_id(), run);
  EXPECT_EQ(task.history()
                .events(0)
                .workflow_execution_started_event_attributes()
                .last_completion_result()
                .payloads(0)
                .data(),
            "first");
}

TEST(Limits, TooManyBufferedEventsEndTheTask) {
  Driver d;
  d.start("w");
  auto task = d.workflow_task();
  for (int i = 0; i <= 100; ++i) d.signal("w", "s");
  const auto events = d.events("w");
  EXPECT_EQ(events[3], "WorkflowTaskFailed");
  EXPECT_EQ(events.back(), "WorkflowTaskScheduled");
  EXPECT_EQ(events.size(), 4u + 101u + 1u);
  EXPECT_EQ(
      d.error(api::Method::kRespondWorkflowTaskCompleted, Driver::completion(task.task_token(), {})).code(),
      Code::kNotFound);
}

TEST(Limits, LongHistoriesAreReadFromTheStoreAgain) {
  CoreOptions options;
  options.limits.cached_run_bytes = 600;
  Driver d(options);
  d.start("w");
  for (int i = 0; i < 12; ++i) {
    auto task = d.workflow_task();
    EXPECT_EQ(task.history().events(0).event_id(), 1);
    EXPECT_EQ(task.history().events_size(), task.started_event_id());
    d.complete(task.task_token(), {Driver::schedule_activity("a" + std::to_string(i))});
    auto activity = d.activity_task();
    EXPECT_EQ(activity.input().payloads(0).data(), "input-a" + std::to_string(i));
    d.complete_activity(activity.task_token(), "ok");
  }
  EXPECT_EQ(d.events("w").size(), 2u + 12u * 6u);
}

TEST(Limits, ExecutionsLeaveTheCacheAndComeBack) {
  CoreOptions options;
  options.limits.cached_executions = 4;
  Driver d(options);
  for (int i = 0; i < 20; ++i) d.start("w" + std::to_string(i));
  EXPECT_LE(d.core->cached_executions(), 5u);
  for (int i = 0; i < 20; ++i) {
    auto task = d.workflow_task();
    EXPECT_EQ(task.workflow_execution().workflow_id(), "w" + std::to_string(i));
    d.complete(task.task_token(), {Driver::start_timer("t", 5)});
  }
  d.advance(5 * kSecond);
  for (int i = 0; i < 20; ++i) d.complete(d.workflow_task().task_token(), {Driver::complete_workflow()});
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(d.events("w" + std::to_string(i)).back(), "WorkflowExecutionCompleted");
}

TEST(Eager, FirstTaskAndActivityComeWithTheAnswer) {
  Driver d;
  const auto started = d.start("w", [](auto& r) { r.set_request_eager_execution(true); });
  EXPECT_EQ(started.eager_workflow_task().history().events_size(), 3);
  auto command = Driver::schedule_activity("a");
  command.mutable_schedule_activity_task_command_attributes()->set_request_eager_execution(true);
  const auto answer = d.complete(started.eager_workflow_task().task_token(), {command});
  ASSERT_EQ(answer.activity_tasks_size(), 1);
  d.complete_activity(answer.activity_tasks(0).task_token(), "ok");
}

}  // namespace
}  // namespace holdfast::engine
