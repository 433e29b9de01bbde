// Activities through a real engine: results, retries with all that steers them, heartbeats, cancellation,
// completion from elsewhere.

#include <atomic>

#include "fixture.h"

namespace holdfast::e2e {
namespace {

Task<std::string> greet(workflow::Context& ctx, std::string name) {
  co_return co_await ctx.activity<std::string>("compose", quick(), "Hello", name);
}

TEST_P(Sdk, HelloWorld) {
  Worker& worker = new_worker();
  worker.register_workflow("greet", greet);
  worker.register_activity("compose", [](activity::Context&, std::string greeting, std::string name) {
    return greeting + ", " + name + "!";
  });
  start_worker();
  EXPECT_EQ(result<std::string>(start("greet", "World")), "Hello, World!");
}

Task<int> ten_steps(workflow::Context& ctx) {
  int sum = 0;
  for (int i = 0; i < 10; ++i) sum += co_await ctx.activity<int>("number", quick(), i);
  co_return sum;
}

TEST_P(Sdk, TenStepsInARow) {
  Worker& worker = new_worker();
  worker.register_workflow("ten_steps", ten_steps);
  worker.register_activity("number", [](activity::Context&, int i) { return i; });
  start_worker();
  EXPECT_EQ(result<int>(start("ten_steps")), 45);
}

Task<int> fan_out(workflow::Context& ctx, int width) {
  std::vector<Task<int>> branches;
  for (int i = 0; i < width; ++i) branches.push_back(ctx.activity<int>("number", quick(), i));
  const std::vector<int> numbers = co_await all(std::move(branches));
  int sum = 0;
  for (const int number : numbers) sum += number;
  co_return sum;
}

TEST_P(Sdk, ActivitiesInParallel) {
  Worker& worker = new_worker();
  worker.register_workflow("fan_out", fan_out);
  worker.register_activity("number", [](activity::Context&, int i) { return i; });
  start_worker();
  EXPECT_EQ(result<int>(start("fan_out", 20)), 190);
}

Task<std::string> retried(workflow::Context& ctx) {
  co_return co_await ctx.activity<std::string>("flaky",
                                               quick().retry(RetryPolicy().initial(10ms).attempts(5)));
}

TEST_P(Sdk, AnActivityIsRetriedUntilItSucceeds) {
  Worker& worker = new_worker();
  worker.register_workflow("retried", retried);
  worker.register_activity("flaky", [](activity::Context& ctx) {
    if (ctx.info().attempt < 3) throw std::runtime_error("not yet");
    return "attempt " + std::to_string(ctx.info().attempt);
  });
  start_worker();
  EXPECT_EQ(result<std::string>(start("retried")), "attempt 3");
}

Task<std::string> gives_up(workflow::Context& ctx) {
  auto outcome =
      co_await attempt(ctx.activity<int>("broken", quick().retry(RetryPolicy().initial(10ms).attempts(2))));
  const auto* cause = find_failure<ApplicationFailure>(outcome.error());
  co_return outcome.error().to_string() + " / " + from_payload<std::string>(cause->details().at(0));
}

TEST_P(Sdk, TheLastFailureReachesTheWorkflowWithTypeAndDetails) {
  Worker& worker = new_worker();
  worker.register_workflow("gives_up", gives_up);
  worker.register_activity("broken", [](activity::Context& ctx) -> int {
    throw ApplicationFailure("no luck on attempt " + std::to_string(ctx.info().attempt), "BadLuck", false,
                             to_payloads("a detail"));
  });
  start_worker();
  EXPECT_THAT(result<std::string>(start("gives_up")),
              HasSubstr("ApplicationFailure(BadLuck): no luck on attempt 2 / a detail"));
}

Task<void> fails_at_once(workflow::Context& ctx) {
  co_await ctx.activity<void>("final", quick().retry(RetryPolicy().initial(10ms).non_retryable("Final")));
}

TEST_P(Sdk, NonRetryableTypesEndTheRetriesAndFailTheWorkflow) {
  std::atomic<int> calls = 0;
  Worker& worker = new_worker();
  worker.register_workflow("fails_at_once", fails_at_once);
  worker.register_activity("final", [&calls](activity::Context&) {
    ++calls;
    throw ApplicationFailure("over", "Final");
  });
  start_worker();
  const FailurePtr why = failure(start("fails_at_once"));
  ASSERT_NE(find_failure<ActivityFailure>(*why), nullptr);
  EXPECT_EQ(find_failure<ActivityFailure>(*why)->retry_state(), RetryState::kNonRetryableFailure);
  EXPECT_EQ(calls, 1);
}

TEST_P(Sdk, NextRetryDelayReplacesThePolicysInterval) {
  Worker& worker = new_worker();
  worker.register_workflow("patient", [](workflow::Context& ctx) -> Task<int> {
    co_return co_await ctx.activity<int>("limited", quick().retry(RetryPolicy().initial(1h)));
  });
  worker.register_activity("limited", [](activity::Context& ctx) {
    if (ctx.info().attempt == 1) {
      throw ApplicationFailure("rate limited", "RateLimit", false, {}, Duration(20ms));
    }
    return ctx.info().attempt;
  });
  start_worker();
  EXPECT_EQ(result<int>(start("patient")), 2);
}

TEST_P(Sdk, AnActivityThatIsTooSlowTimesOut) {
  Worker& worker = new_worker();
  worker.register_workflow("impatient", [](workflow::Context& ctx) -> Task<std::string> {
    auto outcome = co_await attempt(ctx.activity<void>(
        "slow", ActivityOptions().start_to_close(300ms).heartbeat(200ms).retry(RetryPolicy().attempts(1))));
    const auto* timeout = find_failure<TimeoutFailure>(outcome.error());
    co_return timeout == nullptr ? outcome.error().to_string() : "timeout";
  });
  const auto done = std::make_shared<Latch>();  // the activity outlives this body
  worker.register_activity("slow", [done](activity::Context&) { done->wait(); });
  start_worker();
  EXPECT_EQ(result<std::string>(start("impatient")), "timeout");
  done->set();
}

TEST_P(Sdk, HeartbeatDetailsReachTheNextAttempt) {
  Worker& worker = new_worker();
  worker.register_workflow("resumes", [](workflow::Context& ctx) -> Task<int> {
    co_return co_await ctx.activity<int>("steps", quick().heartbeat(5s).retry(RetryPolicy().initial(10ms)));
  });
  worker.register_activity("steps", [](activity::Context& ctx) {
    const int from = ctx.last_heartbeat<int>().value_or(0);
    if (ctx.info().attempt == 1) {
      for (int i = 1; i <= 7; ++i) ctx.heartbeat(i);
      throw std::runtime_error("interrupted");
    }
    return from;
  });
  start_worker();
  EXPECT_EQ(result<int>(start("resumes")), 7);
}

TEST_P(Sdk, ACanceledActivityLearnsItThroughItsHeartbeat) {
  Worker& worker = new_worker();
  Latch started;
  worker.register_workflow("cancels", [](workflow::Context& ctx) -> Task<std::string> {
    auto handle = ctx.start_activity<void>(
        "long", quick().heartbeat(1s).cancellation(ActivityCancellation::kWaitCompleted));
    co_await ctx.signal_channel<int>("go").receive();
    handle.cancel();
    auto outcome = co_await attempt(handle.result());
    const auto* canceled = find_failure<CanceledFailure>(outcome.error());
    co_return canceled == nullptr ? outcome.error().to_string()
                                  : from_payload<std::string>(canceled->details().at(0));
  });
  worker.register_activity("long", [&started](activity::Context& ctx) {
    started.set();
    for (int i = 0; !ctx.sleep(20ms); ++i) ctx.heartbeat(i);
    throw CanceledFailure("canceled", to_payloads("cleaned up"));
  });
  start_worker();
  const auto handle = start("cancels");
  ASSERT_TRUE(started.wait());
  ASSERT_TRUE(handle.signal("go", 1).ok());
  EXPECT_EQ(result<std::string>(handle), "cleaned up");
}

TEST_P(Sdk, AnActivityIsCompletedFromElsewhere) {
  Worker& worker = new_worker();
  Latch started;
  std::string token;
  worker.register_workflow("external", [](workflow::Context& ctx) -> Task<std::string> {
    co_return co_await ctx.activity<std::string>("by_others", quick());
  });
  worker.register_activity("by_others", [&](activity::Context& ctx) -> std::string {
    token = ctx.info().task_token;
    started.set();
    throw activity::CompleteLater();
  });
  start_worker();
  const auto handle = start("external");
  ASSERT_TRUE(started.wait());
  const Status status = client_->complete_activity(token, "from elsewhere");
  ASSERT_TRUE(status.ok()) << status.to_string();
  EXPECT_EQ(result<std::string>(handle), "from elsewhere");
}

TEST_P(Sdk, DynamicFormsTakeWhateverComes) {
  Worker& worker = new_worker();
  worker.register_dynamic_workflow(
      [](workflow::Context& ctx, std::vector<Payload> arguments) -> Task<Payload> {
        co_return co_await ctx.run_activity(ctx.info().workflow_type + "_activity", quick(),
                                            std::move(arguments));
      });
  worker.register_dynamic_activity([](activity::Context& ctx, std::vector<Payload> arguments) {
    return to_payload(ctx.info().activity_type + ":" + from_payload<std::string>(arguments.at(0)));
  });
  start_worker();
  EXPECT_EQ(result<std::string>(start("anything", "x")), "anything_activity:x");
}

TEST_P(Sdk, ArgumentsThatDoNotFitFailTheWorkflow) {
  Worker& worker = new_worker();
  worker.register_workflow("greet", greet);
  start_worker();
  EXPECT_THAT(failure(start("greet"))->to_string(), HasSubstr("argument 1 of 1 is missing"));
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Engines, Sdk, ::testing::ValuesIn(backend_names()),
                         [](const auto& param) { return param.param; });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Sdk);

}  // namespace holdfast::e2e
