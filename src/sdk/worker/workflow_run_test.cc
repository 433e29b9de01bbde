// A run fed with hand-written histories: every machine emits its command, takes its event, resolves; replay
// needs no new commands; a disagreement names both sides. No engine, no threads.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <vector>

#include "base/every_row.h"
#include "worker/history_builder.h"
#include "worker/workflow_run.h"

namespace holdfast::worker {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const auto* const kEveryRow = ::testing::AddGlobalTestEnvironment(new EveryRow);

ActivityOptions quick() {
  return ActivityOptions().start_to_close(10s);
}

class Runs : public ::testing::Test {
 protected:
  WorkflowRun& run() {
    if (!run_) run_ = std::make_unique<WorkflowRun>(registry_, "default", "wf", "run", LogSink());
    return *run_;
  }
  TaskResult apply(const HistoryBuilder& history, const ProtocolMessages& messages = {}) {
    return run().apply(history.events(), messages);
  }
  // A new worker reads the same history from its start.
  TaskResult replay(const HistoryBuilder& history) {
    run_.reset();
    return apply(history);
  }
  static std::vector<std::string> commands(const TaskResult& result) {
    if (result.failure) return {"FAILED: " + result.failure->failure.message()};
    std::vector<std::string> out;
    for (const auto& each : result.commands) {
      out.push_back(enums::CommandType_Name(each.command_type()).substr(sizeof("COMMAND_TYPE_") - 1));
    }
    return out;
  }
  static std::string text_of(const TaskResult& result) {
    for (const auto& each : result.commands) {
      if (each.has_complete_workflow_execution_command_attributes()) {
        return each.complete_workflow_execution_command_attributes().result().payloads(0).data();
      }
    }
    return {};
  }

