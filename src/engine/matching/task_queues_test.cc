// Tasks reach polls in order, once, and never disappear with a poll that was cancelled or ran out of time.

#include "matching/task_queues.h"

#include <gtest/gtest.h>

namespace holdfast::matching {
namespace {

const QueueKey kQueue{"ns", "orders", QueueType::kActivity};

Task task(std::int64_t id) {
  Task result;
  result.id = id;
  return result;
}

Poll poll(PollId id, std::int64_t deadline = 100) {
  Poll result;
  result.id = id;
  result.deadline_ns = deadline;
  return result;
}

TEST(TaskQueues, WaitingPollsAreServedInOrder) {
  TaskQueues queues;
  EXPECT_FALSE(queues.add_poll(kQueue, poll(1), 0));
  EXPECT_FALSE(queues.add_poll(kQueue, poll(2), 0));
  EXPECT_EQ(queues.add_task(kQueue, task(7)), 1u);
  EXPECT_EQ(queues.next_task(kQueue)->id, 7);
  EXPECT_EQ(queues.add_task(kQueue, task(8)), 2u);
  EXPECT_EQ(queues.next_task(kQueue)->id, 8);
  EXPECT_FALSE(queues.add_task(kQueue, task(9)));
  EXPECT_EQ(queues.backlog(kQueue), 1u);
  EXPECT_EQ(queues.add_poll(kQueue, poll(3), 0)->id, 9);
}

TEST(TaskQueues, CancelledPollSwallowsNothing) {
  TaskQueues queues;
  queues.add_poll(kQueue, poll(1), 0);
  EXPECT_TRUE(queues.remove_poll(1));
  EXPECT_FALSE(queues.remove_poll(1));
  EXPECT_FALSE(queues.add_task(kQueue, task(7)));
  EXPECT_EQ(queues.add_poll(kQueue, poll(2), 0)->id, 7);
}

TEST(TaskQueues, ExpiresByDeadline) {
  TaskQueues queues;
  queues.add_poll(kQueue, poll(1, 50), 0);
  queues.add_poll(kQueue, poll(2, 20), 0);
  EXPECT_EQ(queues.next_deadline(), 20);
  EXPECT_EQ(queues.expired(30), std::vector<PollId>{2});
  EXPECT_EQ(queues.next_deadline(), 50);
  EXPECT_EQ(queues.parked_polls(), 1u);
}

TEST(TaskQueues, TheNewestPollersAreRemembered) {
  TaskQueues queues;
  for (int i = 1; i <= 100; ++i) {
    Poll one = poll(i, 1000);
    one.identity = "worker-" + std::to_string(i);
    queues.add_poll(kQueue, one, i);
  }
  const auto seen = queues.pollers(kQueue);
  EXPECT_EQ(seen.size(), 64u);
  EXPECT_TRUE(
      std::any_of(seen.begin(), seen.end(), [](const auto& one) { return one.identity == "worker-100"; }));
}

TEST(TaskQueues, ShutdownAnswersThePollsOfOneWorker) {
  TaskQueues queues;
  Poll mine = poll(1);
  mine.worker_instance_key = "w1";
  Poll other = poll(2);
  other.worker_instance_key = "w2";
  queues.add_poll(kQueue, mine, 0);
  queues.add_poll(kQueue, other, 0);
  EXPECT_EQ(queues.remove_polls_of_worker("ns", "w1"), std::vector<PollId>{1});
  EXPECT_EQ(queues.parked_polls(), 1u);
}

}  // namespace
}  // namespace holdfast::matching
