// What a client sends and makes of answers, against a connection that answers when the test says so: the
// calls with a callback, their end with the client, and what happens when the engine cannot take a call.
// tests/worker_e2e has the same against real engines.

#include "holdfast/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <future>
#include <thread>

#include "api/connection.h"
#include "api/messages.h"
#include "os/clock.h"
#include "os/thread_executor.h"

namespace holdfast {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

// Keeps calls open until the test answers them, in order.
class HeldConnection : public api::Connection {
 public:
  struct Call : api::CallHandle {
    void cancel() override { finish(fail(Code::kCancelled, "cancelled")); }
    void finish(Result<api::MessagePtr> answer) {
      if (!done) return;
      auto job = [done = std::move(done), answer = std::move(answer)]() mutable { done(std::move(answer)); };
      done = nullptr;
      executor ? executor->post(std::move(job)) : job();
    }
    api::Method method;
    api::MessagePtr request;
    Executor* executor = nullptr;
    api::Completion done;
  };

  std::shared_ptr<api::CallHandle> start(api::Method method, api::MessagePtr request,
                                         api::CallOptions options, api::Completion done) override {
    auto call = std::make_shared<Call>();
    call->method = method;
    call->request = std::move(request);
    call->executor = options.executor;
    call->done = std::move(done);
    calls.push_back(call);
    if (!answers.empty()) {
      auto answer = std::move(answers.front());
      answers.pop_front();
      call->finish(std::move(answer));
    }
    return call;
  }
  template <typename Request>
  const Request& request(std::size_t i) const {
    return static_cast<const Request&>(*calls.at(i)->request);
  }

  std::vector<std::shared_ptr<Call>> calls;
  std::deque<Result<api::MessagePtr>> answers;  // given at once
};

class ClientTest : public testing::Test {
 protected:
  // Everything that was posted to the callbacks' executor has run.
  void settle() {
    std::promise<void> reached;
    executor_.post([&] { reached.set_value(); });
    reached.get_future().wait();
  }

  os::SystemClock clock_;
  os::SystemRandom random_;
  Environment environment_{
      clock_, random_, [](const std::string& name) { return std::make_unique<os::ThreadExecutor>(name); }};
  os::ThreadExecutor executor_{"callbacks"};
  HeldConnection connection_;
  Client client_{connection_, environment_,
                 ClientOptions().namespace_name("ns").identity("me").fail_fast(true).callbacks(&executor_)};
};

std::unique_ptr<ws::GetWorkflowExecutionHistoryResponse> closing(enums::EventType type) {
  auto answer = std::make_unique<ws::GetWorkflowExecutionHistoryResponse>();
  auto* event = answer->mutable_history()->add_events();
  event->set_event_type(type);
  event->mutable_event_time()->set_seconds(7);
  return answer;
}

TEST_F(ClientTest, WatchingTellsHowTheWorkflowClosed) {
  std::optional<WorkflowClose> seen;
  client_.workflow("w").watch_close(seconds(60), [&](Result<std::optional<WorkflowClose>> close) {
    ASSERT_TRUE(close);
    seen = std::move(*close);
  });
  const auto& request = connection_.request<ws::GetWorkflowExecutionHistoryRequest>(0);
  EXPECT_EQ(request.namespace_(), "ns");
  EXPECT_EQ(request.execution().workflow_id(), "w");
  EXPECT_TRUE(request.wait_new_event());
  auto answer = closing(enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED);
  answer->mutable_history()
      ->mutable_events(0)
      ->mutable_workflow_execution_terminated_event_attributes()
      ->set_reason("enough");
  connection_.calls[0]->finish(std::move(answer));
  settle();
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->status, WorkflowStatus::kTerminated);
  EXPECT_EQ(seen->reason, "enough");
  EXPECT_EQ(seen->outcome.error().message(), "the workflow was terminated: enough");
  EXPECT_EQ(seen->time, WallTime(seconds(7)));
}

TEST_F(ClientTest, AWorkflowThatGoesOnAsAnotherRunIsNotClosed) {
  auto answer = closing(enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED);
  answer->mutable_history()
      ->mutable_events(0)
      ->mutable_workflow_execution_failed_event_attributes()
      ->set_new_execution_run_id("next");
  connection_.answers.push_back(std::move(answer));
  connection_.answers.push_back(std::make_unique<ws::GetWorkflowExecutionHistoryResponse>());
  for (int i = 0; i < 2; ++i) {  // a retry, and no close event at all
    auto close = client_.workflow("w").find_close();
    ASSERT_TRUE(close);
    EXPECT_FALSE(*close);
  }
  EXPECT_FALSE(connection_.request<ws::GetWorkflowExecutionHistoryRequest>(0).wait_new_event());
}