  Registry registry_;
  std::unique_ptr<WorkflowRun> run_;
};

TEST_F(Runs, AnActivityIsScheduledAndItsResultReachesTheCode) {
  registry_.register_workflow("w", [](workflow::Context& ctx, int value) -> Task<int> {
    co_return co_await ctx.activity<int>("double", quick().task_queue("other"), value);
  });
  HistoryBuilder history;
  history.started("w", 21).task();
  const auto first = apply(history);
  ASSERT_THAT(commands(first), ElementsAre("SCHEDULE_ACTIVITY_TASK"));
  const auto& attributes = first.commands[0].schedule_activity_task_command_attributes();
  EXPECT_EQ(attributes.activity_id(), "1");
  EXPECT_EQ(attributes.task_queue().name(), "other");
  EXPECT_EQ(attributes.start_to_close_timeout().seconds(), 10);

  history.completed();
  const auto scheduled = history.activity_scheduled("1", "double");
  history.activity_completed(scheduled, 42).task();
  const auto second = apply(history);
  EXPECT_THAT(commands(second), ElementsAre("COMPLETE_WORKFLOW_EXECUTION"));
  EXPECT_EQ(text_of(second), "42");
  EXPECT_EQ(text_of(replay(history)), "42");
}

TEST_F(Runs, ReplayEmitsOnlyWhatHistoryDoesNotHave) {
  registry_.register_workflow("w", [](workflow::Context& ctx) -> Task<void> {
    co_await ctx.activity<int>("a", quick());
    co_await ctx.activity<int>("b", quick());
  });
  HistoryBuilder history;
  history.started("w").task().completed();
  const auto scheduled = history.activity_scheduled("1", "a");
  history.activity_completed(scheduled, 1).task();
  const auto result = replay(history);
  ASSERT_THAT(commands(result), ElementsAre("SCHEDULE_ACTIVITY_TASK"));
  EXPECT_EQ(result.commands[0].schedule_activity_task_command_attributes().activity_type().name(), "b");
}

TEST_F(Runs, AFailedWorkflowTaskIsAsIfItHadNotBeen) {
  registry_.register_workflow(
      "w", [](workflow::Context& ctx) -> Task<std::int64_t> { co_return ctx.now().time_since_epoch() / 1s; });
  HistoryBuilder history;
  history.started("w").task().task_failed().task();
  EXPECT_EQ(text_of(apply(history)), std::to_string(1'700'000'000 + 6));
}

TEST_F(Runs, TimerCanceledBeforeItIsRecordedEmitsNoCommand) {
  registry_.register_workflow("w", [](workflow::Context& ctx) -> Task<std::string> {
    auto timer = ctx.start_timer(1h);
    timer.cancel();
    auto outcome = co_await attempt(timer.fired());
    co_return outcome.error().message();
  });
  HistoryBuilder history;
  history.started("w").task();
  EXPECT_THAT(commands(apply(history)), ElementsAre("COMPLETE_WORKFLOW_EXECUTION"));
}

TEST_F(Runs, TimerCanceledAfterItIsRecordedEmitsItsCancellation) {
  registry_.register_workflow("w", [](workflow::Context& ctx) -> Task<void> {
    auto timer = ctx.start_timer(1h);
    co_await ctx.signal_channel<int>("go").receive();
    timer.cancel();
    co_await ctx.signal_channel<int>("go").receive();
  });
  HistoryBuilder history;
  history.started("w").task();
  EXPECT_THAT(commands(apply(history)), ElementsAre("START_TIMER"));
  history.completed();
  history.timer_started("1");
  history.signaled("go", 1).task();
  EXPECT_THAT(commands(apply(history)), ElementsAre("CANCEL_TIMER"));
  EXPECT_THAT(commands(replay(history)), ElementsAre("CANCEL_TIMER"));
  history.completed();
  history.add(enums::EVENT_TYPE_TIMER_CANCELED).mutable_timer_canceled_event_attributes()->set_timer_id("1");
  history.signaled("go", 2).task();
  EXPECT_THAT(commands(apply(history)), ElementsAre("COMPLETE_WORKFLOW_EXECUTION"));
}

Task<void> nothing() {
  co_return;
}

// What code takes back in the task that asked for it was never asked for.
TEST_F(Runs, WhatIsCanceledBeforeItIsSentEmitsNoCommand) {
  for (const auto type : {ActivityCancellation::kTryCancel, ActivityCancellation::kAbandon}) {
    run_.reset();
    registry_.register_workflow("w", [type](workflow::Context& ctx) -> Task<int> {
      auto activity = ctx.start_activity<int>("a", quick().cancellation(type));
      activity.cancel();
      const CancelScope scope = ctx.scope();
      auto child = ctx.spawn(scope, ctx.child<int>("c", ChildOptions().workflow_id("c1")));
      auto signal = ctx.spawn(scope, ctx.signal_external("other", "", "hello"));
      co_await ctx.spawn(nothing());  // behind the two, which have begun by then
      scope.cancel();
      int canceled = 0;
      canceled += is_canceled((co_await attempt(activity.result())).error()) ? 1 : 0;
      canceled += is_canceled((co_await attempt(std::move(child))).error()) ? 10 : 0;
      canceled += is_canceled((co_await attempt(std::move(signal))).error()) ? 100 : 0;
      co_return canceled;
    });
    HistoryBuilder history;
    history.started("w").task();
    const auto result = apply(history);
    EXPECT_THAT(commands(result), ElementsAre("COMPLETE_WORKFLOW_EXECUTION"));
    EXPECT_EQ(text_of(result), "111");
  }
}

TEST_F(Runs, AnAbandonedActivityMayEndLater) {
  registry_.register_workflow("w", [](workflow::Context& ctx) -> Task<std::string> {
    auto handle = ctx.start_activity<int>("a", quick().cancellation(ActivityCancellation::kAbandon));
    co_await ctx.signal_channel<int>("go").receive();
    handle.cancel();
    co_await ctx.signal_channel<int>("go").receive();
    auto outcome = co_await attempt(handle.result());
    co_return is_canceled(outcome.error()) ? "canceled" : "failed";
  });
  HistoryBuilder history;
  history.started("w").task().completed();
  const auto scheduled = history.activity_scheduled("1", "a");
  history.signaled("go", 1).task();
  EXPECT_THAT(commands(apply(history)), IsEmpty());
  history.completed().activity_completed(scheduled, 1).signaled("go", 2).task();
  for (const auto& result : {apply(history), replay(history)}) EXPECT_EQ(text_of(result), "\"canceled\"");
}

TEST_F(Runs, ASignalToAnotherWorkflowArrivesOrFails) {
  registry_.register_workflow("w", [](workflow::Context& ctx) -> Task<std::string> {
    auto outcome = co_await attempt(ctx.signal_external("other", "", "hello"));
    co_return outcome.ok() ? "delivered" : "not found";
  });
  for (const bool found : {true, false}) {
    run_.reset();
    HistoryBuilder history;
    history.started("w").task();
    EXPECT_THAT(commands(apply(history)), ElementsAre("SIGNAL_EXTERNAL_WORKFLOW_EXECUTION"));
    history.completed();
    auto& initiated = history.add(enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED);
    const auto id = initiated.event_id();
    auto& request = *initiated.mutable_signal_external_workflow_execution_initiated_event_attributes();
    request.mutable_workflow_execution()->set_workflow_id("other");
    request.set_signal_name("hello");
    if (found) {
      history.add(enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED)
          .mutable_external_workflow_execution_signaled_event_attributes()
          ->set_initiated_event_id(id);
    } else {
      history.add(enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED)
          .mutable_signal_external_workflow_execution_failed_event_attributes()
          ->set_initiated_event_id(id);
    }
    history.task();
    for (const auto& result : {apply(history), replay(history)}) {
      EXPECT_EQ(text_of(result), found ? "\"delivered\"" : "\"not found\"");
    }
  }
}

TEST_F(Runs, ActivityCancellationTypes) {
  for (const auto type : {ActivityCancellation::kTryCancel, ActivityCancellation::kWaitCompleted,
                          ActivityCancellation::kAbandon}) {
    run_.reset();
    registry_.register_workflow("w", [type](workflow::Context& ctx) -> Task<std::string> {
      auto handle = ctx.start_activity<int>("a", quick().cancellation(type));
      co_await ctx.signal_channel<int>("go").receive();
      handle.cancel();
      auto outcome = co_await attempt(handle.result());
      co_return is_canceled(outcome.error()) ? "canceled" : "failed";
    });
    HistoryBuilder history;
    history.started("w").task().completed();
    const auto scheduled = history.activity_scheduled("1", "a");
    history.signaled("go", 1).task();
    const auto result = apply(history);
    if (type == ActivityCancellation::kTryCancel) {
      EXPECT_THAT(commands(result),
                  ElementsAre("REQUEST_CANCEL_ACTIVITY_TASK", "COMPLETE_WORKFLOW_EXECUTION"));
    } else if (type == ActivityCancellation::kAbandon) {
      EXPECT_THAT(commands(result), ElementsAre("COMPLETE_WORKFLOW_EXECUTION"));
    } else {
      EXPECT_THAT(commands(result), ElementsAre("REQUEST_CANCEL_ACTIVITY_TASK"));
      history.completed();
      history.add(enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED)
          .mutable_activity_task_cancel_requested_event_attributes()
          ->set_scheduled_event_id(scheduled);
      history.add(enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED)
          .mutable_activity_task_canceled_event_attributes()
          ->set_scheduled_event_id(scheduled);
      history.task();
      EXPECT_EQ(text_of(apply(history)), "\"canceled\"");
      EXPECT_EQ(text_of(replay(history)), "\"canceled\"");
    }
  }
}

TEST_F(Runs, SignalsComeBeforeResolutionsOfTheSameTask) {
  registry_.register_workflow("w", [](workflow::Context& ctx) -> Task<std::string> {
    std::string order;
    ctx.on_signal("s", [&](std::string text) { order += text; });
    auto activity = ctx.start_activity<int>("a", quick());
    auto timer = ctx.spawn([](workflow::Context& c, std::string* out) -> Task<void> {
      co_await c.sleep(1h);
      *out += "timer ";
    }(ctx, &order));
    co_await activity.result();
    order += "activity ";
    co_await timer;
    co_return order;
  });
  HistoryBuilder history;
  history.started("w").task().completed();
  const auto scheduled = history.activity_scheduled("1", "a");
  const auto timer = history.timer_started("1");
  history.timer_fired("1", timer).activity_completed(scheduled, 1).signaled("s", "signal ").task();
  EXPECT_EQ(text_of(apply(history)), "\"signal timer activity \"");
  EXPECT_EQ(text_of(replay(history)), "\"signal timer activity \"");
}

TEST_F(Runs, SignalsWaitForTheirHandler) {
  registry_.register_workflow("w", [](workflow::Context& ctx) -> Task<std::string> {
    co_await ctx.sleep(1s);
    std::string seen;
    ctx.on_signal("s", [&](std::string text) { seen += text; });
    co_await ctx.wait([&] { return seen.size() == 2; });
    co_return seen;
  });
  HistoryBuilder history;
  history.started("w").signaled("s", "a").signaled("s", "b").task().completed();
  const auto timer = history.timer_started("1");
  history.timer_fired("1", timer).task();
  EXPECT_EQ(text_of(apply(history)), "\"ab\"");
}

TEST_F(Runs, ASignalThatCannotBeReadIsDroppedAndTheWorkflowLives) {
  registry_.register_workflow("w", [](workflow::Context& ctx) -> Task<int> {
    int value = 0;
    ctx.on_signal("s", [&](int number) { value = number; });
    co_await ctx.wait([&] { return value != 0; });
    co_return value;
  });
  HistoryBuilder history;
  history.started("w").signaled("s", "no number").signaled("s", 5).task();
  EXPECT_EQ(text_of(apply(history)), "5");
}

// Nobody may stop a run for good by sending what its code cannot read.
TEST_F(Runs, AChannelDropsWhatCannotBeReadAndGoesOn) {
  registry_.register_workflow("w", [](workflow::Context& ctx) -> Task<int> {
    auto numbers = ctx.signal_channel<int>("s");
    auto pairs = ctx.signal_channel<int, std::string>("pairs");
    const int first = co_await numbers.receive();
    const auto pair = pairs.try_receive();
    co_return first + (pair ? std::get<0>(*pair) : 0);
  });
  HistoryBuilder history;
  history.started("w").signaled("pairs", "no pair").signaled("s", "no number").task();
  EXPECT_THAT(commands(apply(history)), IsEmpty());
  history.completed().signaled("s").signaled("s", 5).task();
  EXPECT_EQ(text_of(apply(history)), "5");
  EXPECT_EQ(text_of(replay(history)), "5");
}

TEST_F(Runs, AReceiverOutlivesADynamicSignalHandler) {
  registry_.register_workflow("w", [](workflow::Context& ctx) -> Task<int> {
    std::vector<Future<int>> received;
    for (const char* name : {"a", "b", "c"}) {
      auto channel = ctx.signal_channel<int>(name);
      received.push_back(ctx.spawn(channel.receive()));
    }
    co_await ctx.signal_channel<int>("dynamic").receive();
    ctx.set_dynamic_signal_handler([](std::string, std::vector<Payload>) -> Task<void> { co_return; });
    co_await ctx.sleep(1s);
    ctx.set_dynamic_signal_handler(nullptr);
    int sum = 0;
    for (const auto& each : received) sum += co_await each;
    co_return sum;
  });
  HistoryBuilder history;
  history.started("w").signaled("dynamic", 1).task();
  EXPECT_THAT(commands(apply(history)), ElementsAre("START_TIMER"));
  history.completed();
  const auto timer = history.timer_started("1");
  history.timer_fired("1", timer).task();
  EXPECT_THAT(commands(apply(history)), IsEmpty());
  history.completed().signaled("c", 1).signaled("b", 2).signaled("a", 4).task();
  EXPECT_EQ(text_of(apply(history)), "7");
}

ProtocolMessages update_message(const std::string& id, const std::string& name, int argument) {
  pb::update::v1::Request request;
  request.mutable_meta()->set_update_id(id);
  request.mutable_input()->set_name(name);
  client::set_payloads(to_payloads(argument), request.mutable_input()->mutable_args());
  ProtocolMessages messages;
  auto& message = *messages.Add();
  message.set_id(id + "/request");
  message.set_protocol_instance_id(id);
  message.set_event_id(1);
  message.mutable_body()->PackFrom(request);
  return messages;
}

Task<int> updated(workflow::Context& ctx) {
  int total = 0;
  ctx.on_update(
      "add",
      [&](int value) -> Task<int> {
        co_await ctx.sleep(1s);
        total += value;
        co_return total;
      },
      [&](int value) {
        if (value < 0) throw ApplicationFailure("negative");
        if (value == 99) (void)ctx.start_timer(1s);  // validators only look
        if (value == 98) ctx.continue_as_new();
        if (value == 97) throw 97;
      });
  co_await ctx.wait([&] { return total > 10; });
  co_return total;
}

TEST_F(Runs, AnUpdateIsAcceptedAndCompletedAtItsPlaceAmongTheCommands) {
  registry_.register_workflow("w", updated);
  HistoryBuilder history;
  history.started("w").task();
  const auto first = apply(history, update_message("u1", "add", 20));
  ASSERT_THAT(commands(first), ElementsAre("PROTOCOL_MESSAGE", "START_TIMER"));
  ASSERT_EQ(first.messages.size(), 1u);
  EXPECT_EQ(first.messages[0].id(), first.commands[0].protocol_message_command_attributes().message_id());
  pb::update::v1::Acceptance acceptance;
  ASSERT_TRUE(first.messages[0].body().UnpackTo(&acceptance));
  EXPECT_EQ(acceptance.accepted_request_message_id(), "u1/request");

  history.completed();
  auto& accepted = *history.add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED)
                        .mutable_workflow_execution_update_accepted_event_attributes();
  accepted.set_protocol_instance_id("u1");
  *accepted.mutable_accepted_request() = acceptance.accepted_request();
  const auto timer = history.timer_started("1");
  history.timer_fired("1", timer).task();
  for (const auto& result : {apply(history), replay(history)}) {
    ASSERT_THAT(commands(result), ElementsAre("PROTOCOL_MESSAGE", "COMPLETE_WORKFLOW_EXECUTION"));
    pb::update::v1::Response response;
    ASSERT_TRUE(result.messages.at(0).body().UnpackTo(&response));
    EXPECT_EQ(response.outcome().success().payloads(0).data(), "20");
    EXPECT_EQ(response.meta().update_id(), "u1");
  }
}

TEST_F(Runs, AnUpdateMayBeAcceptedAndCompletedInOneTask) {
  registry_.register_workflow("w", [](workflow::Context& ctx) -> Task<int> {
    int total = 0;
    ctx.on_update("add", [&](int value) -> Task<int> { co_return total += value; });
    co_return co_await ctx.signal_channel<int>("go").receive();
  });
  HistoryBuilder history;
  history.started("w").task();
  const auto first = apply(history, update_message("u1", "add", 20));
  ASSERT_THAT(commands(first), ElementsAre("PROTOCOL_MESSAGE", "PROTOCOL_MESSAGE"));
  pb::update::v1::Acceptance acceptance;
  ASSERT_TRUE(first.messages.at(0).body().UnpackTo(&acceptance));
  history.completed();
  auto& accepted = *history.add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED)
                        .mutable_workflow_execution_update_accepted_event_attributes();
  accepted.set_protocol_instance_id("u1");
  *accepted.mutable_accepted_request() = acceptance.accepted_request();
  history.add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED)
      .mutable_workflow_execution_update_completed_event_attributes()
      ->mutable_meta()
      ->set_update_id("u1");
  history.signaled("go", 7).task();
  for (const auto& result : {apply(history), replay(history)}) EXPECT_EQ(text_of(result), "7");
}

