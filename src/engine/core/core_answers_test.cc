// Goal: answers have what clients of Temporal read in them, and say it in the words that clients compare.
// Method: one call each through the core; tests/parity compares the rest with a real Temporal.

#include <gmock/gmock.h>

#include "engine/core_driver.h"

namespace holdfast::engine {
namespace {

using history::kSecond;
using testing::Driver;
using ::testing::HasSubstr;
using ::testing::StartsWith;

ws::DescribeWorkflowExecutionResponse describe(Driver& d, const std::string& id) {
  ws::DescribeWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id(id);
  return d.call<ws::DescribeWorkflowExecutionResponse>(api::Method::kDescribeWorkflowExecution, request);
}

TEST(Answers, DescriptionOfABareRunHasItsEmptyParts) {
  Driver d;
  d.start("w");
  const auto described = describe(d, "w");
  const auto& info = described.workflow_execution_info();
  EXPECT_TRUE(info.has_search_attributes());  // Temporal's Go client reads it without a look
  EXPECT_TRUE(info.has_memo());
  EXPECT_TRUE(info.has_auto_reset_points());
  EXPECT_EQ(described.workflow_extended_info().run_expiration_time().seconds(), -62'135'596'800);
  EXPECT_EQ(described.workflow_extended_info().request_id_infos().at("request-w").event_id(), 1);
  EXPECT_FALSE(described.execution_config().has_workflow_run_timeout());
  EXPECT_FALSE(described.execution_config().has_workflow_execution_timeout());
}

TEST(Answers, DescriptionTellsHowAnActivityIsTried) {
  Driver d;
  d.start("w");
  d.complete(d.workflow_task().task_token(), {Driver::schedule_activity("a")});
  auto waiting = describe(d, "w").pending_activities(0);
  EXPECT_EQ(waiting.current_retry_interval().seconds(), 1);
  EXPECT_EQ(waiting.activity_options().task_queue().name(), "q");
  EXPECT_EQ(waiting.activity_options().start_to_close_timeout().seconds(), 60);
  const auto task = d.activity_task();
  EXPECT_FALSE(describe(d, "w").pending_activities(0).has_current_retry_interval());
  ws::RecordActivityTaskHeartbeatRequest heartbeat;
  heartbeat.set_namespace_("default");
  heartbeat.set_task_token(task.task_token());
  heartbeat.mutable_details()->add_payloads()->set_data("half");
  d.call<ws::RecordActivityTaskHeartbeatResponse>(api::Method::kRecordActivityTaskHeartbeat, heartbeat);
  ws::RespondActivityTaskFailedRequest failed;
  failed.set_namespace_("default");
  failed.set_task_token(task.task_token());
  failed.mutable_failure()->mutable_application_failure_info();
  d.call<ws::RespondActivityTaskFailedResponse>(api::Method::kRespondActivityTaskFailed, failed);
  EXPECT_TRUE(describe(d, "w").pending_activities(0).has_last_heartbeat_time());
}

TEST(Answers, WrongFiltersOfOlderListsAreRefused) {
  Driver d;
  ws::ListOpenWorkflowExecutionsRequest open;
  open.set_namespace_("default");
  open.mutable_start_time_filter()->mutable_earliest_time()->set_seconds(9);
  open.mutable_start_time_filter()->mutable_latest_time()->set_seconds(8);
  EXPECT_EQ(d.error(api::Method::kListOpenWorkflowExecutions, open).message(),
            "EarliestTime in StartTimeFilter should not be larger than LatestTime.");
  open.mutable_start_time_filter()->mutable_latest_time()->set_seconds(1'000'000'000'000);
  EXPECT_EQ(d.error(api::Method::kListOpenWorkflowExecutions, open).code(), Code::kInvalidArgument);
  ws::ListClosedWorkflowExecutionsRequest closed;
  closed.set_namespace_("default");
  closed.mutable_status_filter()->set_status(enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  EXPECT_EQ(d.error(api::Method::kListClosedWorkflowExecutions, closed).message(),
            "StatusFilter must be specified and must be not Running.");
  ws::ListArchivedWorkflowExecutionsRequest archived;
  archived.set_namespace_("default");
  EXPECT_EQ(d.error(api::Method::kListArchivedWorkflowExecutions, archived).message(),
            "Cluster is not configured for visibility archival.");
}

TEST(Answers, KeysOfSearchAttributesAreTold) {
  Driver d;
  const auto keys = d.call<ws::GetSearchAttributesResponse>(api::Method::kGetSearchAttributes,
                                                            ws::GetSearchAttributesRequest())
                        .keys();
  EXPECT_EQ(keys.at("WorkflowType"), enums::INDEXED_VALUE_TYPE_KEYWORD);
  EXPECT_EQ(keys.at("StartTime"), enums::INDEXED_VALUE_TYPE_DATETIME);
}

TEST(Answers, TakenWorkflowIdsAreToldApartByWords) {
  Driver d;
  d.start("w");
  const auto refused = [&d](enums::WorkflowIdReusePolicy policy) {
    return d
        .error(api::Method::kStartWorkflowExecution,
               Driver::start_request("w",
                                     [&](auto& request) {
                                       request.set_request_id("other");
                                       request.set_workflow_id_reuse_policy(policy);
                                     }))
        .message();
  };
  EXPECT_THAT(refused(enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE),
              StartsWith("Workflow execution is already running."));
  d.complete(d.workflow_task().task_token(), {Driver::complete_workflow()});
  EXPECT_THAT(refused(enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE),
              StartsWith("Workflow execution already finished."));
  EXPECT_THAT(refused(enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY),
              StartsWith("Workflow execution already finished successfully."));
}

ws::PollNexusTaskQueueRequest nexus_poll() {
  ws::PollNexusTaskQueueRequest request;
  request.set_namespace_("default");
  request.mutable_task_queue()->set_name("q");
  request.set_worker_instance_key("key");
  return request;
}

TEST(Answers, NexusPollsEndEmpty) {
  Driver d;
  const auto by_time = d.send(api::Method::kPollNexusTaskQueue, nexus_poll());
  EXPECT_FALSE(by_time->done());
  d.advance(61 * kSecond);
  EXPECT_TRUE(Driver::take<ws::PollNexusTaskQueueResponse>(by_time).task_token().empty());

  const auto by_worker = d.send(api::Method::kPollNexusTaskQueue, nexus_poll());
  ws::ShutdownWorkerRequest shutdown;
  shutdown.set_namespace_("default");
  shutdown.set_worker_instance_key("key");
  d.call<ws::ShutdownWorkerResponse>(api::Method::kShutdownWorker, shutdown);
  EXPECT_TRUE(Driver::take<ws::PollNexusTaskQueueResponse>(by_worker).task_token().empty());

  auto nowhere = nexus_poll();
  nowhere.clear_task_queue();
  EXPECT_EQ(d.error(api::Method::kPollNexusTaskQueue, nowhere).code(), Code::kInvalidArgument);
}

TEST(Answers, TaskQueueInTheEnhancedMode) {
  Driver d;
  d.start("w");
  d.workflow_task();
  d.start("w2");
  d.advance(kSecond);
  ws::DescribeTaskQueueRequest request;
  request.set_namespace_("default");
  request.mutable_task_queue()->set_name("q");
  request.set_api_mode(enums::DESCRIBE_TASK_QUEUE_MODE_ENHANCED);
  request.set_report_stats(true);
  request.set_report_pollers(true);
  const auto described = d.call<ws::DescribeTaskQueueResponse>(api::Method::kDescribeTaskQueue, request);
  const auto& types = described.versions_info().at("").types_info();
  EXPECT_EQ(types.at(enums::TASK_QUEUE_TYPE_WORKFLOW).pollers(0).identity(), "worker");
  EXPECT_EQ(types.at(enums::TASK_QUEUE_TYPE_WORKFLOW).stats().approximate_backlog_count(), 1);
  EXPECT_EQ(types.at(enums::TASK_QUEUE_TYPE_WORKFLOW).stats().approximate_backlog_age().seconds(), 1);
  EXPECT_EQ(types.at(enums::TASK_QUEUE_TYPE_ACTIVITY).pollers_size(), 0);
  EXPECT_EQ(types.size(), 2u);
}

TEST(Answers, WhatACommandLacksIsSaidTwice) {
  Driver d;
  d.start("w");
  pb::command::v1::Command command;
  command.set_command_type(enums::COMMAND_TYPE_START_TIMER);
  const Status refused = d.error(api::Method::kRespondWorkflowTaskCompleted,
                                 Driver::completion(d.workflow_task().task_token(), {command}));
  EXPECT_EQ(refused.message(),
            "BadStartTimerAttributes: StartTimerCommandAttributes is not set on StartTimerCommand.");
  const auto history = d.history("w");
  const auto& failed = history.events(3).workflow_task_failed_event_attributes();
  EXPECT_EQ(failed.failure().message(), refused.message());
  EXPECT_EQ(failed.cause(), enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_START_TIMER_ATTRIBUTES);
}

TEST(Answers, NextRunHasWhatTheCommandSays) {
  Driver d;
  const auto edit = [](auto& request) {
    (*request.mutable_memo()->mutable_fields())["m"].set_data("1");
    request.mutable_retry_policy()->set_maximum_attempts(3);
  };
  const auto first = d.start("w", edit).run_id();
  auto command = testing::continue_as_new();
  d.complete(d.workflow_task().task_token(), {command});
  const auto ended = d.history("w", first);
  const auto& closed = ended.events(4).workflow_execution_continued_as_new_event_attributes();
  const auto next = d.history("w", closed.new_execution_run_id());
  const auto& started = next.events(0).workflow_execution_started_event_attributes();
  EXPECT_FALSE(started.has_memo());
  EXPECT_FALSE(started.has_retry_policy());
  EXPECT_EQ(started.initiator(), enums::CONTINUE_AS_NEW_INITIATOR_WORKFLOW);
}

TEST(Answers, TerminationSaysWhoAndWhy) {
  Driver d;
  d.start("w");
  ws::TerminateWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.mutable_workflow_execution()->set_workflow_id("w");
  d.call<ws::TerminateWorkflowExecutionResponse>(api::Method::kTerminateWorkflowExecution, request);
  const auto history = d.history("w");
  const auto& end = *history.events().rbegin();
  EXPECT_THAT(end.workflow_execution_terminated_event_attributes().reason(), HasSubstr("terminated"));
  EXPECT_EQ(end.workflow_execution_terminated_event_attributes().identity(), "frontend-service");
}

TEST(Answers, WithoutARunNothingElseIsLookedAt) {
  Driver d;
  ws::QueryWorkflowRequest request;
  request.set_namespace_("default");
  EXPECT_EQ(d.error(api::Method::kQueryWorkflow, request).message(), "Execution is not set on request.");
  request.mutable_execution();
  EXPECT_EQ(d.error(api::Method::kQueryWorkflow, request).message(), "WorkflowId is not set on request.");
}

}  // namespace
}  // namespace holdfast::engine