TEST_F(ClientTest, AnUpdateWithACallbackSaysWhetherItEnded) {
  std::vector<Code> codes;
  std::vector<std::string> values;
  const auto done = [&](Result<Outcome<Payload>> outcome) {
    codes.push_back(outcome ? Code::kOk : outcome.error().code());
    if (outcome) values.push_back(outcome->ok() ? outcome->value().data : outcome->error().message());
  };
  const auto handle = client_.workflow("w");
  for (int i = 0; i < 4; ++i) handle.update_async("decide", UpdateOptions().update_id("u"), done, 1);
  const auto& request = connection_.request<ws::UpdateWorkflowExecutionRequest>(0);
  EXPECT_EQ(request.request().meta().update_id(), "u");
  EXPECT_EQ(request.request().meta().identity(), "me");
  EXPECT_EQ(request.request().input().name(), "decide");
  EXPECT_EQ(request.request().input().args().payloads(0).data(), "1");
  EXPECT_EQ(request.wait_policy().lifecycle_stage(),
            enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED);

  auto success = std::make_unique<ws::UpdateWorkflowExecutionResponse>();
  success->mutable_outcome()->mutable_success()->add_payloads()->set_data("2");
  connection_.calls[0]->finish(std::move(success));
  auto failure = std::make_unique<ws::UpdateWorkflowExecutionResponse>();
  failure->mutable_outcome()->mutable_failure()->set_message("no");
  connection_.calls[1]->finish(std::move(failure));
  connection_.calls[2]->finish(std::make_unique<ws::UpdateWorkflowExecutionResponse>());
  connection_.calls[3]->finish(fail(Code::kUnavailable, "gone"));
  settle();
  EXPECT_THAT(codes, ElementsAre(Code::kOk, Code::kOk, Code::kDeadlineExceeded, Code::kUnavailable));
  EXPECT_THAT(values, ElementsAre("2", "no"));
}

TEST_F(ClientTest, ClosingEndsWhatWaitsAndWhatComesLater) {
  std::vector<Code> codes;
  const auto done = [&](const Result<std::optional<WorkflowClose>>& close) {
    codes.push_back(close ? Code::kOk : close.error().code());
  };
  client_.workflow("a").watch_close(seconds(60), done);
  client_.workflow("b").watch_close(seconds(60), done);
  client_.close();
  EXPECT_THAT(codes, ElementsAre(Code::kCancelled, Code::kCancelled));
  client_.workflow("c").watch_close(seconds(60), done);
  EXPECT_THAT(codes, ElementsAre(Code::kCancelled, Code::kCancelled, Code::kCancelled));
  EXPECT_EQ(connection_.calls.size(), 2u);
}

TEST_F(ClientTest, CallbacksHaveAThreadOfTheClientsOwnWhenNoneIsNamed) {
  std::thread::id ran;
  {
    Client client(connection_, environment_);
    client.workflow("a").watch_close(seconds(60), [&](const auto&) { ran = std::this_thread::get_id(); });
  }  // the client's end is the call's
  EXPECT_NE(ran, std::thread::id());
  EXPECT_NE(ran, std::this_thread::get_id());
}

TEST_F(ClientTest, FailingFastIsOneAttempt) {
  connection_.answers.push_back(fail(Code::kUnavailable, "away"));
  EXPECT_EQ(client_.server_version().error().code(), Code::kUnavailable);
  EXPECT_EQ(connection_.calls.size(), 1u);

  Client patient(connection_, environment_);
  connection_.answers.push_back(fail(Code::kUnavailable, "away"));
  auto info = std::make_unique<ws::GetSystemInfoResponse>();
  info->set_server_version("1.2");
  connection_.answers.push_back(std::move(info));
  EXPECT_EQ(patient.server_version().value_or("none"), "1.2");
  EXPECT_EQ(connection_.calls.size(), 3u);
}

TEST_F(ClientTest, ARepeatedCancelCanBeTheSameRequest) {
  for (const char* id : {"cancel-1", ""}) {
    connection_.answers.push_back(std::make_unique<ws::RequestCancelWorkflowExecutionResponse>());
    EXPECT_TRUE(client_.workflow("w").cancel("why", id).ok());
  }
  EXPECT_EQ(connection_.request<ws::RequestCancelWorkflowExecutionRequest>(0).request_id(), "cancel-1");
  EXPECT_EQ(connection_.request<ws::RequestCancelWorkflowExecutionRequest>(1).request_id().size(), 36u);
}

TEST_F(ClientTest, DescribeTellsWhatTheWorkflowWaitsFor) {
  auto answer = std::make_unique<ws::DescribeWorkflowExecutionResponse>();
  auto* waiting = answer->add_pending_activities();
  waiting->set_activity_id("1");
  waiting->mutable_activity_type()->set_name("call");
  waiting->set_state(enums::PENDING_ACTIVITY_STATE_SCHEDULED);
  waiting->set_attempt(3);
  waiting->mutable_last_failure()->set_message("locked");
  waiting->mutable_scheduled_time()->set_seconds(9);
  answer->add_pending_activities()->set_state(enums::PENDING_ACTIVITY_STATE_STARTED);
  connection_.answers.push_back(std::move(answer));
  auto description = client_.workflow("w").describe();
  ASSERT_TRUE(description);
  ASSERT_EQ(description->pending_activities.size(), 2u);
  const PendingActivity& first = description->pending_activities[0];
  EXPECT_EQ(first.activity_type, "call");
  EXPECT_EQ(first.attempt, 3);
  EXPECT_EQ(first.last_failure->message(), "locked");
  EXPECT_EQ(first.next_attempt_at, WallTime(seconds(9)));
  EXPECT_EQ(description->pending_activities[1].attempt, 1);
  EXPECT_EQ(description->pending_activities[1].last_failure, nullptr);
  EXPECT_FALSE(description->pending_activities[1].next_attempt_at);
}

}  // namespace
}  // namespace holdfast