TEST_F(Runs, ARejectedUpdateLeavesNoCommandAndTheTaskCanBeForgotten) {
  registry_.register_workflow("w", updated);
  HistoryBuilder history;
  history.started("w").task();
  EXPECT_THAT(commands(apply(history)), IsEmpty());
  history.completed();
  HistoryBuilder with_update = history;
  with_update.task();
  for (const int bad : {-1, 99, 98, 97}) {
    const auto rejected = apply(with_update, update_message("u", "add", bad));
    EXPECT_THAT(commands(rejected), IsEmpty());
    ASSERT_EQ(rejected.messages.size(), 1u);
    pb::update::v1::Rejection rejection;
    EXPECT_TRUE(rejected.messages[0].body().UnpackTo(&rejection));
    run().forget_last_task();
  }
  history.signaled("other").task();
  EXPECT_THAT(commands(apply(history)), IsEmpty());
  EXPECT_FALSE(run().closed());
}

TEST_F(Runs, ADisagreementNamesBothSides) {
  registry_.register_workflow("w", [](workflow::Context& ctx) -> Task<void> { co_await ctx.sleep(1s); });
  HistoryBuilder history;
  history.started("w").task().completed();
  history.activity_scheduled("1", "charge");
  history.task();
  const auto result = apply(history);
  ASSERT_TRUE(result.failure);
  EXPECT_EQ(result.failure->cause, enums::WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR);
  EXPECT_EQ(result.failure->failure.message(),
            "workflow \"wf\" of type \"w\": [TMPRL1100] history and workflow code disagree at event 5\n"
            "  history: ActivityTaskScheduled(activity_id \"1\", activity_type \"charge\")\n"
            "  code:    TimerStarted(timer_id \"1\")");
}

