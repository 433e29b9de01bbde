// Goal: tasks leave their queue by priority and no faster than its workers have asked for, and nothing that
// waits is forgotten. Method: one core under a clock that stands still until it is told.

#include <gmock/gmock.h>

#include "engine/core_driver.h"

namespace holdfast::engine {
namespace {

using history::kSecond;
using testing::Driver;
using ::testing::ElementsAre;
using testing::Pending;

std::shared_ptr<Pending> poll(Driver& d, std::optional<double> per_second) {
  ws::PollActivityTaskQueueRequest request;
  request.set_namespace_("default");
  request.mutable_task_queue()->set_name("q");
  request.set_identity("worker");
  if (per_second)
    request.mutable_task_queue_metadata()->mutable_max_tasks_per_second()->set_value(*per_second);
  return d.send(api::Method::kPollActivityTaskQueue, request);
}

std::string activity_of(const std::shared_ptr<Pending>& pending) {
  return pending->done() ? Driver::take<ws::PollActivityTaskQueueResponse>(pending).activity_id() : "none";
}

void schedule(Driver& d, int activities) {
  d.start("w");
  Driver::Commands commands;
  for (int i = 0; i < activities; ++i)
    commands.push_back(Driver::schedule_activity("a" + std::to_string(i), 600));
  d.complete(d.workflow_task().task_token(), commands);
}

// Up to the moment for which the host wakes.
void sleep(Driver& d) {
  const auto next = d.core->next_deadline();
  ASSERT_GT(next, d.clock.ns) << "nothing is left to do now";
  d.advance(next - d.clock.ns);
}

TEST(QueueRate, ActivitiesGoNoFaster) {
  Driver d;
  schedule(d, 3);
  EXPECT_EQ(activity_of(poll(d, 1)), "a0");
  const auto second = poll(d, 1);
  const auto third = poll(d, 1);
  EXPECT_FALSE(second->done());
  const std::int64_t begin = d.clock.ns;
  sleep(d);
  EXPECT_EQ(d.clock.ns, begin + kSecond);
  EXPECT_EQ(activity_of(second), "a1");
  EXPECT_FALSE(third->done());
  sleep(d);
  EXPECT_EQ(d.clock.ns, begin + 2 * kSecond);
  EXPECT_EQ(activity_of(third), "a2");
}

TEST(QueueRate, HoldsWhatComesWhilePollsWait) {
  Driver d;
  const auto first = poll(d, 1);
  const auto second = poll(d, 1);
  schedule(d, 2);
  EXPECT_EQ(activity_of(first), "a0");
  EXPECT_FALSE(second->done());
  sleep(d);
  EXPECT_EQ(activity_of(second), "a1");
}

TEST(QueueRate, ZeroIsAPauseUntilAnotherIsSet) {
  Driver d;
  schedule(d, 1);
  const auto paused = poll(d, 0);
  d.advance(10 * kSecond);
  EXPECT_FALSE(paused->done());
  const auto other = poll(d, std::nullopt);
  EXPECT_EQ(activity_of(other), "a0") << "who sets none takes the rate away";
  EXPECT_FALSE(paused->done());
}

// The poll that waits is gone before the moment comes.
TEST(QueueRate, APollThatLeavesTakesNothingWithIt) {
  Driver d;
  schedule(d, 2);
  EXPECT_EQ(activity_of(poll(d, 1)), "a0");
  const auto leaving = poll(d, 1);
  d.core->cancel(leaving->id);
  d.after_work();
  d.advance(kSecond);
  EXPECT_EQ(activity_of(poll(d, 1)), "a1");
}

TEST(QueueRate, IsShown) {
  Driver d;
  poll(d, 2.5);
  ws::DescribeTaskQueueRequest request;
  request.set_namespace_("default");
  request.mutable_task_queue()->set_name("q");
  request.set_task_queue_type(enums::TASK_QUEUE_TYPE_ACTIVITY);
  const auto shown = d.call<ws::DescribeTaskQueueResponse>(api::Method::kDescribeTaskQueue, request);
  EXPECT_EQ(shown.effective_rate_limit().requests_per_second(), 2.5);
  EXPECT_EQ(shown.effective_rate_limit().rate_limit_source(), enums::RATE_LIMIT_SOURCE_WORKER);
  ASSERT_EQ(shown.pollers_size(), 1);
  EXPECT_EQ(shown.pollers(0).rate_per_second(), 2.5);
}

TEST(QueueRate, IsRefusedBelowZero) {
  Driver d;
  for (const double rate : {-1.0, std::numeric_limits<double>::quiet_NaN()}) {
    const auto refused = poll(d, rate);
    ASSERT_TRUE(refused->done());
    EXPECT_EQ(refused->result->error().message(), "MaxTasksPerSecond can't be negative");
  }
}

TEST(Priority, WorkflowTasksGoByIt) {
  Driver d;
  const auto start = [&d](const std::string& id, std::int32_t key) {
    d.start(id, [key](auto& request) {
      if (key != 0) request.mutable_priority()->set_priority_key(key);
    });
  };
  start("last", 5);
  start("middle", 0);
  start("middle too", 3);
  start("first", 1);
  ws::DescribeTaskQueueRequest request;
  request.set_namespace_("default");
  request.mutable_task_queue()->set_name("q");
  request.set_task_queue_type(enums::TASK_QUEUE_TYPE_WORKFLOW);
  request.set_report_stats(true);
  const auto shown = d.call<ws::DescribeTaskQueueResponse>(api::Method::kDescribeTaskQueue, request);
  EXPECT_EQ(shown.stats().approximate_backlog_count(), 4);
  const auto& by_priority = shown.stats_by_priority_key();
  ASSERT_EQ(by_priority.size(), 3u);
  EXPECT_EQ(by_priority.at(1).approximate_backlog_count(), 1);
  EXPECT_EQ(by_priority.at(3).approximate_backlog_count(), 2);
  EXPECT_EQ(by_priority.at(5).approximate_backlog_count(), 1);
  std::vector<std::string> order;
  for (int i = 0; i < 4; ++i) order.push_back(d.workflow_task().workflow_execution().workflow_id());
  EXPECT_THAT(order, ElementsAre("first", "middle", "middle too", "last"));
}

TEST(Priority, ActivitiesHaveTheirOwnOrTheirWorkflows) {
  Driver d;
  d.start("w", [](auto& request) { request.mutable_priority()->set_priority_key(4); });
  Driver::Commands commands;
  for (const std::int32_t key : {5, 0, 2}) {
    commands.push_back(Driver::schedule_activity("a" + std::to_string(key)));
    if (key != 0) {
      auto& attributes = *commands.back().mutable_schedule_activity_task_command_attributes();
      attributes.mutable_priority()->set_priority_key(key);
    }
  }
  d.complete(d.workflow_task().task_token(), commands);
  std::vector<std::string> order;
  for (int i = 0; i < 3; ++i) order.push_back(d.activity_task().activity_id());
  EXPECT_THAT(order, ElementsAre("a2", "a0", "a5"));
}

}  // namespace
}  // namespace holdfast::engine
