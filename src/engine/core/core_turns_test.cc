// Goal: however much is to be done at one moment, calls come in between, nothing is forgotten, and a crash in
// the middle loses nothing. Method: many deadlines, wide fan-outs and many open runs, one turn at a time.

#include <gtest/gtest.h>

#include "engine/core_driver.h"
#include "engine/duties.h"

namespace holdfast::engine {
namespace {

using testing::Driver;
using M = api::Method;
using history::kSecond;

std::int64_t backlog(Driver& d, enums::TaskQueueType type = enums::TASK_QUEUE_TYPE_WORKFLOW) {
  ws::DescribeTaskQueueRequest request;
  request.set_report_stats(true);
  request.set_namespace_("default");
  request.mutable_task_queue()->set_name("q");
  request.set_task_queue_type(type);
  request.set_report_stats(true);
  return d.call<ws::DescribeTaskQueueResponse>(M::kDescribeTaskQueue, request)
      .stats()
      .approximate_backlog_count();
}

void start_delayed(Driver& d, int runs, std::int64_t seconds) {
  for (int i = 0; i < runs; ++i) {
    d.start("w" + std::to_string(i),
            [&](auto& request) { request.mutable_workflow_start_delay()->set_seconds(seconds); });
  }
}

TEST(Turns, CallsComeBetweenDeadlines) {
  constexpr int kRuns = 300;
  Driver d;
  start_delayed(d, kRuns, 60);
  d.auto_settle = false;
  d.clock.ns += 61 * kSecond;
  std::vector<std::int64_t> seen;
  for (int turn = 0; turn < kRuns && (seen.empty() || seen.back() < kRuns); ++turn) {
    EXPECT_LE(d.core->next_deadline(), d.clock.ns) << "there is more to do";
    d.core->tick();
    seen.push_back(backlog(d));
    const auto one = seen.back() - (seen.size() > 1 ? seen[seen.size() - 2] : 0);
    EXPECT_GT(one, 0);
    EXPECT_LE(one, Duties::kSlice + 8);
  }
  EXPECT_EQ(seen.back(), kRuns);
}

TEST(Turns, OneBatchHoldsSoMuchOfIt) {
  constexpr int kRuns = 300;
  Driver d;
  start_delayed(d, kRuns, 60);
  d.auto_settle = false;
  d.auto_commit = false;
  d.clock.ns += 61 * kSecond;
  int turns = 0;
  for (; d.core->next_deadline() != 0; ++turns) d.core->tick();
  EXPECT_LT(turns, kRuns / Duties::kSlice);
  d.core->tick();
  EXPECT_EQ(d.core->next_deadline(), 0) << "not before the batch is taken";
  d.commit();
  EXPECT_NE(d.core->next_deadline(), 0);
  d.auto_commit = true;
  d.settle();
  EXPECT_EQ(backlog(d), kRuns);
}

TEST(Turns, TimersOfOneRunBringOneTask) {
  constexpr int kTimers = 1000;
  Driver d;
  d.start("w");
  Driver::Commands commands;
  for (int i = 0; i < kTimers; ++i) commands.push_back(Driver::start_timer(std::to_string(i), 30));
  d.complete(d.workflow_task().task_token(), std::move(commands));
  auto poll = d.poll_workflow();
  d.auto_settle = false;
  d.clock.ns += 31 * kSecond;
  d.core->tick();
  d.commit();
  EXPECT_FALSE(poll->done()) << "a worker that had it now would have to wait for the others";
  d.settle();
  const auto task = Driver::take<ws::PollWorkflowTaskQueueResponse>(poll);
  EXPECT_EQ(task.started_event_id(), 4 + kTimers + kTimers + 2);
  d.auto_settle = true;
  d.complete(task.task_token(), {});
  int fired = 0;
  const auto history = d.history("w");
  for (const auto& event : history.events()) {
    fired += event.has_timer_fired_event_attributes() ? 1 : 0;
    EXPECT_FALSE(event.has_workflow_task_failed_event_attributes());
  }
  EXPECT_EQ(fired, kTimers);
}

TEST(Turns, ACrashInTheMiddleOfThemBringsOneTaskToo) {
  constexpr int kTimers = 500;
  Driver d;
  d.start("w");
  Driver::Commands commands;
  for (int i = 0; i < kTimers; ++i) commands.push_back(Driver::start_timer(std::to_string(i), 60));
  d.complete(d.workflow_task().task_token(), std::move(commands));
  d.auto_settle = false;
  d.clock.ns += 61 * kSecond;
  d.core->tick();
  d.commit();
  d.crash();
  auto poll = d.poll_workflow();
  d.settle();
  const auto task = Driver::take<ws::PollWorkflowTaskQueueResponse>(poll);
  EXPECT_EQ(task.started_event_id(), 4 + kTimers + kTimers + 2);
}

TEST(Turns, AWideFanOutOfChildrenLetsOthersThrough) {
  constexpr int kChildren = 200;
  Driver d;
  d.start("w");
  Driver::Commands commands;
  for (int i = 0; i < kChildren; ++i) {
    auto& command = commands.emplace_back();
    command.set_command_type(enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION);
    auto& attributes = *command.mutable_start_child_workflow_execution_command_attributes();
    attributes.set_workflow_id("child-" + std::to_string(i));
    attributes.mutable_workflow_type()->set_name("child");
    attributes.mutable_task_queue()->set_name("q");
  }
  const auto task = d.workflow_task();
  d.auto_settle = false;
  d.complete(task.task_token(), std::move(commands));
  EXPECT_LE(backlog(d), Duties::kAfterCall + 1);
  d.start("other");
  d.settle();
  EXPECT_EQ(backlog(d), kChildren + 2) << "the children's, the parent's and the other's";
  // And their end, of which the parent hears from all of them.
  d.auto_settle = true;
  ws::TerminateWorkflowExecutionRequest terminate;
  terminate.set_namespace_("default");
  terminate.mutable_workflow_execution()->set_workflow_id("w");
  d.call<ws::TerminateWorkflowExecutionResponse>(M::kTerminateWorkflowExecution, terminate);
  EXPECT_EQ(backlog(d), 1);
}

TEST(Turns, AWideFanOutOfActivitiesIsOfferedInItsOrder) {
  constexpr int kActivities = 500;
  Driver d;
  d.start("w");
  Driver::Commands commands;
  for (int i = 0; i < kActivities; ++i) commands.push_back(Driver::schedule_activity(std::to_string(i)));
  const auto task = d.workflow_task();
  d.auto_settle = false;
  d.complete(task.task_token(), std::move(commands));
  EXPECT_LT(backlog(d, enums::TASK_QUEUE_TYPE_ACTIVITY), 100);
  d.settle();
  EXPECT_EQ(backlog(d, enums::TASK_QUEUE_TYPE_ACTIVITY), kActivities);
  for (int i = 0; i < kActivities; ++i) {
    const auto activity = d.activity_task();
    ASSERT_EQ(activity.activity_id(), std::to_string(i));
    ASSERT_EQ(activity.input().payloads(0).data(), "input-" + std::to_string(i));
  }
  EXPECT_EQ(d.history("w").events_size(), 4 + kActivities);
}

TEST(Turns, CallsAreServedWhileARestartBringsRunsBack) {
  constexpr int kRuns = 300;
  Driver d;
  for (int i = 0; i < kRuns; ++i) d.start("w" + std::to_string(i));
  d.auto_settle = false;
  d.crash();
  EXPECT_EQ(backlog(d), 0);
  d.signal("w7", "news");
  d.start("fresh");
  EXPECT_EQ(d.workflow_task().workflow_execution().workflow_id(), "fresh");
  d.settle();
  EXPECT_EQ(backlog(d), kRuns) << "each once";
  d.auto_settle = true;
  for (int i = 0; i < kRuns; ++i) d.complete(d.workflow_task().task_token(), {});
  EXPECT_EQ(backlog(d), 0);
  EXPECT_EQ(d.events("w7").back(), "WorkflowTaskCompleted");
}

TEST(Turns, ATimerIsNotForgottenWhileARestartReadsOn) {
  Driver d;
  start_delayed(d, 100, 3600);
  d.auto_settle = false;
  d.crash();
  // Its time is known from here on, and is not that of the stored row.
  d.signal("w99", "news");
  d.settle();
  d.clock.ns += 3601 * kSecond;
  d.settle();
  EXPECT_EQ(backlog(d), 100);
}

TEST(Turns, ManyWhoWaitForTheSameAreAnsweredInTurns) {
  constexpr int kReaders = 200;
  Driver d;
  d.start("w");
  ws::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id("w");
  request.set_wait_new_event(true);
  request.set_history_event_filter_type(enums::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT);
  std::vector<std::shared_ptr<testing::Pending>> readers;
  for (int i = 0; i < kReaders; ++i) readers.push_back(d.send(M::kGetWorkflowExecutionHistory, request));
  const auto task = d.workflow_task();
  d.auto_settle = false;
  d.complete(task.task_token(), {Driver::complete_workflow()});
  const auto done = [&] {
    return std::ranges::count_if(readers, [](const auto& one) { return one->done(); });
  };
  EXPECT_GT(done(), 0);
  EXPECT_LT(done(), kReaders);
  d.core->cancel(readers.back()->id);
  d.settle();
  EXPECT_EQ(done(), kReaders);
  EXPECT_EQ(Driver::take<ws::GetWorkflowExecutionHistoryResponse>(readers[100]).history().events_size(), 1);
  EXPECT_FALSE(readers.back()->result->has_value());
}

}  // namespace
}  // namespace holdfast::engine