TEST_F(Runs, CodeThatDoesLessOrMoreThanHistoryIsADisagreementToo) {
  registry_.register_workflow("less", [](workflow::Context& ctx) -> Task<void> {
    co_await ctx.signal_channel<int>("never").receive();
  });
  HistoryBuilder more;
  more.started("less").task().completed();
  more.timer_started("1");
  more.task();
  EXPECT_THAT(apply(more).failure->failure.message(),
              HasSubstr("TimerStarted(timer_id \"1\")\n  code:    nothing"));

  run_.reset();
  registry_.register_workflow("more", [](workflow::Context& ctx) -> Task<void> { co_await ctx.sleep(1s); });
  HistoryBuilder less;
  less.started("more").task().completed().signaled("s").task();
  EXPECT_THAT(
      apply(less).failure->failure.message(),
      HasSubstr("at event 5\n  history: WorkflowExecutionSignaled\n  code:    TimerStarted(timer_id \"1\")"));
}

TEST_F(Runs, PatchesAreTakenByNewRunsAndNotByOldOnes) {
  registry_.register_workflow("w", [](workflow::Context& ctx) -> Task<std::string> {
    co_await ctx.signal_channel<int>("go").receive();
    co_return ctx.patched("p") && ctx.patched("p") ? "new" : "old";
  });
  HistoryBuilder history;
  history.started("w").signaled("go", 1).task();
  const auto fresh = apply(history);
  EXPECT_THAT(commands(fresh), ElementsAre("RECORD_MARKER", "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
                                           "COMPLETE_WORKFLOW_EXECUTION"));
  EXPECT_EQ(fresh.commands[0].record_marker_command_attributes().marker_name(), "core_patch");

  HistoryBuilder old = history;
  old.completed();
  old.add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED);
  EXPECT_THAT(commands(replay(old)), IsEmpty());
}

