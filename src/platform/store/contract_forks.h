#pragma once

// The contract of forks (platform/contract.h): a fork has a branch of its own, whatever else goes on from the
// same place, and costs as little behind a long conversation as behind a short one.

#include <gmock/gmock.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "platform/contract.h"
#include "platform/contract_conversations.h"
#include "platform/fork_store.h"

namespace holdfast::platform {

inline StepWrite fork_write(const std::string& run, const Reference& at,
                            std::vector<std::string> messages = {}) {
  StepWrite out;
  out.key = "begin:" + run;
  out.run = run;
  out.expected = at;
  out.messages = std::move(messages);
  out.result = "{}";
  return out;
}

TEST_P(StoreContract, AForkAtTheHeadLeavesTheBranchThere) {
  const Reference head = store_->append(Store::empty_conversation("c"), {"a", "b"})->head;
  ForkStore& forks = fork_store_of(*store_);
  Result<StepRecord> record = forks.commit_fork(fork_write("f", head));
  ASSERT_TRUE(record) << record.error().to_string();
  ASSERT_TRUE(record->appended);
  EXPECT_TRUE(record->appended->branch_opened);
  const Reference fork = record->appended->head;
  EXPECT_EQ(fork.branch, 1u);
  EXPECT_EQ(fork.sequence, 2u);
  EXPECT_EQ(fork.sha256, head.sha256);
  // Whoever was there goes on where he was, and the fork on its own.
  EXPECT_EQ(store_->append(head, {"main"})->head.branch, 0u);
  const Reference said = store_->append(fork, {"fork"})->head;
  EXPECT_EQ(said.branch, 1u);
  EXPECT_THAT(texts(store_->read(said)), ::testing::ElementsAre("a", "b", "fork"));
  EXPECT_THAT(texts(store_->read(*store_->head("c", 0))), ::testing::ElementsAre("a", "b", "main"));
}

TEST_P(StoreContract, AForkThatIsMadeAgainIsTheSame) {
  const Reference head = store_->append(Store::empty_conversation("c"), {"a", "b"})->head;
  Reference first = head;
  first.sequence = 1;
  first.sha256 = store_->read(head, 1, 1)->front().chain_sha256;
  const StepWrite write = fork_write("f", first, {"other b"});
  const Reference fork = fork_store_of(*store_).commit_fork(write)->appended->head;
  close();
  open();
  Result<StepRecord> again = fork_store_of(*store_).commit_fork(write);
  ASSERT_TRUE(again) << again.error().to_string();
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(again->appended->head, fork);
  EXPECT_THAT(texts(store_->read(fork)), ::testing::ElementsAre("a", "other b"));
  EXPECT_EQ(store_->head("c", 2).error().code(), Code::kNotFound);
}

TEST_P(StoreContract, ForksOfForksAndOfTheBeginningReadTheirOwnWords) {
  const Reference head = store_->append(Store::empty_conversation("c"), {"a", "b"})->head;
  ForkStore& forks = fork_store_of(*store_);
  const Reference empty = forks.commit_fork(fork_write("f1", head))->appended->head;
  const Reference deeper = forks.commit_fork(fork_write("f2", empty))->appended->head;
  const Reference said = store_->append(deeper, {"c"})->head;
  const Reference deepest = forks.commit_fork(fork_write("f3", said, {"d"}))->appended->head;
  EXPECT_THAT(texts(store_->read(deepest)), ::testing::ElementsAre("a", "b", "c", "d"));
  const Reference anew =
      forks.commit_fork(fork_write("f4", Store::empty_conversation("c"), {"new"}))->appended->head;
  EXPECT_THAT(texts(store_->read(anew)), ::testing::ElementsAre("new"));
  Reference start = anew;
  start.sequence = 0;
  start.sha256 = "";
  const Reference again = forks.commit_fork(fork_write("f5", start, {"newer"}))->appended->head;
  EXPECT_THAT(texts(store_->read(again)), ::testing::ElementsAre("newer"));
  const std::set<std::uint32_t> branches = {empty.branch, deeper.branch, deepest.branch, anew.branch,
                                            again.branch};
  EXPECT_EQ(branches.size(), 5u);
}

TEST_P(StoreContract, AForkOfNothingIsRefusedAndLeavesNothing) {
  ForkStore& forks = fork_store_of(*store_);
  EXPECT_EQ(forks.commit_fork(fork_write("f", Store::empty_conversation("none"), {"x"})).error().code(),
            Code::kFailedPrecondition);
  Reference head = store_->append(Store::empty_conversation("c"), {"a"})->head;
  Reference future = head;
  future.sequence = 9;
  EXPECT_EQ(forks.commit_fork(fork_write("f", future)).error().code(), Code::kFailedPrecondition);
  StepWrite nowhere = fork_write("f", head);
  nowhere.expected.reset();
  EXPECT_EQ(forks.commit_fork(nowhere).error().code(), Code::kInvalidArgument);
  EXPECT_FALSE(store_->lookup_step("begin:f")->has_value());
  EXPECT_EQ(store_->head("c", 1).error().code(), Code::kNotFound);
}

TEST_P(StoreContract, ManyForksOfOnePlaceAtOnceHaveABranchEach) {
  const Reference head = store_->append(Store::empty_conversation("c"), {"a"})->head;
  std::vector<Reference> forks(16);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < forks.size(); ++i) {
    threads.emplace_back([&, i] {
      const std::string name = std::to_string(i);
      forks[i] = fork_store_of(*store_).commit_fork(fork_write(name, head, {name}))->appended->head;
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::uint32_t> branches;
  for (std::size_t i = 0; i < forks.size(); ++i) {
    branches.insert(forks[i].branch);
    EXPECT_THAT(texts(store_->read(forks[i])), ::testing::ElementsAre("a", std::to_string(i)));
  }
  EXPECT_EQ(branches.size(), forks.size());
  EXPECT_FALSE(branches.contains(0));
}

TEST_P(StoreContract, ARunsSpanIsThatOfItsStepsAndGoesWithItsHistory) {
  ForkStore& forks = fork_store_of(*store_);
  EXPECT_FALSE(forks.run_span("r")->has_value());
  StepWrite begin = fork_write("r", Store::empty_conversation("r"), {"hello"});
  const Reference first = store_->commit_step(begin)->appended->head;
  clock_.ns += 1'000'000'000;
  StepWrite model;
  model.key = "model:1";
  model.run = "r";
  model.expected = first;
  model.messages = {"answer"};
  model.result = "{}";
  Usage usage;
  usage.key = model.key;
  usage.run = "r";
  usage.input_tokens = 10;
  usage.output_tokens = 3;
  usage.cost = 7;
  model.usage = {usage};
  const Reference last = store_->commit_step(model)->appended->head;
  StepWrite tool;  // says nothing in the conversation
  tool.key = "tool:1";
  tool.run = "r";
  tool.result = "{}";
  ASSERT_TRUE(store_->commit_step(tool));
  auto span = forks.run_span("r");
  ASSERT_TRUE(span && *span);
  EXPECT_EQ((*span)->first, first);
  EXPECT_EQ((*span)->last, last);
  EXPECT_EQ(forks.usage_until("r", 1)->calls, 0);
  const UsageTotal used = *forks.usage_until("r", 2);
  EXPECT_EQ(used.calls, 1);
  EXPECT_EQ(used.input_tokens, 10);
  EXPECT_EQ(used.cost, 7);
  GoneHistory gone;
  gone.run = "r";
  ASSERT_TRUE(store_->forget_histories({gone}).ok());
  EXPECT_FALSE(forks.run_span("r")->has_value());
}

TEST_P(StoreContract, WhoGoesOnFromARunIsFoundPageByPage) {
  for (const char* run : {"f2", "f1", "f3"}) {
    Origin origin;
    origin.run = run;
    origin.origin = "r";
    origin.by = "ada";
    ASSERT_TRUE(store_->put_origin(origin));
  }
  Origin other;
  other.run = "f0";
  other.origin = "q";
  ASSERT_TRUE(store_->put_origin(other));
  ForkStore& forks = fork_store_of(*store_);
  auto first = forks.descendants("r", "", 2);
  ASSERT_TRUE(first);
  ASSERT_EQ(first->size(), 2u);
  EXPECT_EQ(first->front().run, "f1");
  auto rest = forks.descendants("r", first->back().run, 2);
  ASSERT_EQ(rest->size(), 1u);
  EXPECT_EQ(rest->front().run, "f3");
  EXPECT_EQ(rest->front().by, "ada");
}

}  // namespace holdfast::platform
