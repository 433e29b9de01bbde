// Signals, queries, updates, timers, cancellation through a real engine.

#include <atomic>

#include "fixture.h"

namespace holdfast::e2e {
namespace {

Task<std::string> collects(workflow::Context& ctx) {
  std::string seen;
  bool done = false;
  ctx.on_signal("add", [&](std::string text) { seen += text; });
  ctx.on_signal("finish", [&] { done = true; });
  ctx.on_query("seen", [&] { return seen; });
  co_await ctx.wait([&] { return done; });
  co_return seen;
}

TEST_P(Sdk, SignalsArriveInOrderAndQueriesSeeThem) {
  Worker& worker = new_worker();
  worker.register_workflow("collects", collects);
  start_worker();
  const auto handle = start("collects");
  for (const char* text : {"a", "b", "c"}) ASSERT_TRUE(handle.signal("add", text).ok());
  // A query sees what was signaled before it.
  const auto seen = handle.query<std::string>("seen");
  ASSERT_TRUE(seen) << seen.error().to_string();
  EXPECT_EQ(*seen, "abc");
  const auto unknown = handle.query<std::string>("nothing");
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message(), HasSubstr("has no query \"nothing\"; it has the queries \"seen\""));
  ASSERT_TRUE(handle.signal("finish").ok());
  EXPECT_EQ(result<std::string>(handle), "abc");
  // Closed workflows answer, too, as often as they are asked.
  for (int i = 0; i < 3; ++i) {
    const auto after = handle.query<std::string>("seen");
    ASSERT_TRUE(after) << after.error().to_string();
    EXPECT_EQ(*after, "abc");
  }
}

TEST_P(Sdk, SignalWithStartStartsOnce) {
  Worker& worker = new_worker();
  worker.register_workflow("collects", collects);
  start_worker();
  const StartOptions where = start_options();
  auto first = client_->signal_with_start("collects", where, {}, "add", to_payloads("1"));
  ASSERT_TRUE(first) << first.error().to_string();
  auto second = client_->signal_with_start("collects", where, {}, "add", to_payloads("2"));
  ASSERT_TRUE(second) << second.error().to_string();
  EXPECT_EQ(first->run_id(), second->run_id());
  ASSERT_TRUE(first->signal("finish").ok());
  EXPECT_EQ(result<std::string>(*first), "12");
}

Task<int> counter(workflow::Context& ctx) {
  int value = 0;
  bool done = false;
  ctx.on_update(
      "add",
      [&](int amount) -> Task<int> {
        co_await ctx.sleep(1ms);
        value += amount;
        co_return value;
      },
      [](int amount) {
        if (amount < 0) throw ApplicationFailure("only upwards", "Negative");
      });
  ctx.on_update("fail", [&](int) -> int { throw ApplicationFailure("as asked", "Asked"); });
  ctx.on_update("finish", [&] {
    done = true;
    return value;
  });
  co_await ctx.wait([&] { return done && ctx.idle(); });
  co_return value;
}

TEST_P(Sdk, UpdatesReturnValuesAndValidatorsReject) {
  Worker& worker = new_worker();
  worker.register_workflow("counter", counter);
  start_worker();
  const auto handle = start("counter");
  auto five = handle.update<int>("add", 5);
  ASSERT_TRUE(five) << five.error().to_string();
  EXPECT_EQ(five->value(), 5);
  auto rejected = handle.update<int>("add", -1);
  ASSERT_TRUE(rejected) << rejected.error().to_string();
  ASSERT_FALSE(rejected->ok());
  EXPECT_EQ(find_failure<ApplicationFailure>(rejected->error())->type(), "Negative");
  auto again = handle.update<int>("add", -1);
  ASSERT_TRUE(again && !again->ok());
  auto failed = handle.update<int>("fail", 1);
  ASSERT_TRUE(failed && !failed->ok());
  EXPECT_EQ(failed->error().message(), "as asked");
  auto unknown = handle.update<int>("nothing", 1);
  ASSERT_TRUE(unknown && !unknown->ok());
  EXPECT_THAT(unknown->error().message(), HasSubstr("has no update \"nothing\""));
  auto seven = handle.update<int>("add", 2);
  ASSERT_TRUE(seven) << seven.error().to_string();
  EXPECT_EQ(seven->value(), 7);
  auto finish = handle.update<int>("finish");
  ASSERT_TRUE(finish) << finish.error().to_string();
  EXPECT_EQ(result<int>(handle), 7);
  EXPECT_EQ(logged(), "");
}

TEST_P(Sdk, AnUpdateWithTheSameIdHappensOnce) {
  Worker& worker = new_worker();
  worker.register_workflow("counter", counter);
  start_worker();
  const auto handle = start("counter");
  for (int i = 0; i < 2; ++i) {
    auto update = handle.start_update("add", UpdateOptions().update_id("same"), 5);
    ASSERT_TRUE(update) << update.error().to_string();
    auto outcome = update->wait<int>();
    ASSERT_TRUE(outcome) << outcome.error().to_string();
    EXPECT_EQ(outcome->value(), 5);
  }
  auto polled = handle.update_handle("same").wait<int>();
  ASSERT_TRUE(polled) << polled.error().to_string();
  EXPECT_EQ(polled->value(), 5);
  ASSERT_TRUE(handle.terminate("enough").ok());
  EXPECT_NE(find_failure<TerminatedFailure>(*failure(handle)), nullptr);
}

TEST_P(Sdk, TimersFireAndConditionsTimeOut) {
  Worker& worker = new_worker();
  worker.register_workflow("waits", [](workflow::Context& ctx) -> Task<std::string> {
    const auto before = ctx.now();
    co_await ctx.sleep(50ms);
    const bool slept = ctx.now() - before >= 50ms;
    bool never = false;
    const bool in_time = co_await ctx.wait_for([&] { return never; }, 30ms);
    bool now = true;
    const bool at_once = co_await ctx.wait_for([&] { return now; }, 1h);
    auto canceled = ctx.start_timer(1h);
    canceled.cancel();
    const auto outcome = co_await attempt(canceled.fired());
    co_return std::string(slept ? "slept" : "woke early") + (in_time ? " in time" : " timed out") +
        (at_once ? " at once" : "") + (outcome.ok() ? "" : " canceled");
  });
  start_worker();
  EXPECT_EQ(result<std::string>(start("waits")), "slept timed out at once canceled");
}

TEST_P(Sdk, ADecisionRacesATimer) {
  Worker& worker = new_worker();
  worker.register_workflow(
      "approval", [](workflow::Context& ctx, std::int64_t milliseconds) -> Task<std::string> {
        std::optional<std::string> decision;
        ctx.on_update(
            "decide",
            [&](std::string value) {
              decision = value;
              return value;
            },
            [&](std::string) {
              if (decision) throw ApplicationFailure("decided already", "Late");
            });
        const bool decided = co_await ctx.wait_for([&] { return decision.has_value(); },
                                                   std::chrono::milliseconds(milliseconds));
        co_return decided ? *decision : "expired";
      });
  start_worker();
  EXPECT_EQ(result<std::string>(start("approval", 50)), "expired");
  const auto handle = start("approval", 60'000);
  auto update = handle.update<std::string>("decide", "yes");
  ASSERT_TRUE(update) << update.error().to_string();
  EXPECT_EQ(result<std::string>(handle), "yes");
}

Task<std::string> cancellable(workflow::Context& ctx, bool clean_up) {
  auto outcome = co_await attempt(ctx.sleep(1h));
  if (outcome.ok()) co_return "slept";
  if (!clean_up) outcome.error().raise();
  co_return "cleaned up by " + co_await ctx.shielded(ctx.activity<std::string>("clean", quick()));
}

TEST_P(Sdk, CancellationReachesWhatWaitsAndMayBeAnswered) {
  Worker& worker = new_worker();
  worker.register_workflow("cancellable", cancellable);
  worker.register_activity("clean", [](activity::Context&) { return std::string("an activity"); });
  start_worker();
  const auto plain = start("cancellable", false);
  ASSERT_TRUE(plain.cancel("no longer needed").ok());
  EXPECT_NE(find_failure<CanceledFailure>(*failure(plain)), nullptr);
  auto description = plain.describe();
  ASSERT_TRUE(description) << description.error().to_string();
  EXPECT_EQ(description->status, WorkflowStatus::kCanceled);

  const auto cleaning = start("cancellable", true);
  ASSERT_TRUE(cleaning.cancel().ok());
  EXPECT_EQ(result<std::string>(cleaning), "cleaned up by an activity");
}

TEST_P(Sdk, ARaceCancelsTheLoser) {
  Worker& worker = new_worker();
  worker.register_workflow("race", [](workflow::Context& ctx) -> Task<std::string> {
    auto winner = co_await race(ctx.activity<std::string>("never", quick().heartbeat(1s)), ctx.sleep(30ms));
    co_return winner.index() == 1 ? "timer" : "activity";
  });
  Latch canceled;
  worker.register_activity("never", [&canceled](activity::Context& ctx) -> std::string {
    while (!ctx.sleep(20ms)) ctx.heartbeat();
    canceled.set();
    throw CanceledFailure();
  });
  start_worker();
  EXPECT_EQ(result<std::string>(start("race")), "timer");
  EXPECT_TRUE(canceled.wait());
}

}  // namespace
}  // namespace holdfast::e2e