TEST_F(Runs, ADeprecatedPatchMayBeGoneFromTheCode) {
  registry_.register_workflow("w", [](workflow::Context& ctx) -> Task<int> {
    ctx.deprecate_patch("p");
    co_return 1;
  });
  HistoryBuilder history;
  history.started("w").task();
  const auto recorded = apply(history);
  history.completed();
  auto& marker = *history.add(enums::EVENT_TYPE_MARKER_RECORDED).mutable_marker_recorded_event_attributes();
  marker.set_marker_name("core_patch");
  *marker.mutable_details() = recorded.commands[0].record_marker_command_attributes().details();
  *history.add(enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES)
       .mutable_upsert_workflow_search_attributes_event_attributes()
       ->mutable_search_attributes() =
      recorded.commands[1].upsert_workflow_search_attributes_command_attributes().search_attributes();
  history.add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED);
  EXPECT_THAT(commands(replay(history)), IsEmpty());
  registry_.register_workflow("w", [](workflow::Context&) -> Task<int> { co_return 1; });
  EXPECT_THAT(commands(replay(history)), IsEmpty());
}

TEST_F(Runs, RandomnessAndIdsAreTheSameOnReplay) {
  registry_.register_workflow("w", [](workflow::Context& ctx) -> Task<std::string> {
    co_return ctx.uuid() + std::to_string(ctx.random());
  });
  HistoryBuilder history;
  history.started("w").task();
  const std::string first = text_of(apply(history));
  EXPECT_EQ(text_of(replay(history)), first);
}

