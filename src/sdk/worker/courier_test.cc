// Which answers are given again when they did not get through, and which are not: a connection that fails as
// told, and a clock that runs ahead, so that no pause is waited for.

#include "worker/courier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "client/call.h"
#include "fixture/hasty_clock.h"
#include "os/thread_executor.h"

namespace holdfast::worker {
namespace {

using fixture::HastyClock;

// Fails with each of `errors` in turn, then succeeds.
class Failing : public api::Connection {
 public:
  std::shared_ptr<api::CallHandle> start(api::Method method, api::MessagePtr, api::CallOptions options,
                                         api::Completion done) override {
    can_wait = options.in_process_workflow_worker;
    const std::size_t call = calls++;
    if (call < errors.size()) {
      done(fail(errors[call]));
    } else {
      done(api::new_response(method));
    }
    return nullptr;
  }
  std::vector<Status> errors;
  std::atomic<std::size_t> calls = 0;
  bool can_wait = false;  // of the last call: its answer lets nothing go on
};

class Answers : public ::testing::Test {
 protected:
  // What became of an answer.
  Code deliver(std::vector<Status> errors) {
    connection_.errors = std::move(errors);
    connection_.calls = 0;
    std::atomic<Code> outcome = Code::kOk;
    constexpr auto kMethod = api::Method::kRespondActivityTaskCompleted;
    courier_.deliver(kMethod, api::new_request(kMethod), nullptr, [&](Result<api::MessagePtr> result) {
      if (!result) outcome = result.error().code();
    });
    courier_.drain();
    return outcome;
  }

  HastyClock clock_;
  Failing connection_;
  TimerLoop timers_{clock_, std::make_unique<os::ThreadExecutor>("timers")};
  Courier courier_{connection_, clock_, timers_, LogSink()};
};

TEST_F(Answers, AreGivenAgainWhenTheyMayNotHaveArrived) {
  for (const Code code : {Code::kUnavailable, Code::kAborted, Code::kResourceExhausted, Code::kInternal,
                          Code::kUnknown, Code::kDeadlineExceeded}) {
    EXPECT_EQ(deliver({Status(code, "broken"), Status(code, "broken")}), Code::kOk);
    EXPECT_EQ(connection_.calls, 3u);
  }
}

TEST_F(Answers, AreNotGivenAgainWhenTheEngineRefusedThem) {
  for (const Code code : {Code::kNotFound, Code::kInvalidArgument, Code::kFailedPrecondition}) {
    EXPECT_EQ(deliver({Status(code, "no")}), code);
    EXPECT_EQ(connection_.calls, 1u);
  }
}

TEST_F(Answers, AreNotGivenAgainWhenTheyAreTooLarge) {
  for (const char* text : {"CLIENT: Sent message larger than max (5000000 vs. 4194304)",
                           "grpc: received message larger than max (5000000 vs. 4194304)",
                           "gRPC message exceeds maximum size 4194304: 5000000"}) {
    const Status error(Code::kResourceExhausted, text);
    EXPECT_TRUE(client::is_too_large(error));
    EXPECT_EQ(deliver({error, error}), Code::kResourceExhausted);
    EXPECT_EQ(connection_.calls, 1u);
  }
}

TEST(Reports, LetTheEngineTakeItsTimeWhereNobodyWaits) {
  HastyClock clock;
  Failing connection;
  TimerLoop timers(clock, std::make_unique<os::ThreadExecutor>("timers"));
  constexpr auto kMethod = api::Method::kRespondWorkflowTaskCompleted;
  for (const bool in_process : {true, false}) {
    Courier courier(connection, clock, timers, LogSink(), in_process);
    courier.deliver(kMethod, api::new_request(kMethod), nullptr, [](Result<api::MessagePtr>) {});
    courier.drain();
    EXPECT_EQ(connection.can_wait, in_process);
    courier.deliver(kMethod, api::new_request(kMethod), nullptr, [](Result<api::MessagePtr>) {}, true);
    courier.drain();
    EXPECT_FALSE(connection.can_wait) << "the worker goes on with the engine's word";
  }
}

TEST(Log, IsNotWrittenOnTheThreadOfTheConnection) {
  HastyClock clock;
  Failing connection;
  TimerLoop timers(clock, std::make_unique<os::ThreadExecutor>("timers"));
  std::thread::id wrote = std::this_thread::get_id();
  std::string text;
  Courier courier(connection, clock, timers, [&](workflow::LogLevel, std::string_view message) {
    wrote = std::this_thread::get_id();
    text = message;
  });
  courier.log_soon(workflow::LogLevel::kWarn, "said on the connection's thread");
  courier.drain();
  EXPECT_EQ(text, "said on the connection's thread");
  EXPECT_NE(wrote, std::this_thread::get_id());
}

}  // namespace
}  // namespace holdfast::worker
