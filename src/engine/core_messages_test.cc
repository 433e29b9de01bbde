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

}  // namespace
}  // namespace holdfast::engine