TEST_F(Runs, CancellationReachesTheCodeAndClosesTheRun) {
  registry_.register_workflow("w", [](workflow::Context& ctx) -> Task<void> { co_await ctx.sleep(1h); });
  HistoryBuilder history;
  history.started("w").task().completed();
  history.timer_started("1");
  history.cancel_requested().task();
  EXPECT_THAT(commands(apply(history)), ElementsAre("CANCEL_TIMER", "CANCEL_WORKFLOW_EXECUTION"));
}

// Code need not keep the handles of what it started: cancellation finds it all the same, in the order in
// which it was started, and what has ended is left alone.
TEST_F(Runs, CancellationReachesWhatNobodyHoldsAHandleOf) {
  registry_.register_workflow("w", [](workflow::Context& ctx) -> Task<void> {
    std::vector<Task<int>> branches;
    branches.push_back(ctx.start_activity<int>("a", quick()).result());
    branches.push_back(ctx.start_activity<int>("b", quick()).result());
    const auto fired = ctx.start_timer(1h).fired();
    (void)ctx.start_timer(2h);
    branches.push_back((co_await ctx.start_child<int>("c", ChildOptions().workflow_id("c1"))).result());
    auto together = co_await attempt(all(std::move(branches)));
    co_await fired;
  });
  HistoryBuilder history;
  history.started("w").task().completed();
  const auto a = history.activity_scheduled("1", "a");
  history.activity_scheduled("2", "b");
  history.timer_started("1");
  history.timer_started("2");
  auto& initiated = history.add(enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED);
  const auto id = initiated.event_id();
  auto& child = *initiated.mutable_start_child_workflow_execution_initiated_event_attributes();
  child.set_workflow_id("c1");
  child.mutable_workflow_type()->set_name("c");
  history.add(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED)
      .mutable_child_workflow_execution_started_event_attributes()
      ->set_initiated_event_id(id);
  history.activity_completed(a, 1).task();
  EXPECT_THAT(commands(apply(history)), IsEmpty());
  history.completed().cancel_requested().task();
  for (const auto& result : {apply(history), replay(history)}) {
    EXPECT_THAT(commands(result), ElementsAre("REQUEST_CANCEL_ACTIVITY_TASK", "CANCEL_TIMER", "CANCEL_TIMER",
                                              "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION"));
  }
}

// Thousands of activities that ended must not pile up below the scope that started them, nor may a run that
// is thrown away leave anything behind.
TEST_F(Runs, WhatHasEndedLeavesItsScope) {
  std::weak_ptr<holdfast::detail::ScopeState> scope;
  registry_.register_workflow("w", [&scope](workflow::Context& ctx) -> Task<void> {
    Future<Payload> result;
    {
      const auto started = ctx.start_activity_raw("a", quick(), {});
      scope = started.scope.state();
      result = started.result;
    }
    co_await result;
    co_await ctx.signal_channel<int>("never").receive();
  });
  HistoryBuilder history;
  history.started("w").task();
  apply(history);
  EXPECT_FALSE(scope.expired());
  run_.reset();
  EXPECT_TRUE(scope.expired());
  history.completed();
  const auto activity = history.activity_scheduled("1", "a");
  history.activity_completed(activity, 1).task();
  EXPECT_THAT(commands(apply(history)), IsEmpty());
  EXPECT_TRUE(scope.expired());
}

