// Goal: a wait ends when it should, is bounded, costs one timer, and a mistake is told to the model in words
// it can act on. Method: definitions and arguments through the type's functions; the call itself in a
// workflow that is fed with hand-written histories, so that thirty days take no time.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "activities/one_tool.h"
#include "agent/workflow_tool.h"
#include "base/iso_time.h"
#include "holdfast/worker.h"
#include "protocol/names.h"
#include "worker/history_builder.h"
#include "worker/workflow_run.h"

namespace holdfast::agent {
namespace {

using protocol::PlannedCall;
using protocol::StepInput;
using protocol::ToolAnswer;
using ::testing::HasSubstr;

const WallTime kNow = *parse_iso_time("2026-11-21T09:00:00Z");

// What the model is told about its arguments, or what the workflow gets.
std::string planned(const Json& arguments,
                    std::string_view entry = "{name: w, type: wait, wait: {max: 30d}}") {
  const ToolSpec tool = read_one_tool(entry)->tools.at(0);
  PlannedCall call;
  auto bad = tool.type->plan({tool, arguments, kNow}, call);
  return bad ? *bad : call.input.dump();
}

TEST(WaitTool, ADefinitionNeedsNothingAndMayBoundIt) {
  auto plain = read_one_tool("{name: w, type: wait}");
  ASSERT_TRUE(plain.has_value()) << plain.error().message();
  const Json tool = Json::parse(canonical_json(*plain))["spec"]["tools"][0];
  EXPECT_EQ(tool["wait"], Json({{"max", "1d"}}));
  EXPECT_FALSE(tool.contains("timeout") || tool.contains("retry") || tool.contains("effect"));
  EXPECT_TRUE(tool["parameters"]["properties"].contains("until"));
  auto again = parse_definition(canonical_json(*plain), "a");
  ASSERT_TRUE(again.has_value()) << again.error().message();
  EXPECT_EQ(version_of(*again), version_of(*plain));
}

TEST(WaitTool, WhatItDoesNotHaveIsSaidWithItsPlace) {
  EXPECT_EQ(
      error_of_tool("{name: w, type: wait, wait: {max: soon}}"),
      "agent.yaml:8:41: `spec.tools[0].wait.max`: must be a duration such as 250ms, 30s, 5m, 1h30m or 7d, "
      "not `soon`");
  EXPECT_THAT(error_of_tool("{name: w, type: wait, effect: pure}"),
              HasSubstr("waiting changes nothing; remove `effect`"));
  EXPECT_THAT(error_of_tool("{name: w, type: wait, timeout: 1h}"),
              HasSubstr("a tool of type `wait` makes no attempts; remove it"));
  EXPECT_THAT(error_of_tool("{name: w, type: wait, parameters: {properties: {hours: {type: integer}}}}"),
              HasSubstr("a wait has the arguments `duration` and `until`, not `hours`"));
  EXPECT_THAT(
      error_of_tool("{name: w, type: wiat}"),
      HasSubstr(
          "agent.yaml:8:23: `spec.tools[0].type`: unknown value `wiat`; did you mean `wait`? (one of "));
}

TEST(WaitTool, TheModelSaysHowLongOrUntilWhen) {
  EXPECT_EQ(planned({{"duration", "1h30m"}}), R"({"duration_ms":5400000})");
  EXPECT_EQ(planned({{"duration", "30d"}}), R"({"duration_ms":2592000000})");
  EXPECT_EQ(planned({{"until", "2026-11-21T11:00:00+01:00"}}), R"({"until_ms":1795255200000})");
  EXPECT_EQ(planned({{"until", "2020-01-01T00:00:00Z"}}), R"({"until_ms":1577836800000})");  // over already
}

TEST(WaitTool, WhatCannotBeIsToldToTheModel) {
  EXPECT_EQ(planned(Json::object()), "give `duration` or `until`, one of them");
  EXPECT_EQ(planned({{"duration", "1s"}, {"until", "2026-11-22T09:00:00Z"}}),
            "give `duration` or `until`, one of them");
  EXPECT_EQ(planned({{"duration", "31d"}}), "`duration` may be 30d at most, not 31d");
  EXPECT_EQ(planned({{"duration", 300}}), "`duration` must be such as 90s, 5m, 1h30m or 7d, not `300`");
  EXPECT_EQ(planned({{"until", "2027-01-01T00:00:00Z"}}),
            "`until` may be 30d from now at most; now it is 2026-11-21T09:00:00.000Z");
  EXPECT_EQ(planned({{"until", "tomorrow"}}),
            "`until` must be a time such as 2026-12-24T09:00:00Z, not `tomorrow`");
  EXPECT_EQ(planned({{"duration", "25h"}}, "{name: w, type: wait}"), "`duration` may be 1d at most, not 25h");
}

// The call in a run of its own.
class WaitCall : public ::testing::Test {
 protected:
  WaitCall() {
    registry_.register_workflow("w", [](workflow::Context& ctx, PlannedCall call) -> Task<ToolAnswer> {
      return find_workflow_tool("wait")->run(WorkflowCall(ctx, std::move(call), {}));
    });
  }

