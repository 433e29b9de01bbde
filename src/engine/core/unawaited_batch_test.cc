// A batch that nobody waits for, with what is out early: how long it stays, and what ends that.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <utility>
#include <vector>

#include "api/messages.h"
#include "engine/engine_fixture.h"

namespace holdfast::engine {
namespace {

// One worker in this process, whose activity `look` is pure; a batch that nobody waits for may wait longer
// than any test.
class UnawaitedBatchTest : public EngineTest {
 protected:
  UnawaitedBatchTest() {
    close();
    options_.core.limits.pure_activities = {"look"};
    options_.unawaited_wait_us = 3'600'000'000;
    options_.on_commit = [this](std::chrono::nanoseconds, std::size_t) { ++commits_; };
    open();
    start("w");
    workflow_task_ =
        token_of<ws::PollWorkflowTaskQueueResponse>(*send(api::Method::kPollWorkflowTaskQueue, poll()));
    begun_ = commits_;
  }
  template <typename Request>
  std::unique_ptr<Answer> send(api::Method method, Request request) {
    api::CallOptions options;
    options.in_process_workflow_worker = true;
    auto answer = std::make_unique<Answer>();
    request.set_namespace_("default");
    engine_->start(method, std::make_unique<Request>(std::move(request)), options, answer->completion());
    return answer;
  }
  template <typename Response>
  static std::string token_of(Answer& answer) {
    auto result = answer.wait();
    if (!result) return result.error().to_string();
    return static_cast<const Response&>(**result).task_token();
  }
  std::unique_ptr<Answer> complete(std::vector<pb::command::v1::Command> commands) {
    ws::RespondWorkflowTaskCompletedRequest request;
    request.set_task_token(workflow_task_);
    for (auto& command : commands) request.add_commands()->Swap(&command);
    return send(api::Method::kRespondWorkflowTaskCompleted, std::move(request));
  }
  // The run asks for it, beside `others`; this worker takes it.
  std::unique_ptr<Answer> take_look(std::vector<pb::command::v1::Command> others = {}) {
    pb::command::v1::Command command;
    command.set_command_type(enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
    auto& attributes = *command.mutable_schedule_activity_task_command_attributes();
    attributes.set_activity_id("1");
    attributes.mutable_activity_type()->set_name("look");
    attributes.mutable_task_queue()->set_name("q");
    attributes.mutable_start_to_close_timeout()->set_seconds(60);
    others.push_back(std::move(command));
    ws::PollActivityTaskQueueRequest request;
    request.mutable_task_queue()->set_name("q");
    auto polled = send(api::Method::kPollActivityTaskQueue, request);
    auto answer = complete(std::move(others));
    activity_task_ = token_of<ws::PollActivityTaskQueueResponse>(*polled);
    return answer;
  }

  std::atomic<int> commits_ = 0;
  int begun_ = 0;
  std::string workflow_task_;
  std::string activity_task_;
};

TEST_F(UnawaitedBatchTest, GoesWithWhatFollowsFromIt) {
  auto first = take_look();
  EXPECT_EQ(commits_, begun_) << "the call is under way and not yet on the disk";
  auto polled = send(api::Method::kPollWorkflowTaskQueue, poll());
  ws::RespondActivityTaskCompletedRequest done;
  done.set_task_token(activity_task_);
  auto second = send(api::Method::kRespondActivityTaskCompleted, done);
  workflow_task_ = token_of<ws::PollWorkflowTaskQueueResponse>(*polled);
  EXPECT_EQ(commits_, begun_);
  pb::command::v1::Command end;
  end.set_command_type(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION);
  end.mutable_complete_workflow_execution_command_attributes();
  auto third = complete({end});
  for (auto* answer : {first.get(), second.get(), third.get()}) {
    auto result = answer->wait();
    EXPECT_TRUE(result) << result.error().to_string();
  }
  EXPECT_EQ(commits_, begun_ + 1);
}

TEST_F(UnawaitedBatchTest, GoesAtOnceWhenSomebodyAsks) {
  auto answer = take_look();
  ws::DescribeWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id("w");
  const auto shown =
      call<ws::DescribeWorkflowExecutionResponse>(api::Method::kDescribeWorkflowExecution, request);
  EXPECT_EQ(shown.pending_activities_size(), 1);
  EXPECT_EQ(commits_, begun_ + 1) << "what is shown is on the disk";
  EXPECT_TRUE(answer->wait());
}

TEST_F(UnawaitedBatchTest, KeepsNoTimerWaiting) {
  pb::command::v1::Command timer;
  timer.set_command_type(enums::COMMAND_TYPE_START_TIMER);
  timer.mutable_start_timer_command_attributes()->set_timer_id("t");
  timer.mutable_start_timer_command_attributes()->mutable_start_to_fire_timeout()->set_nanos(1'000'000);
  auto answer = take_look({timer});
  auto polled = send(api::Method::kPollWorkflowTaskQueue, poll());
  EXPECT_THAT(token_of<ws::PollWorkflowTaskQueueResponse>(*polled), ::testing::Not(::testing::IsEmpty()));
  engine_.reset();
  EXPECT_TRUE(answer->wait()) << "what was accepted is committed and answered at the end";
}

}  // namespace
}  // namespace holdfast::engine