// What is canceled may end in the very task that cancels it: history gives the events in their order, and
// code saw the cancellation first.
TEST_F(Runs, ATimerThatFiresInTheTaskThatCancelsItStaysCanceled) {
  registry_.register_workflow("w", [](workflow::Context& ctx) -> Task<std::string> {
    auto outcome = co_await attempt(ctx.sleep(1h));
    co_await ctx.shielded(ctx.activity<int>("clean up", quick()));
    co_return outcome.ok() ? "fired" : "canceled";
  });
  HistoryBuilder history;
  history.started("w").task();
  apply(history);
  history.completed();
  const auto timer = history.timer_started("1");
  history.cancel_requested().timer_fired("1", timer).task();
  // There is nothing left to cancel, and an engine refuses to.
  EXPECT_THAT(commands(apply(history)), ElementsAre("SCHEDULE_ACTIVITY_TASK"));
  EXPECT_THAT(commands(replay(history)), ElementsAre("SCHEDULE_ACTIVITY_TASK"));
  history.completed();
  const auto activity = history.activity_scheduled("1", "clean up");
  history.activity_completed(activity, 1).task();
  EXPECT_EQ(text_of(apply(history)), "\"canceled\"");
  EXPECT_EQ(text_of(replay(history)), "\"canceled\"");
}

TEST_F(Runs, AnActivityThatEndsInTheTaskThatCancelsItNeedsNoCancellation) {
  registry_.register_workflow("w", [](workflow::Context& ctx) -> Task<std::string> {
    auto outcome = co_await attempt(ctx.activity<int>("a", quick()));
    co_return outcome.ok() ? "done" : "canceled";
  });
  HistoryBuilder history;
  history.started("w").task().completed();
  const auto activity = history.activity_scheduled("1", "a");
  history.cancel_requested().activity_completed(activity, 1).task();
  for (const auto& result : {replay(history), replay(history)}) {
    EXPECT_THAT(commands(result), ElementsAre("COMPLETE_WORKFLOW_EXECUTION"));
    EXPECT_EQ(text_of(result), "\"canceled\"");
  }
}

TEST_F(Runs, AChildThatEndsInTheTaskThatCancelsItHasItsOwnEnding) {
  registry_.register_workflow("w", [](workflow::Context& ctx) -> Task<std::string> {
    auto outcome = co_await attempt(ctx.child<int>("c", ChildOptions().workflow_id("c1")));
    co_return outcome.ok() ? "done" : "canceled";
  });
  for (const bool started : {true, false}) {
    HistoryBuilder history;
    history.started("w").task().completed();
    auto& initiated = history.add(enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED);
    const auto id = initiated.event_id();
    auto& child = *initiated.mutable_start_child_workflow_execution_initiated_event_attributes();
    child.set_workflow_id("c1");
    child.mutable_workflow_type()->set_name("c");
    if (started) {
      history.add(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED)
          .mutable_child_workflow_execution_started_event_attributes()
          ->set_initiated_event_id(id);
    }
    history.cancel_requested();
    if (started) {
      auto& completed = *history.add(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED)
                             .mutable_child_workflow_execution_completed_event_attributes();
      completed.set_initiated_event_id(id);
      *completed.mutable_result()->add_payloads() = client::to_proto(to_payload(1));
    } else {
      history.add(enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED)
          .mutable_start_child_workflow_execution_failed_event_attributes()
          ->set_initiated_event_id(id);
    }
    history.task();
    // The request went out before the ending was read: it finds nobody, which is no error.
    for (const auto& result : {replay(history), replay(history)}) {
      EXPECT_THAT(commands(result),
                  ElementsAre("REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION", "COMPLETE_WORKFLOW_EXECUTION"));
      EXPECT_EQ(text_of(result), started ? "\"done\"" : "\"canceled\"");
    }
  }
}

TEST_F(Runs, ABugFailsTheTaskAndAFailureTheWorkflow) {
  registry_.register_workflow("bug", [](workflow::Context&) -> Task<void> {
    throw std::logic_error("impossible");
    co_return;
  });
  registry_.register_workflow("failure", [](workflow::Context&) -> Task<void> {
    throw ApplicationFailure("sorry", "Sorry");
    co_return;
  });
  HistoryBuilder bug;
  bug.started("bug").task();
  const auto failed = apply(bug);
  ASSERT_TRUE(failed.failure);
  EXPECT_EQ(failed.failure->cause, enums::WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE);
  EXPECT_EQ(failed.failure->failure.message(), "impossible");
  EXPECT_EQ(failed.failure->failure.application_failure_info().type(), "std::logic_error");
  run_.reset();
  HistoryBuilder failure;
  failure.started("failure").task();
  EXPECT_THAT(commands(apply(failure)), ElementsAre("FAIL_WORKFLOW_EXECUTION"));
}