  // The run's only command after the history so far.
  worker::Command next() {
    if (!run_) run_ = std::make_unique<worker::WorkflowRun>(registry_, "default", "wf", "run", LogSink());
    const auto result = run_->apply(history_.events(), {});
    EXPECT_FALSE(result.failure.has_value());
    EXPECT_EQ(result.commands.size(), 1u);
    return result.commands.empty() ? worker::Command() : result.commands.front();
  }
  worker::Command begin(const Json& input) {
    PlannedCall call;
    call.verdict = protocol::Verdict::kAllow;
    call.kind = "wait";
    call.call.tool = "pause";
    call.call.key = "k";
    call.input = input;
    history_.started("w", call).task();
    return next();
  }
  // The bookkeeping that `scheduled` asked for is done.
  worker::Command recorded(const worker::Command& scheduled) {
    const auto& attributes = scheduled.schedule_activity_task_command_attributes();
    history_.completed();
    const auto event =
        history_.activity_scheduled(attributes.activity_id(), attributes.activity_type().name());
    history_.activity_completed(event, Json()).task();
    return next();
  }
  static std::string activity_of(const worker::Command& command) {
    return command.schedule_activity_task_command_attributes().activity_type().name();
  }
  static StepInput step_of(const worker::Command& command) {
    const auto& input = command.schedule_activity_task_command_attributes().input();
    return from_payload<StepInput>(client::from_proto(input.payloads(0)));
  }

  worker::HistoryBuilder history_;
  Registry registry_;
  std::unique_ptr<worker::WorkflowRun> run_;
};

constexpr std::int64_t kDay = 86'400;

TEST_F(WaitCall, IsOneTimerBetweenTwoEntriesOfTheLog) {
  const worker::Command started = begin({{"duration_ms", 30 * kDay * 1000}});
  EXPECT_EQ(activity_of(started), protocol::kStepStartedActivity);
  EXPECT_EQ(step_of(started).details["until"], "2023-12-14T22:13:23.000Z");
  const worker::Command timer = recorded(started);
  ASSERT_TRUE(timer.has_start_timer_command_attributes());
  const auto& attributes = timer.start_timer_command_attributes();
  EXPECT_EQ(attributes.start_to_fire_timeout().seconds(),
            30 * kDay - 5);  // recording the start took 5 seconds
  history_.completed();
  const auto event = history_.timer_started(attributes.timer_id());
  history_.later(std::chrono::seconds(30 * kDay - 10));
  history_.timer_fired(attributes.timer_id(), event).task();
  const worker::Command completed = next();
  EXPECT_EQ(activity_of(completed), protocol::kStepCompletedActivity);
  EXPECT_EQ(step_of(completed).text, R"({"now":"2023-12-14T22:13:23.000Z","waited":"30d"})");
  const worker::Command end = recorded(completed);
  const auto& result = end.complete_workflow_execution_command_attributes().result();
  const auto answer = from_payload<ToolAnswer>(client::from_proto(result.payloads(0)));
  EXPECT_EQ(answer.source, protocol::AnswerSource::kStep);
  EXPECT_EQ(answer.key, "tool:k");
}

TEST_F(WaitCall, UntilATimeThatIsOverDoesNotWait) {
  const worker::Command started = begin({{"until_ms", 0}});
  EXPECT_EQ(activity_of(recorded(started)), protocol::kStepCompletedActivity);
}

TEST_F(WaitCall, CancellationEndsTheTimer) {
  const worker::Command timer = recorded(begin({{"duration_ms", kDay * 1000}}));
  history_.completed();
  history_.timer_started(timer.start_timer_command_attributes().timer_id());
  history_.cancel_requested().task();
  const auto result = run_->apply(history_.events(), {});
  ASSERT_EQ(result.commands.size(), 2u);
  EXPECT_TRUE(result.commands[0].has_cancel_timer_command_attributes());
  EXPECT_TRUE(result.commands[1].has_cancel_workflow_execution_command_attributes());
}

}  // namespace
}  // namespace holdfast::agent
