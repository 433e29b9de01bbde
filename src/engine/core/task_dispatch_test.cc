// Goal: a task reaches a poll that waits for it, once, and what has become stale reaches nobody. Method: the
// parts that dispatch needs, over a store in memory; runs are started and their tasks offered.

#include "engine/task_dispatch.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "engine/core_clock.h"
#include "engine/history_reader.h"
#include "engine/history_waiters.h"
#include "engine/namespaces.h"
#include "engine/new_ids.h"
#include "engine/options.h"
#include "engine/parked_calls.h"
#include "engine/replies.h"
#include "engine/rows.h"
#include "engine/run_cache.h"
#include "engine/task_responses.h"
#include "engine/task_tokens.h"
#include "engine/wake_times.h"
#include "fixture/counting_random.h"
#include "fixture/manual_clock.h"
#include "history/lifecycle.h"
#include "history/workflow_task.h"
#include "sim/memory_store.h"

namespace holdfast::engine {
namespace {

class TaskDispatchTest : public testing::Test {
 protected:
  TaskDispatchTest() {
    namespace_.set_id("n");
    namespace_.set_name("default");
    namespaces_.add(namespace_);
    clock_.advance();
  }

  // A run whose first workflow task is scheduled on `queue`.
  engine::Run& started(const std::string& workflow_id, const std::string& queue = "q") {
    history::lifecycle::StartInput input;
    input.namespace_id = "n";
    input.workflow_id = workflow_id;
    input.run_id = ids_.next();
    input.attributes.mutable_task_queue()->set_name(queue);
    engine::Run& run = cache_.create(history::lifecycle::start(std::move(input), clock_.now()));
    history::workflow_task::schedule(*run.ms, clock_.now());
    return run;
  }
  void poll(CallId id, const std::string& queue = "q", bool inside = false) {
    Poller poller;
    poller.call.id = id;
    poller.call.options.in_process_workflow_worker = inside;
    poller.call.done = [this, id](Result<api::MessagePtr> result) {
      if (!result) {
        log_.push_back(std::to_string(id) + " error " + result.error().message().substr(0, 8));
        return;
      }
      const auto& task = static_cast<const ws::PollWorkflowTaskQueueResponse&>(**result);
      log_.push_back(std::to_string(id) + " " + task.workflow_execution().workflow_id());
    };
    poller.identity = "worker-" + std::to_string(id);
    dispatch_.poll(std::move(poller), namespace_, queue, matching::QueueType::kWorkflow);
  }
  // What the polls were answered since it was asked last: "poll workflow".
  std::vector<std::string> answers() {
    for (Release& release : replies_.take()) release.run();
    return std::exchange(log_, {});
  }
  using Answers = std::vector<std::string>;

  EngineLimits limits_;
  fixture::ManualClock machine_;
  fixture::CountingRandom random_;
  sim::MemoryStore store_;
  stored::StoreMeta meta_;
  CoreClock clock_{machine_};
  NewIds ids_{random_, clock_};
  Replies replies_;
  ParkedCalls parked_{3, 3};
  matching::TaskQueues queues_;
  WakeTimes wakes_;
  Rows rows_{store_};
  Namespaces namespaces_{rows_};
  RunCache cache_{limits_, rows_, wakes_};
  HistoryReader reader_{store_, limits_};
  TaskTokens tokens_{meta_, namespaces_, cache_};
  TaskResponses responses_{limits_, namespaces_, reader_, tokens_};
  HistoryWaiters waiters_{limits_, clock_, parked_, replies_, reader_};
  TaskDispatch dispatch_{limits_,  clock_, ids_,    queues_,    parked_,
                         replies_, cache_, tokens_, responses_, waiters_};
  stored::NamespaceRecord namespace_;
  std::vector<std::string> log_;
};

TEST_F(TaskDispatchTest, ATaskWaitsForAPoll) {
  engine::Run& run = started("w");
  dispatch_.workflow_task(run);
  EXPECT_FALSE(run.ms->workflow_task_started());
  poll(1);
  EXPECT_EQ(answers(), (Answers{"1 w"}));
  EXPECT_TRUE(run.ms->workflow_task_started());
  EXPECT_TRUE(cache_.touched()) << "started in the same transaction";
}

TEST_F(TaskDispatchTest, APollWaitsForATask) {
  poll(1);
  poll(2);
  EXPECT_EQ(parked_.size(), 2u);
  EXPECT_TRUE(answers().empty());
  dispatch_.workflow_task(started("w"));
  EXPECT_EQ(answers(), (Answers{"1 w"})) << "first come, first served";
  EXPECT_EQ(parked_.size(), 1u);
}

TEST_F(TaskDispatchTest, WhatIsOverWaitsNowhere) {
  engine::Run& run = started("w");
  dispatch_.workflow_task(run);
  dispatch_.workflow_task(run);  // offered twice, as after a change of queues
  dispatch_.workflow_task(started("closed"));
  engine::Run& closed = *cache_.resolve("n", {"closed", "", ""}).value();
  const matching::QueueKey queue{"n", "q", matching::QueueType::kWorkflow};
  EXPECT_EQ(queues_.backlog(queue), 2u);
  dispatch_.closed(closed);
  EXPECT_EQ(queues_.backlog(queue), 1u);
  poll(1);
  EXPECT_EQ(answers(), (Answers{"1 w"}));
  poll(2);
  EXPECT_TRUE(answers().empty());
  EXPECT_EQ(parked_.size(), 1u) << "the second poll keeps waiting";
  dispatch_.workflow_task(started("other"));
  EXPECT_EQ(answers(), (Answers{"2 other"}));
}

TEST_F(TaskDispatchTest, QueuesAreApartButForPartitions) {
  dispatch_.workflow_task(started("w", "a"));
  poll(1, "b");
  EXPECT_TRUE(answers().empty());
  poll(2, "/_sys/a/3");
  EXPECT_EQ(answers(), (Answers{"2 w"}));
}

TEST_F(TaskDispatchTest, PollsAreBounded) {
  for (CallId id = 1; id <= 3; ++id) poll(id);
  poll(4);
  EXPECT_EQ(answers(), (Answers{"4 error Too many"}));
  dispatch_.workflow_task(started("w", "busy"));
  poll(6, "busy");
  EXPECT_EQ(answers(), (Answers{"6 w"})) << "who need not wait is not refused";
  poll(5, "");
  EXPECT_EQ(answers(), (Answers{"5 error taskQueu"}));
}

TEST_F(TaskDispatchTest, OnlyAWorkerInTheProcessGetsItsTaskEarly) {
  engine::Run& run = started("w");
  dispatch_.workflow_task(run);
  poll(1, "q", true);
  EXPECT_TRUE(replies_.empty());
  EXPECT_EQ(dispatch_.early_tasks_out(), 1u);
  for (Release& release : replies_.take_early()) release.run();
  EXPECT_EQ(answers(), (Answers{"1 w"}));
  dispatch_.task_came_back(run);
  dispatch_.task_came_back(run);
  EXPECT_EQ(dispatch_.early_tasks_out(), 0u);
}

}  // namespace
}  // namespace holdfast::engine