TEST_F(Runs, QueriesOnlyLook) {
  registry_.register_workflow("w", [](workflow::Context& ctx) -> Task<void> {
    ctx.on_query("now", [] { return 1; });
    ctx.on_query("acts", [&ctx] {
      ctx.start_timer(1s);
      return 1;
    });
    co_await ctx.signal_channel<int>("never").receive();
  });
  HistoryBuilder history;
  history.started("w").task();
  EXPECT_THAT(commands(apply(history)), IsEmpty());
  pb::query::v1::WorkflowQuery query;
  query.set_query_type("now");
  EXPECT_EQ(run().query(query).answer().payloads(0).data(), "1");
  query.set_query_type("acts");
  EXPECT_THAT(run().query(query).error_message(), HasSubstr("validators and query handlers only look"));
}

TEST_F(Runs, TellsWhatItTakes) {
  registry_.register_workflow("w", [](workflow::Context& ctx) -> Task<void> {
    ctx.on_query("now", [] { return 1; });
    ctx.on_signal("go", [](int) {});
    ctx.start_timer(1s);
    co_await ctx.signal_channel<int>("come").receive();
  });
  HistoryBuilder history;
  history.started("w").task();
  EXPECT_THAT(commands(apply(history)), ElementsAre("START_TIMER"));
  pb::query::v1::WorkflowQuery query;
  query.set_query_type("__temporal_workflow_metadata");
  const auto result = run().query(query);
  const auto& answer = result.answer().payloads(0);
  EXPECT_EQ(answer.metadata().at("encoding"), "json/protobuf");
  EXPECT_EQ(nlohmann::json::parse(answer.data()),
            nlohmann::json::parse(R"({"definition": {"type": "w", "queryDefinitions": [{"name": "now"}],
                                      "signalDefinitions": [{"name": "come"}, {"name": "go"}], "updateDefinitions": []}})"));
}

TEST_F(Runs, AQueryHandlerMayThrowAnything) {
  registry_.register_workflow("w", [](workflow::Context& ctx) -> Task<void> {
    ctx.on_query("number", []() -> int { throw 42; });
    ctx.on_query("again", [&ctx]() -> int { ctx.continue_as_new(); });
    co_await ctx.signal_channel<int>("go").receive();
    co_await ctx.sleep(1s);
  });
  HistoryBuilder history;
  history.started("w").task();
  EXPECT_THAT(commands(apply(history)), IsEmpty());
  for (const char* name : {"number", "again"}) {
    pb::query::v1::WorkflowQuery query;
    query.set_query_type(name);
    const auto answer = run().query(query);
    EXPECT_EQ(answer.result_type(), enums::QUERY_RESULT_TYPE_FAILED);
    EXPECT_THAT(answer.error_message(), HasSubstr("query \"" + std::string(name) + "\" threw"));
  }
  // Code may act again afterwards.
  history.completed().signaled("go", 1).task();
  EXPECT_THAT(commands(apply(history)), ElementsAre("START_TIMER"));
}

TEST_F(Runs, AnEvictedRunDestroysWhatWaits) {
  bool destroyed = false;
  class Flag {
   public:
    explicit Flag(bool* at) : at_(at) {}
    ~Flag() { *at_ = true; }
    Flag(const Flag&) = delete;
    Flag& operator=(const Flag&) = delete;

   private:
    bool* at_;
  };
  registry_.register_workflow("w", [&destroyed](workflow::Context& ctx) -> Task<void> {
    const Flag flag(&destroyed);
    co_await all(ctx.sleep(1h), ctx.activity<int>("a", quick()));
  });
  HistoryBuilder history;
  history.started("w").task();
  apply(history);
  EXPECT_FALSE(destroyed);
  run_.reset();
  EXPECT_TRUE(destroyed);
}

TEST(Replayer, RefusesWhatIsNoHistory) {
  Replayer replayer;
  EXPECT_EQ(replayer.replay_json("{").error().code(), Code::kInvalidArgument);
  EXPECT_EQ(replayer.replay_json("{}").error().code(), Code::kInvalidArgument);
  HistoryBuilder history;
  history.started("w").task();
  const auto unknown = replayer.replay_binary(history.binary());
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message(), HasSubstr("no workflow of type \"w\""));
}

}  // namespace
}  // namespace holdfast::worker
