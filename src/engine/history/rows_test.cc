// Goal: every row of every transition table is taken, and the law of the room holds behind it. Method: the
// shortest way to each row that no other test goes; EveryRow names the rows that nobody took.

#include <gmock/gmock.h>

#include "base/every_row.h"
#include "history/child_workflow.h"
#include "history/external.h"
#include "history/failures.h"
#include "history/history_driver.h"
#include "history/timer.h"
#include "history/update.h"

namespace holdfast::history {
namespace {

using testing::command;
using testing::expect_law;
using testing::Held;
using testing::kLimits;
using testing::kNow;
using testing::resting;
using testing::scheduled;
using testing::started;
using testing::types;

namespace wt = workflow_task;

[[maybe_unused]] const auto* const kEveryRow = ::testing::AddGlobalTestEnvironment(new EveryRow);

Event closing(enums::EventType type) {
  Event event;
  event.set_event_type(type);
  return event;
}

// A workflow task under way: events that no command makes are buffered.
void begin_task(const Held& ms) {
  wt::schedule(*ms, kNow);
  wt::start(*ms, kLimits, kNow, {.identity = "worker", .request_id = "poll", .holder_epoch = 3});
}

void end_task(const Held& ms) {
  wt::complete(*ms, kNow, {.identity = "worker"});
  wt::finish_transition(*ms, kNow);
}

TEST(TimerRows, FireAndCancel) {
  auto ms = resting();
  timer::start(*ms, kNow, 4, "fires", kSecond);
  timer::start(*ms, kNow, 4, "is canceled", kSecond);
  timer::fire(*ms, kNow + kSecond, ms->timer_by_id("fires")->started_event_id());
  EXPECT_TRUE(timer::cancel(*ms, kNow, 4, "is canceled", "w"));
  EXPECT_EQ(ms->held().timers.size(), 0);
  EXPECT_EQ(ms->next_deadline().at, 0);
}

// Its name is free while its end waits for a place.
TEST(TimerRows, AYoungerTimerOfTheSameNameStays) {
  auto ms = resting();
  timer::start(*ms, kNow, 4, "t", kSecond);
  begin_task(ms);
  timer::fire(*ms, kNow, ms->timer_by_id("t")->started_event_id());
  const std::int64_t completed = wt::complete(*ms, kNow, {});
  timer::start(*ms, kNow, completed, "t", kSecond);
  wt::finish_transition(*ms, kNow);
  ASSERT_NE(ms->timer_by_id("t"), nullptr);
  EXPECT_EQ(ms->timer_by_id("t")->started_event_id(), completed + 1);
}

TEST(ActivityRows, CancelWhileNobodyHoldsIt) {
  auto ms = resting();
  const std::int64_t waiting = scheduled(ms, command("waiting"))->scheduled_event_id();
  const auto* info = scheduled(ms, command("backing off"));
  const std::int64_t backing_off = info->scheduled_event_id();
  activity::start(*ms, kNow, info, "w", "r", 0);
  activity::fail(*ms, kLimits, kNow, info, server_failure("x", false), "w");
  EXPECT_TRUE(activity::request_cancel(*ms, kNow, 4, waiting, "w"));
  EXPECT_TRUE(activity::request_cancel(*ms, kNow, 4, backing_off, "w"));
  EXPECT_EQ(ms->held().activities.size(), 0);
}

TEST(ActivityRows, EndsAfterARequestToCancel) {
  auto ms = resting();
  std::vector<std::int64_t> ids;
  for (const char* id : {"completes", "times out", "is canceled"}) {
    const auto* info = scheduled(ms, command(id));
    ids.push_back(info->scheduled_event_id());
    activity::start(*ms, kNow, info, "w", "r", 1);
    EXPECT_TRUE(activity::request_cancel(*ms, kNow, 4, ids.back(), "w"));
    EXPECT_TRUE(activity::request_cancel(*ms, kNow, 4, ids.back(), "w"));  // asked twice
  }
  Payloads result;
  activity::complete(*ms, kNow, ms->activity(ids[0]), &result, "w");
  activity::on_deadline(*ms, kLimits, kNow + 10 * kSecond, ids[1]);
  EXPECT_TRUE(activity::canceled(*ms, kNow, ms->activity(ids[2]), nullptr, "w"));
  EXPECT_EQ(ms->held().activities.size(), 0);
}

TEST(ActivityRows, FailsForGood) {
  auto ms = resting();
  const auto* info = scheduled(ms, command("a"));
  activity::start(*ms, kNow, info, "w", "r", 0);
  activity::fail(*ms, kLimits, kNow, info, server_failure("x", true), "w");
  EXPECT_EQ(ms->held().activities.size(), 0);
}

TEST(ActivityRows, TimeIsUpWhileItBacksOff) {
  auto ms = resting();
  auto request = command("a");
  request.mutable_schedule_to_close_timeout()->set_seconds(30);
  const auto* info = scheduled(ms, request);
  const std::int64_t id = info->scheduled_event_id();
  activity::start(*ms, kNow, info, "w", "r", 0);
  activity::fail(*ms, kLimits, kNow, info, server_failure("x", false), "w");
  activity::on_deadline(*ms, kLimits, kNow + 30 * kSecond, id);  // the server was away for that long
  EXPECT_EQ(ms->activity(id), nullptr);
}

TEST(ActivityRows, ALostHolderIsReplacedAtOnce) {
  auto ms = resting();
  const auto* info = scheduled(ms, command("a"));
  activity::start(*ms, kNow, info, "w", "r", 1);
  activity::lost_holder(*ms, kLimits, kNow, info);
  EXPECT_TRUE(activity::startable(*info, 2));
}

TEST(ActivityRows, WhatNobodyGotWasNotStarted) {
  auto ms = resting();
  const auto* info = scheduled(ms, command("a"));
  const std::int64_t id = info->scheduled_event_id();
  activity::start(*ms, kNow, info, "w", "r", 1);
  activity::take_back(*ms, kNow, info);
  EXPECT_TRUE(activity::startable(*info, 1));
  activity::start(*ms, kNow, info, "w", "r", 1);
  EXPECT_TRUE(activity::request_cancel(*ms, kNow, 4, id, "w"));
  activity::take_back(*ms, kNow, info);
  EXPECT_EQ(ms->activity(id), nullptr);
  EXPECT_EQ(ms->take_effects().ended_activities, std::vector{id});
}

TEST(WorkflowTaskRows, WhatNobodyGotWaitsAgain) {
  auto ms = resting();
  begin_task(ms);
  const int written = ms->unsaved().events_size();
  wt::take_back(*ms);
  EXPECT_TRUE(wt::waits_for_poll(*ms));
  EXPECT_EQ(ms->next_deadline().at, 0) << "nobody is at work";
  wt::start_again(*ms, kNow + kMinute, {.identity = "other", .request_id = "poll", .holder_epoch = 0});
  EXPECT_FALSE(wt::waits_for_poll(*ms));
  EXPECT_EQ(ms->next_deadline().at, kNow + kMinute + ms->s().workflow_task().start_to_close_ns());
  EXPECT_EQ(ms->unsaved().events_size(), written);
  wt::take_back(*ms);
  wt::fail(*ms, kNow + kMinute, {.identity = "history-service"});
  EXPECT_EQ(wt::state_of(*ms), wt::State::kNone);
}

TEST(ActivityRows, CancelOfWhatEndedMeanwhile) {
  auto ms = resting();
  const auto* info = scheduled(ms, command("a"));
  const std::int64_t id = info->scheduled_event_id();
  activity::start(*ms, kNow, info, "w", "r", 0);
  begin_task(ms);
  activity::complete(*ms, kNow, info, nullptr, "w");
  const std::int64_t completed = wt::complete(*ms, kNow, {});
  EXPECT_TRUE(activity::request_cancel(*ms, kNow, completed, id, "w"));
  EXPECT_EQ(types(*ms).back(), enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED);
  wt::finish_transition(*ms, kNow);
}

TEST(WorkflowTaskRows, NobodyComesToTheStickyQueue) {
  auto ms = resting();
  wt::set_sticky(*ms, "sticky", kSecond);
  wt::schedule(*ms, kNow);
  wt::time_out(*ms, kNow + kSecond, enums::TIMEOUT_TYPE_SCHEDULE_TO_START);
  wt::schedule(*ms, kNow + kSecond);
  EXPECT_FALSE(ms->s().workflow_task().sticky());
  wt::start(*ms, kLimits, kNow, {});
}

TEST(WorkflowTaskRows, LeavesTheStickyQueueUnchanged) {
  auto ms = resting();
  wt::set_sticky(*ms, "sticky", kSecond);
  wt::schedule(*ms, kNow);
  wt::leave_sticky_queue(*ms);
  EXPECT_EQ(ms->s().workflow_task().task_queue(), "q");
  begin_task(ms);
  EXPECT_TRUE(ms->s().sticky_queue().empty());
  end_task(ms);
}

TEST(WorkflowTaskRows, ASpeculativeTaskLeavesNoTrace) {
  auto ms = resting();
  const auto before = types(*ms);
  wt::schedule(*ms, kNow, {.speculative = true});
  wt::start(*ms, kLimits, kNow, {.identity = "worker"});
  EXPECT_TRUE(ms->speculative());
  wt::discard(*ms);
  EXPECT_EQ(types(*ms), before);
}

TEST(WorkflowTaskRows, NewsMakeASpeculativeTaskReal) {
  auto ms = resting();
  wt::schedule(*ms, kNow, {.speculative = true});
  wt::start(*ms, kLimits, kNow, {.identity = "worker", .request_id = "poll", .holder_epoch = 3});
  lifecycle::signal(*ms, kNow, {});
  EXPECT_FALSE(ms->speculative());
  EXPECT_EQ(ms->held().buffered_events.size(), 1);
  end_task(ms);
}

TEST(WorkflowTaskRows, ASpeculativeTaskThatFails) {
  auto ms = resting();
  wt::schedule(*ms, kNow, {.speculative = true});
  wt::offer_as_ordinary(*ms);
  begin_task(ms);
  wt::fail(*ms, kNow, {.identity = "worker"});
  wt::schedule_again(*ms, kNow);
  EXPECT_EQ(ms->s().workflow_task().attempt(), 2);
}

TEST(WorkflowTaskRows, ATransientTaskThatCompletes) {
  auto ms = started();
  wt::start(*ms, kLimits, kNow, {});
  wt::fail(*ms, kNow, {});
  wt::schedule_again(*ms, kNow);
  wt::start(*ms, kLimits, kNow + kSecond, {.identity = "second"});
  const std::int64_t completed = wt::complete(*ms, kNow + kSecond, {});
  EXPECT_EQ(ms->s().last_completed_task_event_id(), completed);
  EXPECT_EQ(completed, 7);  // its two events were written with it
}

TEST(WorkflowTaskRows, HeldBackAtTheStart) {
  auto ms = started([](lifecycle::StartInput& input) { input.first_task_backoff_ns = 5 * kSecond; });
  EXPECT_FALSE(ms->workflow_task_pending());
  EXPECT_EQ(ms->next_deadline().kind, DeadlineKind::kFirstTask);
  lifecycle::signal(*ms, kNow, {});
  EXPECT_FALSE(ms->workflow_task_pending());
  lifecycle::first_task_due(*ms, kNow + 5 * kSecond);
  EXPECT_TRUE(ms->workflow_task_pending());
  EXPECT_EQ(ms->next_deadline().at, 0);
}

std::int64_t child(const Held& ms, const std::string& id, enums::ParentClosePolicy policy) {
  child_workflow::Command command;
  command.set_workflow_id(id);
  command.mutable_workflow_type()->set_name("part");
  command.set_parent_close_policy(policy);
  EXPECT_EQ(child_workflow::prepare(&command, ms->s(), kLimits), "");
  child_workflow::initiate(*ms, kNow, 4, &command, "default", "ns", "request-" + id);
  return ms->s().next_event_id() - 1;
}

TEST(ChildRows, StartedAndClosedInEachWay) {
  auto ms = resting();
  for (const auto end :
       {enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED, enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
        enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED}) {
    const std::int64_t id = child(ms, "c", enums::PARENT_CLOSE_POLICY_TERMINATE);
    EXPECT_FALSE(child_workflow::closed(*ms, kNow, id, "run-c", closing(end)));  // not started
    EXPECT_TRUE(child_workflow::started(*ms, kNow, id, "run-c", nullptr));
    EXPECT_FALSE(child_workflow::started(*ms, kNow, id, "run-c", nullptr));
    EXPECT_TRUE(child_workflow::closed(*ms, kNow, id, "run-c", closing(end)));
    EXPECT_EQ(ms->child(id), nullptr);
  }
  const std::int64_t refused = child(ms, "r", enums::PARENT_CLOSE_POLICY_ABANDON);
  EXPECT_TRUE(child_workflow::start_failed(
      *ms, kNow, refused, enums::START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS));
}

TEST(ChildRows, BufferedStartAndEnd) {
  auto ms = resting();
  const std::int64_t over = child(ms, "over", enums::PARENT_CLOSE_POLICY_TERMINATE);
  const std::int64_t open = child(ms, "open", enums::PARENT_CLOSE_POLICY_TERMINATE);
  begin_task(ms);
  EXPECT_TRUE(child_workflow::started(*ms, kNow, over, "run-1", nullptr));
  EXPECT_TRUE(child_workflow::started(*ms, kNow, open, "run-2", nullptr));
  EXPECT_TRUE(child_workflow::closed(*ms, kNow, over, "run-1",
                                     closing(enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED)));
  EXPECT_EQ(ms->child(open)->started_event_id(), MutableState::kBufferedEventId);
  end_task(ms);
  EXPECT_GT(ms->child(open)->started_event_id(), open);
}

// What a closed run still owes is struck off without an event.
TEST(ChildRows, ParentClosesFirst) {
  auto ms = resting();
  const std::int64_t running = child(ms, "running", enums::PARENT_CLOSE_POLICY_TERMINATE);
  const std::int64_t abandoned = child(ms, "abandoned", enums::PARENT_CLOSE_POLICY_ABANDON);
  const std::int64_t refused = child(ms, "refused", enums::PARENT_CLOSE_POLICY_ABANDON);
  child(ms, "never born", enums::PARENT_CLOSE_POLICY_TERMINATE);
  EXPECT_TRUE(child_workflow::started(*ms, kNow, running, "run-r", nullptr));
  lifecycle::terminate(*ms, kNow, "enough", nullptr, "me");
  ASSERT_EQ(ms->held().parent_closes.size(), 1);
  EXPECT_EQ(ms->held().children.size(), 2);
  lifecycle::child_told(*ms, running);
  EXPECT_EQ(ms->held().parent_closes.size(), 0);
  EXPECT_TRUE(child_workflow::started(*ms, kNow, abandoned, "run-a", nullptr));
  EXPECT_TRUE(child_workflow::start_failed(
      *ms, kNow, refused, enums::START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS));
  EXPECT_EQ(ms->held().children.size(), 0);
}

Event signal_other(const Held& ms) {
  external_signal::Command command;
  command.mutable_execution()->set_workflow_id("other");
  command.set_signal_name("go");
  EXPECT_EQ(external_signal::prepare(command, kLimits), "");
  external_signal::initiate(*ms, kNow, 4, &command, "default", "ns", "request");
  return *ms->unsaved().events().rbegin();
}

Event cancel_other(const Held& ms) {
  external_cancel::Command command;
  command.set_workflow_id("other");
  EXPECT_EQ(external_cancel::prepare(command, kLimits), "");
  external_cancel::initiate(*ms, kNow, 4, &command, "default", "ns", "request");
  return *ms->unsaved().events().rbegin();
}

TEST(ExternalRows, DoneAndFailedOnce) {
  constexpr auto kSignal =
      enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND;
  constexpr auto kCancel =
      enums::CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND;
  auto ms = resting();
  Event initiated = signal_other(ms);
  EXPECT_TRUE(external_signal::done(*ms, kNow, initiated));
  EXPECT_FALSE(external_signal::done(*ms, kNow, initiated));
  EXPECT_TRUE(external_signal::failed(*ms, kNow, signal_other(ms), kSignal));
  initiated = cancel_other(ms);
  EXPECT_TRUE(external_cancel::done(*ms, kNow, initiated));
  EXPECT_FALSE(external_cancel::failed(*ms, kNow, initiated, kCancel));
  EXPECT_TRUE(external_cancel::failed(*ms, kNow, cancel_other(ms), kCancel));
}

TEST(ExternalRows, AnswersOfAClosedRun) {
  auto ms = resting();
  const Event signal = signal_other(ms);
  const Event cancel = cancel_other(ms);
  lifecycle::cancel(*ms, kNow, nullptr, {});
  const auto before = types(*ms);
  EXPECT_TRUE(external_signal::done(*ms, kNow, signal));
  EXPECT_TRUE(external_cancel::done(*ms, kNow, cancel));
  EXPECT_EQ(types(*ms), before);
  EXPECT_EQ(ms->held().external_signals.size() + ms->held().external_cancels.size(), 0);
}

template <typename Body>
pb::protocol::v1::Message message(const std::string& update_id, const Body& body) {
  pb::protocol::v1::Message message;
  message.set_id(update_id + "/answer");
  message.set_protocol_instance_id(update_id);
  message.mutable_body()->PackFrom(body);
  return message;
}

void admit(const Held& ms, const std::string& id) {
  pb::update::v1::Request request;
  request.mutable_meta()->set_update_id(id);
  ms->updates().admit(request);
}

TEST(UpdateRows, SentLostAndSentAgain) {
  auto ms = resting();
  admit(ms, "u");
  wt::finish_transition(*ms, kNow);
  EXPECT_TRUE(ms->speculative());
  wt::start(*ms, kLimits, kNow, {});
  google::protobuf::RepeatedPtrField<pb::protocol::v1::Message> sent;
  update::add_messages(*ms, false, &sent);
  update::add_messages(*ms, true, &sent);  // the same worker lost its memory
  EXPECT_EQ(sent.size(), 2);
  wt::time_out(*ms, kNow, enums::TIMEOUT_TYPE_START_TO_CLOSE);
  EXPECT_EQ(ms->updates().find("u")->stage, UpdateStage::kAdmitted);
}

TEST(UpdateRows, AcceptedCompletedAndRejected) {
  auto ms = resting();
  for (const char* id : {"completes", "is rejected", "is not answered", "is open at the end"}) admit(ms, id);
  wt::finish_transition(*ms, kNow);
  wt::start(*ms, kLimits, kNow, {});
  google::protobuf::RepeatedPtrField<pb::protocol::v1::Message> sent;
  update::add_messages(*ms, false, &sent);
  wt::complete(*ms, kNow, {});
  pb::update::v1::Response response;
  response.mutable_outcome()->mutable_success();
  for (const char* id : {"completes", "is open at the end"}) {
    EXPECT_FALSE(update::apply_message(*ms, kNow, message(id, pb::update::v1::Acceptance())));
  }
  EXPECT_FALSE(update::apply_message(*ms, kNow, message("completes", response)));
  EXPECT_TRUE(update::apply_message(*ms, kNow, message("completes", response)));  // not twice
  EXPECT_FALSE(update::apply_message(*ms, kNow, message("is rejected", pb::update::v1::Rejection())));
  update::reject_unanswered(*ms);
  EXPECT_EQ(ms->updates().find("is not answered")->stage, UpdateStage::kRejected);
  const auto updates = ms->whole().updates();
  EXPECT_EQ(updates[0].completed_event_id(), updates[1].accepted_event_id() + 1);
  lifecycle::cancel(*ms, kNow, nullptr, {});
  update::fail_all_at_close(*ms);
  EXPECT_EQ(ms->updates().find("is open at the end")->stage, UpdateStage::kCompleted);
}

TEST(UpdateRows, RejectedBeforeItWasSeen) {
  auto ms = resting();
  admit(ms, "u");
  EXPECT_FALSE(update::apply_message(*ms, kNow, message("u", pb::update::v1::Rejection())));
  EXPECT_EQ(ms->updates().find("u")->stage, UpdateStage::kRejected);
}

// With parent, root, memo, timeouts and all that a first event can say.
void say_everything(lifecycle::StartInput& input) {
  auto& attributes = input.attributes;
  attributes.mutable_workflow_execution_timeout()->set_seconds(3600);
  attributes.mutable_workflow_task_timeout()->set_seconds(7);
  attributes.mutable_retry_policy()->set_maximum_attempts(3);
  attributes.mutable_priority()->set_priority_key(2);
  attributes.mutable_parent_workflow_execution()->set_workflow_id("parent");
  attributes.set_parent_initiated_event_id(5);
  attributes.mutable_root_workflow_execution()->set_workflow_id("root");
  (*attributes.mutable_memo()->mutable_fields())["note"].set_data("x");
  (*attributes.mutable_search_attributes()->mutable_indexed_fields())["Keyword"].set_data("y");
  input.has_user_metadata = true;
  input.user_metadata.mutable_summary()->set_data("s");
  input.namespace_retention_ns = kSecond;
}

// Each end, and the run that follows, if one does.
void expect_end(const Held& ms, enums::WorkflowExecutionStatus status, bool followed) {
  EXPECT_EQ(ms->s().status(), status);
  const auto effects = ms->take_effects();
  EXPECT_TRUE(effects.closed);
  ASSERT_EQ(effects.successor != nullptr, followed);
  EXPECT_EQ(ms->s().close_outbox().notify_parent(), ms->s().has_parent() && !followed);
  if (!followed) return;
  EXPECT_EQ(ms->s().successor_run_id(), effects.successor->s().run_id());
  expect_law(*effects.successor);
}

TEST(LifecycleRows, EachEnd) {
  const Event first;
  const lifecycle::CloseContext context{.new_run_id = "run-2", .first_event = &first};
  auto ms = resting(say_everything);
  lifecycle::complete(*ms, kLimits, kNow, nullptr, context);
  expect_end(ms, enums::WORKFLOW_EXECUTION_STATUS_COMPLETED, false);
  lifecycle::parent_told(*ms);

  auto failed = resting(say_everything);
  Failure failure = server_failure("x", false);
  lifecycle::fail(*failed, kLimits, kNow, &failure, context);
  expect_end(failed, enums::WORKFLOW_EXECUTION_STATUS_FAILED, true);

  auto canceled = resting();
  EXPECT_TRUE(lifecycle::request_cancel(*canceled, kNow, {}, "request"));
  EXPECT_FALSE(lifecycle::request_cancel(*canceled, kNow, {}, "request"));
  lifecycle::cancel(*canceled, kNow, nullptr, context);
  expect_end(canceled, enums::WORKFLOW_EXECUTION_STATUS_CANCELED, false);

  auto timed_out = resting([](auto& input) { input.attributes.mutable_retry_policy(); });
  begin_task(timed_out);
  pb::history::v1::WorkflowExecutionSignaledEventAttributes signal;
  signal.set_request_id("signal-1");
  lifecycle::signal(*timed_out, kNow, signal);
  EXPECT_TRUE(timed_out->signal_seen("signal-1"));
  lifecycle::time_out(*timed_out, kLimits, kNow, context);
  expect_end(timed_out, enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT, true);

  auto continued = resting(say_everything);
  pb::command::v1::ContinueAsNewWorkflowExecutionCommandAttributes command;
  lifecycle::continue_as_new(*continued, kNow, &command, context);
  expect_end(continued, enums::WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW, true);
}

}  // namespace
}  // namespace holdfast::history
