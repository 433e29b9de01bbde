// Goal: a token leads back to the run and the attempt it was issued for, and nothing else is taken for one.
// Method: tokens of one run, and bytes that are none.

#include "engine/task_tokens.h"

#include <gmock/gmock.h>

#include <memory>

#include "engine/errors.h"
#include "engine/namespaces.h"
#include "engine/options.h"
#include "engine/rows.h"
#include "engine/run_cache.h"
#include "engine/wake_times.h"
#include "sim/memory_store.h"

namespace holdfast::engine {
namespace {

class TaskTokensTest : public testing::Test {
 protected:
  TaskTokensTest() {
    meta_.set_epoch(4);
    meta_.set_token_key_ns(10);  // tasks that started before have tokens that are not signed
    Namespaces::Record record;
    record.set_id("n");
    record.set_name("default");
    namespaces_.add(record);
    stored::ExecutionState state;
    state.set_namespace_id("n");
    state.set_workflow_id("w");
    state.set_run_id("r");
    auto& task = *state.mutable_workflow_task();
    task.set_scheduled_event_id(2);
    task.set_started_event_id(3);
    task.set_attempt(1);
    run_ = &cache_.create(std::make_unique<MutableState>(std::move(state)));
  }
  std::string error_of(const std::string& bytes) const {
    stored::TaskToken token;
    const auto found = tokens_.run_of(bytes, "default", &token, errors::task_not_found());
    return found ? "" : found.error().message();
  }

  EngineLimits limits_;
  sim::MemoryStore store_;
  stored::StoreMeta meta_;
  WakeTimes wakes_;
  Rows rows_{store_};
  Namespaces namespaces_{rows_};
  RunCache cache_{limits_, rows_, wakes_};
  TaskTokens tokens_{meta_, namespaces_, cache_};
  engine::Run* run_ = nullptr;
};

TEST_F(TaskTokensTest, LeadsBackToItsRunAndAttempt) {
  stored::TaskToken token;
  auto found = tokens_.run_of(tokens_.of_workflow_task(*run_), "default", &token, errors::task_not_found());
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(*found, run_);
  EXPECT_EQ(token.scheduled_event_id(), 2);
  EXPECT_EQ(token.attempt(), 1);
  EXPECT_EQ(token.epoch(), 4);

  stored::ActivityInfo info;
  info.set_scheduled_event_id(5);
  info.set_activity_id("pay");
  info.set_attempt(3);
  ASSERT_TRUE(tokens_.run_of(tokens_.of_activity(*run_, info), "default", &token, errors::task_not_found())
                  .has_value());
  EXPECT_EQ(token.activity_id(), "pay");
  EXPECT_EQ(token.attempt(), 3);

  ASSERT_TRUE(
      tokens_.run_of(tokens_.of_query(*run_, "q"), "default", &token, errors::task_not_found()).has_value());
  EXPECT_EQ(token.query_id(), "q");
  EXPECT_EQ(token.scheduled_event_id(), 0);
}

TEST_F(TaskTokensTest, NothingElseIsTakenForOne) {
  EXPECT_EQ(error_of(""), "Task token not set on request.");
  EXPECT_THAT(error_of("no token"), testing::StartsWith("Error deserializing task token."));
  stored::TaskToken token;
  token.set_namespace_id("n");
  token.set_workflow_id("w");
  EXPECT_THAT(error_of(token.SerializeAsString()), testing::StartsWith("Error deserializing task token."))
      << "of no run";
  token.set_run_id("gone");
  EXPECT_THAT(error_of(token.SerializeAsString()), testing::StartsWith("Error deserializing task token."))
      << "not signed";
  token.set_started_ns(9);
  EXPECT_EQ(error_of(token.SerializeAsString()), errors::task_not_found().message());
  token.set_namespace_id("elsewhere");
  EXPECT_EQ(error_of(token.SerializeAsString()), errors::namespace_not_found("elsewhere").message());
}

TEST_F(TaskTokensTest, OnlyAWorkerOfThisProcessHoldsForItsEpoch) {
  Call call;
  EXPECT_EQ(tokens_.holder_epoch(call), 0);
  call.options.in_process_workflow_worker = true;
  EXPECT_EQ(tokens_.holder_epoch(call), 4);
}

}  // namespace
}  // namespace holdfast::engine
