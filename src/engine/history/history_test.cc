// The state machines without an engine around them: events go in their order, deadlines follow from the
// state, and what has no row in a table does not happen.

#include <gmock/gmock.h>

#include <limits>

#include "history/commands.h"
#include "history/cron.h"
#include "history/failures.h"
#include "history/history_driver.h"
#include "history/retry.h"
#include "history/timer.h"
#include "history/update.h"

namespace holdfast::history {
namespace {

using ::testing::ElementsAre;
namespace wt = workflow_task;

using testing::command;
using testing::kLimits;
using testing::kNow;
using testing::resting;
using testing::scheduled;
using testing::started;
using testing::types;

TEST(MutableState, BufferedCompletionsComeLastAndKnowTheirStart) {
  auto ms = resting();
  auto* info = scheduled(ms, command("a"));
  activity::start(*ms, kNow, info, "worker", "r", 0);
  lifecycle::signal(*ms, kNow, {});
  wt::start(*ms, kLimits, kNow, {});
  const std::int64_t next = ms->s().next_event_id();
  activity::complete(*ms, kNow, info, nullptr, "worker");
  lifecycle::signal(*ms, kNow, {});
  EXPECT_EQ(ms->s().next_event_id(), next);  // nothing has a place yet
  EXPECT_EQ(ms->held().buffered_events.size(), 3);
  wt::complete(*ms, kNow, {});
  EXPECT_TRUE(ms->flush_buffered());
  const auto& events = ms->unsaved().events();
  const int last = events.size() - 1;
  EXPECT_EQ(events[last - 2].event_type(), enums::EVENT_TYPE_ACTIVITY_TASK_STARTED);
  EXPECT_EQ(events[last - 1].event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED);
  EXPECT_EQ(events[last].event_type(), enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED);
  EXPECT_EQ(events[last].activity_task_completed_event_attributes().started_event_id(),
            events[last - 2].event_id());
}

TEST(MutableState, RollbackLeavesNothingBehind) {
  auto ms = resting();
  const std::string before = serialize(ms->whole());
  const int events = ms->unsaved().events_size();
  ms->begin();
  scheduled(ms, command("a"));
  timer::start(*ms, kNow, 4, "t", kSecond);
  ms->rollback();
  EXPECT_EQ(serialize(ms->whole()), before);
  EXPECT_EQ(ms->unsaved().events_size(), events);
  EXPECT_EQ(ms->activity_by_id("a"), nullptr);
  EXPECT_EQ(ms->next_deadline().at, 0);
}

TEST(MutableState, IndexesFollowFromTheStoredState) {
  auto ms = resting();
  scheduled(ms, command("a"));
  timer::start(*ms, kNow, 4, "t", kSecond);
  ms->seal();
  MutableState again(ms->whole());
  EXPECT_NE(again.activity_by_id("a"), nullptr);
  EXPECT_NE(again.timer_by_id("t"), nullptr);
  EXPECT_EQ(again.next_deadline(), ms->next_deadline());
  EXPECT_EQ(again.next_deadline().at, kNow + kSecond);
}

TEST(WorkflowTask, SecondFailureIsTransient) {
  auto ms = started();
  wt::start(*ms, kLimits, kNow, {});
  wt::fail(*ms, kNow, {.cause = enums::WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE});
  wt::schedule(*ms, kNow);
  EXPECT_EQ(ms->s().workflow_task().attempt(), 2);
  const std::int64_t next = ms->s().next_event_id();
  wt::start(*ms, kLimits, kNow, {});
  EXPECT_EQ(ms->s().next_event_id(), next);
  pb::history::v1::History shown;
  wt::append_unwritten(*ms, &shown);
  ASSERT_EQ(shown.events_size(), 2);
  EXPECT_EQ(shown.events(0).event_id(), next);
  wt::fail(*ms, kNow, {});
  EXPECT_EQ(ms->s().next_event_id(), next);  // nor does its failure leave a trace
  wt::schedule(*ms, kNow);
  EXPECT_EQ(ms->s().workflow_task().attempt(), 3);
}

TEST(WorkflowTask, NewsMakeATransientTaskOrdinary) {
  auto ms = started();
  wt::start(*ms, kLimits, kNow, {});
  wt::fail(*ms, kNow, {});
  wt::schedule(*ms, kNow);
  lifecycle::signal(*ms, kNow, {});
  wt::start(*ms, kLimits, kNow, {});
  EXPECT_EQ(ms->s().workflow_task().attempt(), 1);
  EXPECT_EQ(types(*ms).back(), enums::EVENT_TYPE_WORKFLOW_TASK_STARTED);
}

TEST(WorkflowTask, SuffixIsLeftOutWhereItsIdsAreTaken) {
  auto ms = started();
  wt::start(*ms, kLimits, kNow, {});
  wt::fail(*ms, kNow, {});
  wt::schedule(*ms, kNow);
  lifecycle::signal(*ms, kNow, {});
  pb::history::v1::History shown;
  wt::append_unwritten(*ms, &shown);
  EXPECT_EQ(shown.events_size(), 0);
}

TEST(WorkflowTask, TimeoutGrowsInsteadOfABackoff) {
  auto ms = started();
  Ns last = 0;
  for (int attempt = 1; attempt <= 8; ++attempt) {
    EXPECT_EQ(ms->s().workflow_task().attempt(), attempt);
    const Ns timeout = ms->s().workflow_task().start_to_close_ns();
    if (attempt <= wt::kLengthenAfterAttempt) {
      EXPECT_EQ(timeout, 10 * kSecond);
    } else {
      EXPECT_GT(timeout, last);
    }
    last = timeout;
    wt::start(*ms, kLimits, kNow, {});
    wt::time_out(*ms, kNow, enums::TIMEOUT_TYPE_START_TO_CLOSE);
    wt::schedule(*ms, kNow);
  }
}

TEST(WorkflowTask, FailureOnTheStickyQueueCountsNoAttempt) {
  auto ms = resting();
  wt::set_sticky(*ms, "sticky", kSecond);
  wt::schedule(*ms, kNow);
  EXPECT_TRUE(ms->s().workflow_task().sticky());
  EXPECT_EQ(ms->next_deadline().at, kNow + kSecond);
  wt::start(*ms, kLimits, kNow, {});
  wt::time_out(*ms, kNow, enums::TIMEOUT_TYPE_START_TO_CLOSE);
  wt::schedule(*ms, kNow);
  EXPECT_FALSE(ms->s().workflow_task().sticky());
  EXPECT_EQ(ms->s().workflow_task().attempt(), 1);
}

TEST(Activity, TimeoutsOfTheCommandAreNormalised) {
  auto ms = resting();
  activity::Command none;
  none.set_activity_id("a");
  none.mutable_activity_type()->set_name("t");
  EXPECT_NE(activity::prepare(&none, ms->s(), kLimits), "");
  auto request = command("a");
  request.mutable_schedule_to_close_timeout()->set_seconds(5);
  request.mutable_heartbeat_timeout()->set_seconds(60);
  EXPECT_EQ(activity::prepare(&request, ms->s(), kLimits), "");
  EXPECT_EQ(request.start_to_close_timeout().seconds(), 5);
  EXPECT_EQ(request.schedule_to_start_timeout().seconds(), 5);
  EXPECT_EQ(request.heartbeat_timeout().seconds(), 5);
  EXPECT_EQ(request.task_queue().name(), "q");
  EXPECT_EQ(request.retry_policy().backoff_coefficient(), 2.0);
  EXPECT_EQ(request.retry_policy().maximum_interval().seconds(), 100);
}

TEST(Activity, StartToCloseRetriesUntilTimeRunsOut) {
  auto ms = resting();
  auto request = command("a");
  request.mutable_start_to_close_timeout()->set_seconds(2);
  request.mutable_schedule_to_close_timeout()->set_seconds(5);
  auto* info = scheduled(ms, request);
  const std::int64_t id = info->scheduled_event_id();
  activity::start(*ms, kNow, info, "w", "r", 0);
  Ns now = kNow + 2 * kSecond;
  activity::on_deadline(*ms, kLimits, now, id);
  ASSERT_EQ(activity::state_of(*info), activity::State::kBackingOff);
  EXPECT_EQ(ms->next_deadline().at, now + kSecond);
  now += kSecond;
  activity::on_deadline(*ms, kLimits, now, id);
  EXPECT_TRUE(activity::startable(*info, 2));
  EXPECT_FALSE(activity::startable(*info, 1));
  activity::start(*ms, now, info, "w", "r", 0);
  now += 2 * kSecond;
  activity::on_deadline(*ms, kLimits, now, id);
  EXPECT_EQ(ms->activity(id), nullptr);
  const Event* closing = nullptr;
  for (const Event& event : ms->unsaved().events()) {
    if (event.has_activity_task_timed_out_event_attributes()) closing = &event;
  }
  ASSERT_NE(closing, nullptr);
  EXPECT_EQ(
      closing->activity_task_timed_out_event_attributes().failure().timeout_failure_info().timeout_type(),
      enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);
}

TEST(Activity, ScheduleToStartIsNotRetried) {
  auto ms = resting();
  auto request = command("a");
  request.mutable_schedule_to_start_timeout()->set_seconds(1);
  const std::int64_t id = scheduled(ms, request)->scheduled_event_id();
  activity::on_deadline(*ms, kLimits, kNow + kSecond, id);
  EXPECT_EQ(ms->activity(id), nullptr);
  const Event& end = *std::prev(ms->unsaved().events().end(), 2);  // a workflow task follows
  const auto& timed_out = end.activity_task_timed_out_event_attributes();
  EXPECT_EQ(timed_out.retry_state(), enums::RETRY_STATE_NON_RETRYABLE_FAILURE);
  EXPECT_EQ(timed_out.failure().timeout_failure_info().timeout_type(), enums::TIMEOUT_TYPE_SCHEDULE_TO_START);
}

TEST(Activity, NegativeRetryDelayIsDueAtOnce) {
  auto ms = resting();
  auto* info = scheduled(ms, command("a"));
  activity::start(*ms, kNow, info, "w", "r", 0);
  ms->take_effects();
  Failure failure;
  failure.mutable_application_failure_info()->mutable_next_retry_delay()->set_nanos(-5'000'000);
  activity::fail(*ms, kLimits, kNow, info, failure, "w");
  EXPECT_TRUE(activity::startable(*info, 2));
  EXPECT_THAT(ms->take_effects().activities, ElementsAre(info->scheduled_event_id()));
}

TEST(Activity, NobodyTakesItWhileItBacksOff) {
  auto ms = resting();
  auto* info = scheduled(ms, command("a"));
  activity::start(*ms, kNow, info, "w", "r", 0);
  activity::fail(*ms, kLimits, kNow, info, Failure(), "w");
  EXPECT_EQ(activity::state_of(*info), activity::State::kBackingOff);
  EXPECT_FALSE(activity::startable(*info, 2));
  // Who completes it by id starts it first.
  activity::start(*ms, kNow, info, "operator", "", 0);
  activity::complete(*ms, kNow, info, nullptr, "operator");
  EXPECT_EQ(ms->held().activities.size(), 0);
}

TEST(Activity, RequestToCancelEndsTheRetries) {
  auto ms = resting();
  auto* info = scheduled(ms, command("a"));
  const std::int64_t id = info->scheduled_event_id();
  EXPECT_FALSE(activity::canceled(*ms, kNow, info, nullptr, "w"));  // nobody asked, nobody holds it
  activity::start(*ms, kNow, info, "w", "r", 0);
  EXPECT_TRUE(activity::request_cancel(*ms, kNow, 4, id, "w"));
  activity::fail(*ms, kLimits, kNow, info, server_failure("x", false), "w");
  EXPECT_EQ(ms->activity(id), nullptr);
}

TEST(Timer, CancelTakesBackABufferedFire) {
  auto ms = resting();
  timer::start(*ms, kNow, 4, "t", kSecond);
  const std::int64_t id = ms->timer_by_id("t")->started_event_id();
  lifecycle::signal(*ms, kNow, {});
  wt::start(*ms, kLimits, kNow, {});
  timer::fire(*ms, kNow + kSecond, id);
  ASSERT_EQ(ms->held().buffered_events.size(), 1);
  const std::int64_t completed = wt::complete(*ms, kNow, {});
  EXPECT_TRUE(timer::cancel(*ms, kNow, completed, "t", "w"));
  EXPECT_EQ(ms->held().buffered_events.size(), 0);
  EXPECT_FALSE(timer::cancel(*ms, kNow, completed, "t", "w"));
}

TEST(Retry, IntervalsGrowToTheirMaximum) {
  retry::Policy policy;
  retry::fill_defaults(&policy);
  EXPECT_EQ(retry::next(policy, 1, kNow, 0, nullptr).interval, kSecond);
  EXPECT_EQ(retry::next(policy, 4, kNow, 0, nullptr).interval, 8 * kSecond);
  EXPECT_EQ(retry::next(policy, 400, kNow, 0, nullptr).interval, 100 * kSecond);
  EXPECT_EQ(retry::next(policy, 1, kNow, kNow + 1, nullptr).state, enums::RETRY_STATE_TIMEOUT);
  policy.set_maximum_attempts(3);
  EXPECT_EQ(retry::next(policy, 3, kNow, 0, nullptr).state, enums::RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED);
}

TEST(Retry, StrangeCoefficientsWaitTheMaximum) {
  for (const double coefficient :
       {1e300, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    retry::Policy policy;
    policy.set_backoff_coefficient(coefficient);
    retry::fill_defaults(&policy);
    EXPECT_EQ(retry::next(policy, 5, kNow, 0, nullptr).interval, 100 * kSecond) << coefficient;
  }
}

TEST(Retry, DelayOfTheFailureIsNeverInThePast) {
  retry::Policy policy;
  retry::fill_defaults(&policy);
  Failure failure;
  failure.mutable_application_failure_info()->mutable_next_retry_delay()->set_seconds(-3600);
  const auto again = retry::next(policy, 1, kNow, 0, &failure);
  EXPECT_EQ(again.state, enums::RETRY_STATE_IN_PROGRESS);
  EXPECT_EQ(again.interval, 0);
}

TEST(Retry, FailuresDecide) {
  retry::Policy policy;
  retry::fill_defaults(&policy);
  policy.add_non_retryable_error_types("Fatal");
  Failure failure;
  failure.mutable_application_failure_info()->set_type("Fatal");
  EXPECT_EQ(retry::next(policy, 1, kNow, 0, &failure).state, enums::RETRY_STATE_NON_RETRYABLE_FAILURE);
  failure.mutable_application_failure_info()->set_type("Soft");
  failure.mutable_application_failure_info()->mutable_next_retry_delay()->set_seconds(500);
  EXPECT_EQ(retry::next(policy, 1, kNow, 0, &failure).interval,
            500 * kSecond);  // beyond the maximum on purpose
  failure.mutable_canceled_failure_info();
  EXPECT_FALSE(retry::retryable(failure, policy));
}

TEST(Failures, TruncationKeepsTheKind) {
  Failure failure;
  failure.set_message(std::string(10'000, 'x'));
  failure.mutable_application_failure_info()->set_type("T");
  const Failure shorter = truncated(failure, 4096);
  EXPECT_LE(shorter.ByteSizeLong(), 4096u);
  EXPECT_EQ(shorter.application_failure_info().type(), "T");
}

TEST(Failures, OneThatIsTooLargeIsToldAndKeepsItsBeginning) {
  Failure failure;
  failure.set_message(std::string(3 << 20, 'x'));
  failure.mutable_application_failure_info()->set_type("T");
  const Failure told = bounded_failure(failure, 2 << 20);
  EXPECT_EQ(told.message(), "Failure exceeds size limit.");
  EXPECT_TRUE(told.server_failure_info().non_retryable());
  EXPECT_EQ(told.cause().application_failure_info().type(), "T");
  EXPECT_TRUE(told.cause().message().starts_with("xxx"));
  EXPECT_LE(told.ByteSizeLong(), (512u << 10) + 100);
  failure.set_message("small");
  EXPECT_EQ(bounded_failure(failure, 2 << 20).message(), "small");
}

TEST(Cron, NextMoments) {
  // 2023-11-14 22:13:20 UTC
  EXPECT_EQ(*cron::next("15 * * * *", kNow, kNow), kNow + 100 * kSecond);
  EXPECT_EQ(*cron::next("@every 90s", kNow, kNow + kSecond), kNow + 90 * kSecond);
  EXPECT_EQ(*cron::next("0 0 29 2 *", kNow, kNow), 1'709'164'800 * kSecond);
  EXPECT_EQ(*cron::next("0 0 * * mon", kNow, kNow), 1'700'438'400 * kSecond);
  EXPECT_NE(cron::problem("61 * * * *"), "");
  EXPECT_NE(cron::problem("every day"), "");
  EXPECT_EQ(cron::problem("*/5 1-3 * jan,feb 1"), "");
  EXPECT_FALSE(cron::next("0 0 31 2 *", kNow, kNow));
}

TEST(Cron, EveryCountsFromWhenTheRunWasDue) {
  auto ms = started([](lifecycle::StartInput& input) {
    input.attributes.set_cron_schedule("@every 4s");
    input.first_task_backoff_ns = 3 * kSecond;
  });
  const Event first;
  lifecycle::complete(*ms, kLimits, kNow + 5 * kSecond, nullptr,
                      {.new_run_id = "run-2", .first_event = &first});
  ASSERT_NE(ms->effects().successor, nullptr);
  EXPECT_EQ(ms->effects().successor->s().execution_ns(), kNow + 7 * kSecond);
}

// As on Temporal: the next run waits, and times out while it does.
TEST(Cron, IsFollowedThoughTheTimeOfTheChainIsOverBefore) {
  auto ms = started([](lifecycle::StartInput& input) {
    input.attributes.set_cron_schedule("@every 4s");
    input.execution_expiration_ns = kNow + 6 * kSecond;
  });
  const Event first;
  lifecycle::complete(*ms, kLimits, kNow + 5 * kSecond, nullptr,
                      {.new_run_id = "run-2", .first_event = &first});
  ASSERT_NE(ms->effects().successor, nullptr);
  EXPECT_EQ(ms->effects().successor->next_deadline().at, kNow + 6 * kSecond);
}

TEST(Lifecycle, PoliciesOfATakenId) {
  using lifecycle::decide;
  using lifecycle::StartDecision;
  constexpr auto running = enums::WORKFLOW_EXECUTION_STATUS_RUNNING;
  constexpr auto completed = enums::WORKFLOW_EXECUTION_STATUS_COMPLETED;
  constexpr auto failed = enums::WORKFLOW_EXECUTION_STATUS_FAILED;
  constexpr auto any = enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE;
  constexpr auto failed_only = enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY;
  constexpr auto none = enums::WORKFLOW_ID_CONFLICT_POLICY_UNSPECIFIED;
  EXPECT_EQ(decide(running, any, none), StartDecision::kRefuse);
  EXPECT_EQ(decide(running, any, enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING),
            StartDecision::kUseExisting);
  EXPECT_EQ(decide(running, any, enums::WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING),
            StartDecision::kTerminateAndStart);
  EXPECT_EQ(decide(completed, any, none), StartDecision::kStart);
  EXPECT_EQ(decide(completed, failed_only, none), StartDecision::kRefuse);
  EXPECT_EQ(decide(failed, failed_only, none), StartDecision::kStart);
  EXPECT_EQ(decide(failed, enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE, none), StartDecision::kRefuse);
}

TEST(Lifecycle, TheEndClearsWhatWaited) {
  auto ms = resting();
  scheduled(ms, command("a"));
  timer::start(*ms, kNow, 4, "t", kSecond);
  lifecycle::terminate(*ms, kNow, "enough", nullptr, "me");
  EXPECT_EQ(ms->next_deadline().at, 0);
  EXPECT_EQ(ms->held().activities.size(), 0);
  EXPECT_EQ(ms->s().close_event_id(), ms->s().next_event_id() - 1);
  wt::schedule(*ms, kNow);
  EXPECT_FALSE(ms->workflow_task_pending());
}

TEST(Commands, NothingIsHalfDone) {
  auto ms = started();
  wt::start(*ms, kLimits, kNow, {});
  ms->begin();
  CommandContext context{.limits = kLimits,
                         .now = kNow,
                         .identity = "w",
                         .namespace_name = "default",
                         .completed_event_id = wt::complete(*ms, kNow, {}),
                         .new_id = [] { return std::string("id"); },
                         .first_event = [] { return nullptr; },
                         .namespace_id = [](const std::string&) { return std::nullopt; }};
  ws::RespondWorkflowTaskCompletedRequest request;
  for (const char* id : {"t", "t"}) {
    auto& next = *request.add_commands();
    next.set_command_type(enums::COMMAND_TYPE_START_TIMER);
    next.mutable_start_timer_command_attributes()->set_timer_id(id);
    next.mutable_start_timer_command_attributes()->mutable_start_to_fire_timeout()->set_seconds(1);
  }
  const auto wrong = apply_commands(*ms, &request, context);
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->cause, enums::WORKFLOW_TASK_FAILED_CAUSE_START_TIMER_DUPLICATE_ID);
  ms->rollback();
  EXPECT_EQ(ms->timer_by_id("t"), nullptr);
  EXPECT_TRUE(ms->workflow_task_started());
}

TEST(Update, AcceptanceNeedsARequest) {
  auto ms = resting();
  pb::protocol::v1::Message message;
  message.set_id("1");
  message.set_protocol_instance_id("u");
  pb::update::v1::Acceptance acceptance;
  message.mutable_body()->PackFrom(acceptance);
  EXPECT_TRUE(update::apply_message(*ms, kNow, message));
  // Forgotten by a crash, brought back by the worker.
  acceptance.mutable_accepted_request()->mutable_meta()->set_update_id("u");
  message.mutable_body()->PackFrom(acceptance);
  EXPECT_FALSE(update::apply_message(*ms, kNow, message));
  EXPECT_EQ(ms->held().updates.size(), 1);
  EXPECT_TRUE(update::apply_message(*ms, kNow, message));  // not twice
}

}  // namespace
}  // namespace holdfast::history
