// Tasks reach polls in order, once, by priority and no faster than the rate of their queue, and never
// disappear with a poll that was cancelled or ran out of time; what is over waits nowhere; queues that hold
// nothing cost little, however many there are.

#include "matching/task_queues.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace holdfast::matching {
namespace {

const QueueKey kQueue{"ns", "orders", QueueType::kActivity};
const QueueKey kOther{"ns", "sticky", QueueType::kActivity};

Task task(std::int64_t id, const std::string& run = "run", TaskKind kind = TaskKind::kActivity) {
  Task result;
  result.namespace_id = "ns";
  result.workflow_id = "workflow";
  result.run_id = run;
  result.kind = kind;
  result.id = id;
  return result;
}

Task query(const std::string& id, const std::string& run = "run") {
  Task result = task(0, run, TaskKind::kQuery);
  result.query_id = id;
  return result;
}

RunRef run_ref(std::string_view run) {
  return {"ns", "workflow", run};
}

Poll poll(PollId id, const std::string& worker = "") {
  return {id, worker};
}

TEST(TaskQueues, WaitingPollsAreServedInOrder) {
  TaskQueues queues;
  queues.park(kQueue, poll(1));
  queues.park(kQueue, poll(2));
  EXPECT_EQ(queues.add_task(kQueue, task(7)), 1u);
  EXPECT_EQ(queues.next_task(kQueue)->id, 7);
  EXPECT_EQ(queues.add_task(kQueue, task(8)), 2u);
  EXPECT_EQ(queues.next_task(kQueue)->id, 8);
  EXPECT_FALSE(queues.add_task(kQueue, task(9)));
  EXPECT_EQ(queues.backlog(kQueue), 1u);
  EXPECT_EQ(queues.next_task(kQueue)->id, 9);
  EXPECT_FALSE(queues.next_task(kQueue));
}

TEST(TaskQueues, WhoComesBackIsFirst) {
  TaskQueues queues;
  queues.add_task(kQueue, task(7));
  queues.add_task(kQueue, task(8), Place::kFirst);
  EXPECT_EQ(queues.next_task(kQueue)->id, 8);
  queues.park(kOther, poll(1));
  queues.park(kOther, poll(2), Place::kFirst);
  EXPECT_EQ(queues.add_task(kOther, task(9)), 2u);
}

TEST(TaskQueues, CancelledPollSwallowsNothing) {
  TaskQueues queues;
  queues.park(kQueue, poll(1));
  EXPECT_TRUE(queues.remove_poll(1));
  EXPECT_FALSE(queues.remove_poll(1));
  EXPECT_FALSE(queues.add_task(kQueue, task(7)));
  EXPECT_EQ(queues.next_task(kQueue)->id, 7);
}

TEST(TaskQueues, ATaskWaitsInOnePlace) {
  TaskQueues queues;
  Task sticky = task(1, "run", TaskKind::kWorkflow);
  queues.add_task(kOther, sticky);
  queues.add_task(kQueue, task(2, "run", TaskKind::kWorkflow));
  EXPECT_EQ(queues.backlog(kOther), 0u) << "a run has one workflow task";
  EXPECT_EQ(queues.backlog(kQueue), 1u);
  queues.add_task(kQueue, task(2));
  queues.add_task(kQueue, task(3));
  queues.add_task(kQueue, task(2));
  EXPECT_EQ(queues.backlog(kQueue), 3u) << "and several activities, once each";
}

TEST(TaskQueues, WhatIsOverLeavesAtOnce) {
  TaskQueues queues;
  for (const std::string run : {"a", "b", "c"}) {
    queues.add_task(kQueue, task(1, run, TaskKind::kWorkflow));
    queues.add_task(kQueue, task(5, run));
    queues.add_task(kQueue, task(6, run));
    queues.add_task(kQueue, query("q", run));
  }
  queues.drop_run(run_ref("b"));
  EXPECT_EQ(queues.backlog(kQueue), 9u) << "the query outlives its run's end";
  queues.drop_query(run_ref("b"), "q");
  queues.drop_activity(run_ref("a"), 5);
  queues.drop_activity(run_ref("a"), 5);
  queues.drop_workflow_task(run_ref("c"));
  EXPECT_EQ(queues.backlog(kQueue), 6u);
  EXPECT_EQ(queues.next_task(kQueue)->kind, TaskKind::kWorkflow);
  EXPECT_EQ(queues.next_task(kQueue)->id, 6);
}

Task of_priority(std::uint8_t priority, std::int64_t id) {
  Task result = task(id);
  result.priority = priority;
  return result;
}

TEST(TaskQueues, TheLowestPriorityGoesFirst) {
  TaskQueues queues;
  queues.add_task(kQueue, of_priority(3, 1));
  queues.add_task(kQueue, of_priority(5, 2));
  queues.add_task(kQueue, of_priority(1, 3));
  queues.add_task(kQueue, of_priority(3, 4));
  queues.add_task(kQueue, of_priority(3, 5), Place::kFirst);  // of its own
  EXPECT_EQ(queues.backlog(kQueue), 5u);
  EXPECT_EQ(queues.waits_by_priority(kQueue).at(3).tasks, 3u);
  for (const std::int64_t id : {3, 5, 1, 4, 2}) EXPECT_EQ(queues.next_task(kQueue)->id, id);
  EXPECT_TRUE(queues.waits_by_priority(kQueue).empty());
}

constexpr std::int64_t kSecond = 1'000'000'000;

Task at(std::int64_t now, std::int64_t id) {
  Task result = task(id);
  result.added_ns = now;
  return result;
}

TEST(TaskQueues, TasksAndPollsWaitForTheRate) {
  TaskQueues queues;
  queues.park(kQueue, poll(1));
  queues.set_rate(kQueue, 1, kSecond);
  EXPECT_EQ(queues.add_task(kQueue, at(kSecond, 7)), 1u) << "the first may go";
  EXPECT_TRUE(queues.next_task(kQueue));
  queues.went(kQueue, kSecond);
  queues.park(kQueue, poll(2));
  queues.park(kQueue, poll(3));
  EXPECT_FALSE(queues.add_task(kQueue, at(kSecond, 8)));
  EXPECT_FALSE(queues.may_go(kQueue, 2 * kSecond - 1));
  EXPECT_EQ(queues.next_due(), 2 * kSecond);
  EXPECT_FALSE(queues.take_due(2 * kSecond - 1));
  const auto due = queues.take_due(2 * kSecond);
  ASSERT_TRUE(due);
  EXPECT_EQ(due->first, kQueue);
  EXPECT_EQ(due->second, 2u);
  EXPECT_EQ(queues.next_task(kQueue)->id, 8);
  queues.went(kQueue, 2 * kSecond);
  EXPECT_EQ(queues.next_due(), 0) << "nothing waits but a poll";
}

TEST(TaskQueues, WhatIsHeldGoesWhenTheRateDoes) {
  TaskQueues queues;
  queues.park(kQueue, poll(1));
  queues.set_rate(kQueue, 0, kSecond);
  EXPECT_FALSE(queues.add_task(kQueue, at(kSecond, 7)));
  EXPECT_EQ(queues.next_due(), 0) << "nothing goes, ever";
  queues.set_rate(kQueue, std::nullopt, kSecond);
  EXPECT_NE(queues.next_due(), 0);
  EXPECT_TRUE(queues.take_due(kSecond));
  // The same with another rate; and a queue whose polls have gone holds nothing.
  queues.park(kQueue, poll(2));
  queues.set_rate(kQueue, 0, kSecond);
  queues.add_task(kQueue, at(kSecond, 8));
  queues.set_rate(kQueue, 10, kSecond);
  EXPECT_TRUE(queues.remove_poll(2));
  EXPECT_FALSE(queues.take_due(100 * kSecond));
  EXPECT_EQ(queues.backlog(kQueue), 2u);
}

TEST(TaskQueues, TheNewestPollersAreRemembered) {
  TaskQueues queues;
  for (int i = 1; i <= 100; ++i) queues.polled(kQueue, "worker-" + std::to_string(i), i);
  const auto seen = queues.pollers(kQueue);
  EXPECT_EQ(seen.size(), 64u);
  EXPECT_TRUE(
      std::any_of(seen.begin(), seen.end(), [](const auto& one) { return one.identity == "worker-100"; }));
}

TEST(TaskQueues, ShutdownAnswersThePollsOfOneWorker) {
  TaskQueues queues;
  queues.park(kQueue, poll(1, "w1"));
  queues.park(kQueue, poll(2, "w2"));
  queues.park(kOther, poll(3, "w1"));
  EXPECT_EQ(queues.remove_polls_of_worker("ns", "w1"), (std::vector<PollId>{1, 3}));
  EXPECT_TRUE(queues.remove_polls_of_worker("ns", "w1").empty());
  EXPECT_TRUE(queues.remove_polls_of_worker("other", "w2").empty());
  EXPECT_EQ(queues.parked_polls(), 1u);
}

TEST(TaskQueues, NamesThatAreNotUsedAgainCostLittle) {
  TaskQueues queues;
  const std::string long_name(900, 'q');
  const std::string identity(1000, 'i');
  const auto key = [&](int i) { return QueueKey{"ns", long_name + std::to_string(i), QueueType::kActivity}; };
  for (int i = 0; i < 20'000; ++i) {
    queues.polled(key(i), identity, i);
    queues.park(key(i), poll(static_cast<PollId>(i)));
    EXPECT_TRUE(queues.remove_poll(static_cast<PollId>(i)));
  }
  EXPECT_LT(queues.bytes(), 10u << 20);
  EXPECT_GT(queues.queues(), 100u);
  EXPECT_TRUE(queues.polled_since(key(19'999), 19'999)) << "the newest are remembered";
  queues.forget_idle(20'000);
  EXPECT_EQ(queues.queues(), 0u);
  EXPECT_EQ(queues.bytes(), 0u);
}

TEST(TaskQueues, WhoPolledQueuesInUseIsRememberedWithinABound) {
  TaskQueues queues({.pollers_remembered = 64, .pollers_bytes = 64 << 10, .idle_queues_bytes = 0});
  for (int queue = 0; queue < 100; ++queue) {
    const QueueKey key{"ns", std::to_string(queue), QueueType::kActivity};
    queues.park(key, poll(static_cast<PollId>(queue)));
    for (int i = 0; i < 64; ++i) queues.polled(key, std::string(1000, 'i') + std::to_string(i), i);
    EXPECT_FALSE(queues.pollers(key).empty());
  }
  EXPECT_LT(queues.bytes(), 300u << 10);
}

TEST(TaskQueues, BytesGoWithWhatTheyWereFor) {
  TaskQueues queues({.pollers_remembered = 64, .pollers_bytes = 1 << 20, .idle_queues_bytes = 0});
  queues.park(kQueue, poll(1, "a worker with a long name"));
  queues.polled(kQueue, "the identity of a worker", 1);
  queues.remove_poll(1);
  for (int i = 0; i < 10; ++i) queues.add_task(kQueue, task(i, "a run with a long name of its own"));
  EXPECT_GT(queues.bytes(), 0u);
  queues.next_task(kQueue);
  queues.drop_run(run_ref("a run with a long name of its own"));
  EXPECT_EQ(queues.bytes(), 0u);
  EXPECT_EQ(queues.queues(), 0u);
}

// There may be as many as there are executions.
TEST(TaskQueues, AWaitingTaskIsSmall) {
  const std::string uuid = "0190f2a4-5b6c-7d8e-9f01-23456789abcd";
  TaskQueues queues;
  queues.add_task(kQueue, task(1));
  const std::size_t before = queues.bytes();
  Task second = task(2);
  second.namespace_id = second.workflow_id = second.run_id = uuid;
  queues.add_task(kQueue, second);
  EXPECT_LT(queues.bytes() - before, 230u);
  queues.next_task(kQueue);
  const auto back = queues.next_task(kQueue);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->namespace_id, uuid);
  EXPECT_EQ(back->workflow_id, uuid);
  EXPECT_EQ(back->run_id, uuid);
}

}  // namespace
}  // namespace holdfast::matching
