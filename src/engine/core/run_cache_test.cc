// Goal: an execution is found wherever it is, and memory stays within its bounds without losing what is not
// durable or is waited for. Method: a cache over a store in memory, small bounds, batches committed when the
// test says so.

#include "engine/run_cache.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "engine/batches.h"
#include "engine/options.h"
#include "engine/rows.h"
#include "engine/wake_times.h"
#include "sim/memory_store.h"

namespace holdfast::engine {
namespace {

std::string run_id(int number) {
  return "00000000-0000-7000-8000-00000000000" + std::to_string(number);
}

class RunCacheTest : public testing::Test {
 protected:
  engine::Run& create(int number, const std::string& memo = "") {
    stored::ExecutionState state;
    state.set_namespace_id("n");
    state.set_workflow_id("w" + std::to_string(number));
    state.set_run_id(run_id(number));
    state.set_first_run_id(run_id(number));
    state.set_status(enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
    state.set_wake_row_ns(-1);
    state.set_workflow_type(memo);
    engine::Run& run = cache_.create(std::make_unique<MutableState>(std::move(state)));
    cache_.touch(run);
    return run;
  }
  RunKey key(int number) const { return {"n", "w" + std::to_string(number), run_id(number)}; }

  // The next batch, into the store; committed() is the test's to call.
  std::uint64_t store() {
    Output output;
    batches_.take(output);
    EXPECT_TRUE(store_.commit(output.batch).ok());
    return output.sequence;
  }
  void commit() {
    const std::uint64_t sequence = store();
    rows_.committed(sequence);
    cache_.committed(sequence);
  }
  Status error_of(const std::string& workflow, const std::string& run, const std::string& first = "") {
    const auto found = cache_.resolve("n", {workflow, run, first});
    return found ? Status() : found.error();
  }

  EngineLimits limits_;
  sim::MemoryStore store_;
  Rows rows_{store_};
  WakeTimes wakes_;
  RunCache cache_{limits_, rows_, wakes_};
  stored::StoreMeta meta_;
  LargeRows large_{rows_, meta_};
  Batches batches_{false, rows_, cache_, large_};
};

TEST_F(RunCacheTest, IsFoundInMemoryAndAfterwardsInTheStore) {
  limits_.cached_executions = 0;
  engine::Run& run = create(1);
  EXPECT_EQ(cache_.find(key(1)), &run);
  commit();
  EXPECT_EQ(cache_.size(), 0u);
  EXPECT_EQ(cache_.bytes(), 0u);
  engine::Run* loaded = cache_.find(key(1));
  ASSERT_NE(loaded, nullptr);
  EXPECT_EQ(loaded->ms->s().workflow_id(), "w1");
  EXPECT_EQ(cache_.find(key(2)), nullptr);
}

TEST_F(RunCacheTest, ARequestFindsTheCurrentRunOrSaysWhatIsWrong) {
  create(1);
  EXPECT_EQ((*cache_.resolve("n", {"w1", "", ""}))->key, key(1));
  EXPECT_EQ((*cache_.resolve("n", {"w1", run_id(1), run_id(1)}))->key, key(1));
  EXPECT_EQ(error_of("", "").code(), Code::kInvalidArgument);
  EXPECT_EQ(error_of("w1", "no uuid").code(), Code::kInvalidArgument);
  EXPECT_EQ(error_of("w2", "").code(), Code::kNotFound);
  EXPECT_EQ(error_of("w1", run_id(2)).code(), Code::kNotFound);
  EXPECT_EQ(error_of("w1", "", run_id(2)).code(), Code::kNotFound) << "of another chain";
  EXPECT_EQ(error_of(std::string(1001, 'w'), "").code(), Code::kInvalidArgument);
}

TEST_F(RunCacheTest, ATouchedRunGoesIntoTheNextBatchOnce) {
  engine::Run& run = create(1);
  cache_.touch(run);
  EXPECT_EQ(cache_.take_touched().size(), 1u);
  EXPECT_FALSE(cache_.touched());
}

TEST_F(RunCacheTest, TheLeastRecentlyUsedGoFirst) {
  limits_.cached_executions = 2;
  create(1);
  create(2);
  create(3);
  cache_.find(key(1));
  commit();
  EXPECT_EQ(cache_.size(), 2u);
  const std::size_t before = cache_.size();
  cache_.find(key(1));
  cache_.find(key(3));
  EXPECT_EQ(cache_.size(), before) << "both were still in memory";
}

TEST_F(RunCacheTest, IsBoundedInBytes) {
  limits_.cached_bytes = 14'000;
  for (int i = 1; i <= 5; ++i) create(i, std::string(4'000, 'x'));
  commit();
  EXPECT_EQ(cache_.size(), 2u);
  EXPECT_LE(cache_.bytes(), limits_.cached_bytes);
  EXPECT_GT(cache_.bytes(), 8'000u);
}

TEST_F(RunCacheTest, OfClosedRunsOnlyTheLastFewStay) {
  for (int i = 1; i <= 200; ++i) {
    stored::ExecutionState state;
    state.set_namespace_id("n");
    state.set_workflow_id("w" + std::to_string(i));
    state.set_run_id(run_id(i));
    state.set_status(enums::WORKFLOW_EXECUTION_STATUS_COMPLETED);
    state.set_close_ns(1);
    state.set_wake_row_ns(-1);
    cache_.touch(cache_.create(std::make_unique<MutableState>(std::move(state))));
    commit();
  }
  engine::Run& open = create(300);
  commit();
  EXPECT_LT(cache_.size(), 100u);
  EXPECT_EQ(cache_.find(open.key), &open);
  EXPECT_NE(cache_.find(key(1)), nullptr) << "it is in the store";
}

TEST_F(RunCacheTest, WhatIsNotDurableOrWaitedForStays) {
  limits_.cached_executions = 0;
  create(1);
  engine::Run& waited = create(2);
  waited.history_waiters.emplace(3, 17);
  const std::uint64_t sequence = store();
  cache_.committed(sequence - 1);
  EXPECT_EQ(cache_.size(), 2u) << "its batch may still be lost";
  cache_.touch(*cache_.find(key(1)));
  cache_.committed(sequence);
  EXPECT_EQ(cache_.size(), 2u) << "changed since";
  commit();
  EXPECT_EQ(cache_.size(), 1u);
  waited.history_waiters.clear();
  commit();
  EXPECT_EQ(cache_.size(), 0u);
}

TEST_F(RunCacheTest, WhatNobodyAsksForLeavesMemoryInSlices) {
  for (int number = 1; number <= 4; ++number) create(number);
  commit();
  create(5);
  cache_.find(key(4))->history_waiters.emplace(3, 17);
  for (std::uint64_t age = 1; age < RunCache::kIdleAges; ++age) cache_.age();
  EXPECT_NE(cache_.find(key(2)), nullptr);
  EXPECT_FALSE(cache_.let_idle_go(10)) << "none is idle";
  cache_.age();
  EXPECT_TRUE(cache_.let_idle_go(1));
  EXPECT_EQ(cache_.size(), 4u);
  EXPECT_FALSE(cache_.let_idle_go(10));
  EXPECT_EQ(cache_.size(), 3u) << "one was used, one is waited for, one is not durable";
  for (std::uint64_t age = 0; age < RunCache::kIdleAges; ++age) cache_.age();
  commit();
  EXPECT_FALSE(cache_.let_idle_go(10));
  EXPECT_EQ(cache_.size(), 1u);
  EXPECT_NE(cache_.find(key(1)), nullptr) << "it is in the store";
}

TEST_F(RunCacheTest, OldPagesOfALongHistoryLeaveMemoryOnceTheyAreDurable) {
  limits_.cached_run_bytes = 1'000;
  engine::Run& run = create(1);
  const auto page = [](std::int64_t first, std::uint64_t batch) {
    auto events = std::make_shared<History>();
    events->add_events()->set_event_id(first);
    return Page{first, std::move(events), 600, batch};
  };
  cache_.add_page(run, page(1, 1));
  cache_.add_page(run, page(2, 2));
  EXPECT_EQ(run.pages.size(), 2u) << "neither is durable";
  cache_.committed(1);
  cache_.add_page(run, page(3, 3));
  EXPECT_EQ(run.pages.size(), 2u);
  EXPECT_EQ(run.pages.front().first_event_id, 2);
}

}  // namespace
}  // namespace holdfast::engine
