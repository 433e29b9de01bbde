// What travels with a workflow task besides its history: updates and queries. Each test takes a task that
// ends in an unusual way (a heartbeat, the end of the workflow, a task that follows at once) and asks whether
// the callers still get the one answer that is right.

#include <gmock/gmock.h>

#include "engine/core_driver.h"

namespace holdfast::engine {
namespace {

using history::kSecond;
using testing::add_message;
using testing::ask;
using testing::change;
using testing::continue_as_new;
using testing::Driver;
using testing::Pending;
using testing::sticky;

using Completion = ws::RespondWorkflowTaskCompletedRequest;

ws::RespondWorkflowTaskCompletedResponse send(Driver& d, const Completion& completion) {
  return d.call<ws::RespondWorkflowTaskCompletedResponse>(api::Method::kRespondWorkflowTaskCompleted,
                                                          completion);
}

Completion accept_and_complete(Completion completion, const std::string& update_id) {
  pb::update::v1::Acceptance acceptance;
  pb::update::v1::Response response;
  response.mutable_outcome()->mutable_success()->add_payloads()->set_data("yes");
  add_message(completion, update_id, "accept", acceptance);
  add_message(completion, update_id, "complete", response);
  return completion;
}

Completion heartbeat(Completion completion) {
  completion.set_force_create_new_workflow_task(true);
  completion.set_return_new_workflow_task(true);
  return completion;
}

// Answers all queries that came with the task.
Completion answered(Completion completion, const ws::PollWorkflowTaskQueueResponse& task) {
  for (const auto& [id, query] : task.queries()) {
    auto& result = (*completion.mutable_query_results())[id];
    result.set_result_type(enums::QUERY_RESULT_TYPE_ANSWERED);
    result.mutable_answer()->add_payloads()->set_data("42");
  }
  return completion;
}

std::string outcome_of(const std::shared_ptr<Pending>& sent) {
  return Driver::take<ws::UpdateWorkflowExecutionResponse>(sent).outcome().success().payloads(0).data();
}

// A workflow that rests behind its first task.
void rest(Driver& d) {
  d.start("w");
  d.complete(d.workflow_task().task_token(), {Driver::start_timer("t", 100)});
}

TEST(SentUpdate, SurvivesAHeartbeatOfTheWorkerThatHasIt) {
  Driver d;
  d.start("w");
  auto first = d.workflow_task();
  auto parked = d.poll_workflow("sticky");
  send(d, sticky(Driver::completion(first.task_token(), {Driver::start_timer("t", 100)})));
  auto sent = d.send(api::Method::kUpdateWorkflowExecution, change("u"));
  auto task = Driver::take<ws::PollWorkflowTaskQueueResponse>(parked);
  ASSERT_EQ(task.messages_size(), 1);
  const auto beat = send(d, heartbeat(sticky(Driver::completion(task.task_token(), {}))));
  EXPECT_FALSE(sent->done());
  EXPECT_EQ(beat.workflow_task().messages_size(), 0);  // it is in the worker's cache
  send(d, accept_and_complete(sticky(Driver::completion(beat.workflow_task().task_token(), {})), "u"));
  EXPECT_EQ(outcome_of(sent), "yes");
}

TEST(SentUpdate, GoesOutAgainWithAHeartbeatOnTheNormalQueue) {
  Driver d;
  rest(d);
  auto sent = d.send(api::Method::kUpdateWorkflowExecution, change("u"));
  auto task = d.workflow_task();
  const auto beat = send(d, heartbeat(Driver::completion(task.task_token(), {})));
  // That worker replays from the first event: the request is not in the history.
  ASSERT_EQ(beat.workflow_task().messages_size(), 1);
  send(d, accept_and_complete(Driver::completion(beat.workflow_task().task_token(), {}), "u"));
  EXPECT_EQ(outcome_of(sent), "yes");
}

TEST(SentUpdate, TaskThatIsNoHeartbeatHasToAnswerIt) {
  Driver d;
  rest(d);
  auto sent = d.send(api::Method::kUpdateWorkflowExecution, change("u"));
  send(d, Driver::completion(d.workflow_task().task_token(), {}));
  EXPECT_EQ(Driver::take<ws::UpdateWorkflowExecutionResponse>(sent)
                .outcome()
                .failure()
                .application_failure_info()
                .type(),
            "UnprocessedUpdate");
}

TEST(SentUpdate, MovesOnWithTheChain) {
  Driver d;
  rest(d);
  d.advance(2 * kSecond);
  auto sent = d.send(api::Method::kUpdateWorkflowExecution, change("u"));
  auto task = d.workflow_task();
  ASSERT_EQ(task.messages_size(), 1);
  d.complete(task.task_token(), {continue_as_new()});
  EXPECT_FALSE(sent->done());
  auto next = d.workflow_task();
  EXPECT_NE(next.workflow_execution().run_id(), task.workflow_execution().run_id());
  ASSERT_EQ(next.messages_size(), 1);
  send(d, accept_and_complete(Driver::completion(next.task_token(), {}), "u"));
  EXPECT_EQ(outcome_of(sent), "yes");
}

TEST(SentUpdate, IsNotFoundWhenItsWorkflowCompletes) {
  Driver d;
  rest(d);
  auto sent = d.send(api::Method::kUpdateWorkflowExecution, change("u"));
  d.complete(d.workflow_task().task_token(), {Driver::complete_workflow()});
  ASSERT_TRUE(sent->done());
  ASSERT_FALSE(*sent->result);
  EXPECT_EQ(sent->result->error().code(), Code::kNotFound);
  EXPECT_EQ(sent->result->error().message(), "workflow update was aborted by closing workflow");
}

TEST(ClosedRun, DoesNotKnowTheUpdateThatMovedOn) {
  Driver d;
  d.start("w");
  auto task = d.workflow_task();
  d.advance(2 * kSecond);
  auto sent = d.send(api::Method::kUpdateWorkflowExecution, change("u"));
  d.complete(task.task_token(), {continue_as_new()});
  auto again = change("u");
  again.mutable_workflow_execution()->set_run_id(task.workflow_execution().run_id());
  // The run is over for good: nothing an SDK should try again.
  EXPECT_EQ(d.error(api::Method::kUpdateWorkflowExecution, again).code(), Code::kNotFound);
  EXPECT_FALSE(sent->done());
  EXPECT_EQ(d.workflow_task().messages_size(), 1);
}

// An update no worker will ever see, and a caller who gave up.
void leave_update(Driver& d, const std::string& workflow_id) {
  auto request = change("u");
  request.mutable_workflow_execution()->set_workflow_id(workflow_id);
  d.core->cancel(d.send(api::Method::kUpdateWorkflowExecution, request)->id);
}

TEST(Cache, ClosedRunWithAnUnansweredUpdateLeaves) {
  CoreOptions options;
  options.limits.cached_executions = 4;
  Driver d(options);
  for (int i = 0; i < 20; ++i) {
    const std::string id = "w" + std::to_string(i);
    d.start(id);
    leave_update(d, id);
    ws::TerminateWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.mutable_workflow_execution()->set_workflow_id(id);
    d.call<ws::TerminateWorkflowExecutionResponse>(api::Method::kTerminateWorkflowExecution, request);
  }
  EXPECT_LE(d.core->cached_executions(), 5u);
}

TEST(Cache, RunsThatHaveToStayDoNotKeepTheOthers) {
  constexpr std::size_t kStay = 1100;  // more than one look at the cache may see
  CoreOptions options;
  options.limits.cached_executions = 4;
  Driver d(options);
  d.auto_commit = false;
  for (std::size_t i = 0; i < kStay; ++i) {
    const std::string id = "stays" + std::to_string(i);
    d.send(api::Method::kStartWorkflowExecution, Driver::start_request(id));
    leave_update(d, id);
  }
  d.commit();
  d.auto_commit = true;
  EXPECT_GE(d.core->cached_executions(), kStay);
  for (int i = 0; i < 20; ++i) d.start("w" + std::to_string(i));
  EXPECT_LE(d.core->cached_executions(), kStay + 5);
}

TEST(QueryOfATask, IsAnsweredByTheTaskThatClosesTheWorkflow) {
  Driver d;
  rest(d);
  d.signal("w", "s");
  auto asked = d.send(api::Method::kQueryWorkflow, ask("w"));
  auto task = d.workflow_task();
  ASSERT_EQ(task.queries_size(), 1);
  send(d, answered(Driver::completion(task.task_token(), {Driver::complete_workflow()}), task));
  EXPECT_EQ(Driver::take<ws::QueryWorkflowResponse>(asked).query_result().payloads(0).data(), "42");
}

TEST(QueryOfATask, StaysWithTheTaskThatFollowedAtOnce) {
  Driver d;
  rest(d);
  d.signal("w", "s");
  auto task = d.workflow_task();
  d.signal("w", "s");  // buffered: another task follows
  auto asked = d.send(api::Method::kQueryWorkflow, ask("w"));
  auto parked = d.poll_workflow();
  d.complete(task.task_token(), {});
  auto next = Driver::take<ws::PollWorkflowTaskQueueResponse>(parked);
  ASSERT_EQ(next.queries_size(), 1);
  send(d, answered(Driver::completion(next.task_token(), {}), next));
  EXPECT_EQ(Driver::take<ws::QueryWorkflowResponse>(asked).query_result().payloads(0).data(), "42");
  EXPECT_FALSE(d.poll_workflow()->done());  // nobody is asked a second time
}

TEST(QueryOfATask, StaysWithTheTaskThatWasHandedOver) {
  Driver d;
  rest(d);
  d.signal("w", "s");
  auto task = d.workflow_task();
  auto asked = d.send(api::Method::kQueryWorkflow, ask("w"));
  const auto beat = send(d, heartbeat(Driver::completion(task.task_token(), {})));
  ASSERT_EQ(beat.workflow_task().queries_size(), 1);
  send(d, answered(Driver::completion(beat.workflow_task().task_token(), {Driver::complete_workflow()}),
                   beat.workflow_task()));
  EXPECT_EQ(Driver::take<ws::QueryWorkflowResponse>(asked).query_result().payloads(0).data(), "42");
}

TEST(QueryOfATask, GoesAloneWhenTheTaskDidNotAnswer) {
  Driver d;
  rest(d);
  d.signal("w", "s");
  auto asked = d.send(api::Method::kQueryWorkflow, ask("w"));
  d.complete(d.workflow_task().task_token(), {});
  auto alone = d.workflow_task();
  EXPECT_EQ(alone.query().query_type(), "state");
  EXPECT_FALSE(asked->done());
}

TEST(QueryBeforeTheFirstTask, WaitsOnlyIfTheTaskComesInTime) {
  Driver d;
  d.start("soon", [](auto& r) { r.mutable_workflow_start_delay()->set_seconds(5); });
  EXPECT_FALSE(d.send(api::Method::kQueryWorkflow, ask("soon"))->done());
  d.start("late", [](auto& r) { r.mutable_workflow_start_delay()->set_seconds(100); });
  const Status refused = d.error(api::Method::kQueryWorkflow, ask("late"));
  EXPECT_EQ(refused.code(), Code::kFailedPrecondition);
  ASSERT_EQ(refused.details().size(), 1u);
  EXPECT_EQ(refused.details()[0].type_url,
            "type.googleapis.com/temporal.api.errordetails.v1.WorkflowNotReadyFailure");
}

// ---- what is sent again

TEST(UpdateWithStart, SentAgainReachesTheRunThatIsCurrentNow) {
  Driver d;
  ws::ExecuteMultiOperationRequest request;
  request.set_namespace_("default");
  *request.add_operations()->mutable_start_workflow() = Driver::start_request("w");
  *request.add_operations()->mutable_update_workflow() = change("u");
  d.send(api::Method::kExecuteMultiOperation, request);
  auto task = d.workflow_task();
  send(d, accept_and_complete(Driver::completion(task.task_token(), {continue_as_new()}), "u"));
  d.advance(2 * kSecond);
  // Its own outcome is where it was.
  auto again = d.send(api::Method::kExecuteMultiOperation, request);
  EXPECT_EQ(Driver::take<ws::ExecuteMultiOperationResponse>(again)
                .responses(1)
                .update_workflow()
                .outcome()
                .success()
                .payloads(0)
                .data(),
            "yes");
  // An update that no run has seen goes to the current one.
  *request.mutable_operations(1)->mutable_update_workflow() = change("lost");
  d.send(api::Method::kExecuteMultiOperation, request);
  const auto next = d.workflow_task();
  EXPECT_NE(next.workflow_execution().run_id(), task.workflow_execution().run_id());
  EXPECT_EQ(next.messages_size(), 1);
}

TEST(SignalWithStart, SignalsUnderTheRequestIdOfAStartOnce) {
  Driver d;
  d.start("w");
  ws::SignalWithStartWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.set_workflow_id("w");
  request.mutable_workflow_type()->set_name("order");
  request.mutable_task_queue()->set_name("q");
  request.set_request_id("request-w");
  request.set_signal_name("go");
  for (int i = 0; i < 2; ++i) {
    d.call<ws::SignalWithStartWorkflowExecutionResponse>(api::Method::kSignalWithStartWorkflowExecution,
                                                         request);
  }
  EXPECT_THAT(d.events("w"), ::testing::ElementsAre("WorkflowExecutionStarted", "WorkflowTaskScheduled",
                                                    "WorkflowExecutionSignaled"));
}

// ---- answers over the limit

TEST(Query, AnswerOverTheLimitFailsTheQueryAlone) {
  CoreOptions options;
  options.limits.execution.blob_bytes = 100;
  Driver d(options);
  d.start("w");
  auto asked = d.send(api::Method::kQueryWorkflow, ask("w"));
  const auto task = d.workflow_task();
  auto completion = Driver::completion(task.task_token(), {Driver::start_timer("t", 100)});
  auto& result = (*completion.mutable_query_results())[task.queries().begin()->first];
  result.set_result_type(enums::QUERY_RESULT_TYPE_ANSWERED);
  result.mutable_answer()->add_payloads()->set_data(std::string(100, 'x'));
  send(d, completion);
  ASSERT_TRUE(asked->done() && !*asked->result);
  EXPECT_EQ(asked->result->error().code(), Code::kInvalidArgument);
  EXPECT_EQ(asked->result->error().message(), "Blob data size exceeds limit.");

  asked = d.send(api::Method::kQueryWorkflow, ask("w"));
  ws::RespondQueryTaskCompletedRequest answer;
  answer.set_task_token(d.workflow_task().task_token());
  answer.set_completed_type(enums::QUERY_RESULT_TYPE_ANSWERED);
  answer.mutable_query_result()->add_payloads()->set_data(std::string(100, 'x'));
  d.call<ws::RespondQueryTaskCompletedResponse>(api::Method::kRespondQueryTaskCompleted, answer);
  ASSERT_TRUE(asked->done() && !*asked->result);
  EXPECT_EQ(asked->result->error().message(), "Blob data size exceeds limit.");
  ASSERT_EQ(asked->result->error().details().size(), 1u) << "QueryFailed, as if the worker had said it";
}

}  // namespace
}  // namespace holdfast::engine
