// Goal: whoever waits for a history or an update is answered when there is something to say, once, and not
// before. Method: one run, whose history and updates the test moves on by hand, and calls that wait for it.

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core_clock.h"
#include "engine/history_reader.h"
#include "engine/history_waiters.h"
#include "engine/options.h"
#include "engine/parked_calls.h"
#include "engine/replies.h"
#include "engine/rows.h"
#include "engine/run_cache.h"
#include "engine/update_waiters.h"
#include "engine/wake_times.h"
#include "fixture/manual_clock.h"
#include "sim/memory_store.h"

namespace holdfast::engine {
namespace {

class WaitersTest : public testing::Test {
 protected:
  WaitersTest() {
    clock_.advance();
    run_ = made("r", enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  }
  static std::unique_ptr<engine::Run> made(const std::string& run_id, enums::WorkflowExecutionStatus status) {
    stored::ExecutionState state;
    state.set_status(status);
    state.set_next_event_id(3);
    state.set_close_event_id(2);
    auto run = std::make_unique<engine::Run>(RunKey{"n", "w", run_id},
                                             std::make_unique<MutableState>(std::move(state)));
    auto events = std::make_shared<History>();
    for (std::int64_t id : {1, 2}) events->add_events()->set_event_id(id);
    run->pages.push_back({1, std::move(events), 0, 1});
    return run;
  }
  // The run is over, and its callers still wait.
  void close() {
    auto closed = made("r", enums::WORKFLOW_EXECUTION_STATUS_COMPLETED);
    run_->ms = std::move(closed->ms);
  }

  Call call(CallId id, api::Method method) {
    Call made;
    made.id = id;
    made.method = method;
    made.done = [this](Result<api::MessagePtr> result) { answer_ = std::move(result); };
    return made;
  }
  template <typename Response>
  std::optional<Response> answer() {
    for (Release& release : replies_.take()) release.run();
    auto answer = std::exchange(answer_, std::nullopt);
    if (!answer || !*answer) return std::nullopt;
    return static_cast<const Response&>(***answer);
  }
  using Page = ws::GetWorkflowExecutionHistoryResponse;
  using Updated = ws::UpdateWorkflowExecutionResponse;

  void read(CallId id, std::int64_t next, bool close_only = false, bool wait = true) {
    Call made = call(id, api::Method::kGetWorkflowExecutionHistory);
    histories_.answer(made, *run_,
                      {.next_event_id = next,
                       .page_events = histories_.page_events(0),
                       .close_only = close_only,
                       .wait = wait});
  }
  void admit(const std::string& id) {
    pb::update::v1::Request request;
    request.mutable_meta()->set_update_id(id);
    run_->ms->updates().admit(request);
  }
  void wait(CallId id, const std::string& update_id, UpdateWaiters::Stage stage) {
    Call made = call(id, api::Method::kUpdateWorkflowExecution);
    updates_.wait(made, *run_, update_id, stage);
  }
  static constexpr auto kAccepted = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED;
  static constexpr auto kCompleted = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED;

  EngineLimits limits_;
  fixture::ManualClock machine_;
  sim::MemoryStore store_;
  CoreClock clock_{machine_};
  Replies replies_;
  ParkedCalls parked_{2, 2};
  HistoryReader reader_{store_, limits_};
  HistoryWaiters histories_{limits_, clock_, parked_, replies_, reader_};
  UpdateWaiters updates_{limits_, clock_, parked_, replies_, reader_};
  std::unique_ptr<engine::Run> run_;
  std::optional<Result<api::MessagePtr>> answer_;
};

TEST_F(WaitersTest, WhatIsThereIsReadAtOnce) {
  read(1, 1, false, false);
  EXPECT_EQ(answer<Page>()->history().events_size(), 2);
  read(2, 2);
  EXPECT_EQ(answer<Page>()->history().events_size(), 1);
  EXPECT_EQ(parked_.size(), 0u);
}

TEST_F(WaitersTest, AReadWaitsForNews) {
  read(1, 3);
  EXPECT_EQ(run_->history_waiters.size(), 1u);
  histories_.notify(*run_);
  EXPECT_FALSE(answer<Page>().has_value()) << "nothing has happened";
  close();
  histories_.notify(*run_);
  EXPECT_TRUE(answer<Page>().has_value());
  EXPECT_TRUE(run_->history_waiters.empty());
  EXPECT_EQ(parked_.size(), 0u);
}

TEST_F(WaitersTest, AReadOfTheEndGetsTheClosingEvent) {
  read(1, 1, true);
  EXPECT_FALSE(answer<Page>().has_value());
  close();
  histories_.notify(*run_);
  const auto page = answer<Page>();
  ASSERT_TRUE(page.has_value());
  ASSERT_EQ(page->history().events_size(), 1);
  EXPECT_EQ(page->history().events(0).event_id(), 2);
}

TEST_F(WaitersTest, AReadThatTimesOutMayGoOn) {
  read(1, 3);
  auto parked = parked_.take(1);
  ASSERT_TRUE(parked.has_value());
  histories_.timed_out(*parked);
  const auto page = answer<Page>();
  ASSERT_TRUE(page.has_value());
  stored::HistoryToken token;
  ASSERT_TRUE(token.ParseFromString(page->next_page_token()));
  EXPECT_EQ(token.next_event_id(), 3);
  EXPECT_TRUE(token.waiting());
}

TEST_F(WaitersTest, NoMoreWaitThanMay) {
  read(1, 3);
  read(2, 3);
  read(3, 3);
  EXPECT_FALSE(answer<Page>().has_value()) << "refused";
  EXPECT_EQ(parked_.size(), 2u);
}

TEST_F(WaitersTest, AnUpdateIsAnsweredAtItsStage) {
  admit("u");
  wait(1, "u", kCompleted);
  updates_.notify(*run_);
  EXPECT_FALSE(answer<Updated>().has_value());
  run_->ms->updates().find("u")->stage = history::UpdateStage::kAccepted;
  updates_.notify(*run_);
  EXPECT_FALSE(answer<Updated>().has_value()) << "it waits for the outcome";
  wait(2, "u", kAccepted);
  EXPECT_EQ(answer<Updated>()->stage(), kAccepted);
  pb::update::v1::Outcome outcome;
  outcome.mutable_success()->add_payloads()->set_data("done");
  run_->ms->updates().find("u")->outcome = outcome;
  updates_.notify(*run_);
  const auto updated = answer<Updated>();
  ASSERT_TRUE(updated.has_value());
  EXPECT_EQ(updated->outcome().success().payloads(0).data(), "done");
  EXPECT_EQ(parked_.size(), 0u);
}

// However many wait for one update, a turn of the engine thread answers a few.
TEST_F(WaitersTest, ManyWhoWaitForOneUpdateAreAnsweredInSlices) {
  constexpr CallId kWaiters = 100;
  ParkedCalls parked(0, 1000);
  UpdateWaiters updates(limits_, clock_, parked, replies_, reader_);
  Rows rows(store_);
  WakeTimes wakes;
  RunCache cache(limits_, rows, wakes);
  stored::ExecutionState state = run_->ms->s();
  state.set_workflow_id("w");
  engine::Run& run = cache.create(std::make_unique<MutableState>(std::move(state)));
  pb::update::v1::Request request;
  for (const char* id : {"u", "other"}) {
    request.mutable_meta()->set_update_id(id);
    run.ms->updates().admit(request);
  }
  for (CallId id = 0; id <= kWaiters; ++id) {
    Call made = call(id + 1, api::Method::kUpdateWorkflowExecution);
    updates.wait(made, run, id == 0 ? "other" : "u", kAccepted);
  }
  run.ms->updates().find("u")->stage = history::UpdateStage::kAccepted;
  updates.notify(run);
  std::size_t answered = replies_.take().size();
  EXPECT_GT(answered, 0u);
  EXPECT_LT(answered, kWaiters / 2);
  for (int slice = 0; updates.has_woken() && slice < 100; ++slice) {
    EXPECT_LE(updates.answer_woken(8, cache), 8);
    const std::size_t now = replies_.take().size();
    EXPECT_LE(now, 8u);
    answered += now;
  }
  EXPECT_EQ(answered, kWaiters);
  EXPECT_EQ(parked.size(), 1u) << "who waits for another one";
}

TEST_F(WaitersTest, AnUnknownUpdateIsNotFound) {
  wait(1, "u", kCompleted);
  EXPECT_FALSE(replies_.empty());
  EXPECT_FALSE(answer<Updated>().has_value());
  EXPECT_EQ(parked_.size(), 0u);
}

TEST_F(WaitersTest, AnUpdateNoWorkerHasSeenIsWaitedForInTheNextRun) {
  admit("fresh");
  admit("accepted");
  wait(1, "fresh", kCompleted);
  wait(2, "accepted", kCompleted);
  run_->ms->updates().find("accepted")->stage = history::UpdateStage::kAccepted;
  auto next = made("next", enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  updates_.follow(*run_, *next);
  EXPECT_EQ(next->update_waiters, std::set<CallId>{1});
  EXPECT_EQ(run_->update_waiters, std::set<CallId>{2});
  EXPECT_EQ(parked_.find(1)->run, next->key);
}

}  // namespace
}  // namespace holdfast::engine
