// A copy of a store goes on with the runs of the original and takes nothing from its workers. Method: a
// worker takes tasks, the store becomes a copy, and the worker answers.

#include "engine/new_identity.h"

#include <gmock/gmock.h>

#include "engine/core_driver.h"

namespace holdfast::engine {
namespace {

using testing::Driver;

ws::RespondActivityTaskCompletedRequest answer_to(const std::string& token) {
  ws::RespondActivityTaskCompletedRequest request;
  request.set_namespace_("default");
  request.set_task_token(token);
  return request;
}

TEST(NewIdentity, WorkersOfTheOriginalAreNotHeard) {
  Driver d;
  d.start("w");
  d.complete(d.workflow_task().task_token(), {Driver::schedule_activity("a", 3600)});
  const auto held = d.activity_task();
  d.start("v");
  const auto task = d.workflow_task();

  d.become_a_copy();
  const Status late = d.error(api::Method::kRespondActivityTaskCompleted, answer_to(held.task_token()));
  EXPECT_EQ(late.code(), Code::kInvalidArgument);
  EXPECT_THAT(late.message(), ::testing::HasSubstr("not issued by this server"));
  EXPECT_EQ(d.error(api::Method::kRespondWorkflowTaskCompleted,
                    Driver::completion(task.task_token(), {Driver::complete_workflow()}))
                .code(),
            Code::kInvalidArgument);
}

TEST(NewIdentity, WhatTheyHeldIsHandedOutAgainAtOnce) {
  Driver d;
  d.start("w");
  d.complete(d.workflow_task().task_token(), {Driver::schedule_activity("a", 3600)});
  const auto held = d.activity_task();
  d.start("v");
  d.workflow_task();

  d.become_a_copy();
  EXPECT_EQ(d.workflow_task().workflow_execution().workflow_id(), "v");
  auto poll = d.poll_activity();
  d.advance(2 * history::kSecond);  // the pause before a second attempt
  const auto again = Driver::take<ws::PollActivityTaskQueueResponse>(poll);
  EXPECT_EQ(again.activity_id(), "a");
  EXPECT_EQ(again.attempt(), held.attempt() + 1);
  d.complete_activity(again.task_token(), "done");
  d.complete(d.workflow_task().task_token(), {Driver::complete_workflow()});
  EXPECT_EQ(d.events("w").back(), "WorkflowExecutionCompleted");
}

TEST(NewIdentity, OnlyTheFirstOpenGivesBack) {
  Driver d;
  d.start("w");
  d.complete(d.workflow_task().task_token(), {Driver::schedule_activity("a", 3600)});
  d.become_a_copy();
  const auto held = d.activity_task();
  d.crash();
  d.complete_activity(held.task_token(), "done");
}

TEST(NewIdentity, TheClusterIsAnotherOne) {
  Driver d;
  const auto cluster = [&] {
    return d.call<ws::GetClusterInfoResponse>(api::Method::kGetClusterInfo, ws::GetClusterInfoRequest())
        .cluster_id();
  };
  const std::string before = cluster();
  d.become_a_copy();
  EXPECT_NE(cluster(), before);
}

}  // namespace
}  // namespace holdfast::engine
