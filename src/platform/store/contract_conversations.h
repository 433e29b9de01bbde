#pragma once

// The contract of conversations (platform/contract.h): two writers cannot mix them up, and what was read once
// reads the same for ever.

#include <gmock/gmock.h>

#include <string>
#include <thread>
#include <vector>

#include "platform/contract.h"

namespace holdfast::platform {

inline std::vector<std::string> texts(const Result<std::vector<Message>>& messages) {
  std::vector<std::string> out;
  if (!messages) return {messages.error().to_string()};
  for (const Message& message : *messages) out.push_back(message.json);
  return out;
}

TEST_P(StoreContract, AppendFollowsTheHeadAndSurvivesReopening) {
  Result<Appended> one = store_->append(Store::empty_conversation("c"), {"a", "b"});
  ASSERT_TRUE(one) << one.error().to_string();
  EXPECT_EQ(one->head.sequence, 2u);
  EXPECT_FALSE(one->branch_opened);
  Result<Appended> two = store_->append(one->head, {"c"});
  ASSERT_TRUE(two);
  close();
  open();
  EXPECT_EQ(*store_->head("c", 0), two->head);
  EXPECT_THAT(texts(store_->read(two->head)), ::testing::ElementsAre("a", "b", "c"));
  EXPECT_THAT(texts(store_->read(two->head, 2, 2)), ::testing::ElementsAre("b"));
  EXPECT_THAT(texts(store_->read(one->head)), ::testing::ElementsAre("a", "b"));
}

TEST_P(StoreContract, AppendBehindAMovedHeadOpensABranchAndLeavesTheOtherAlone) {
  const Reference start = store_->append(Store::empty_conversation("c"), {"a", "b"})->head;
  const Reference main = store_->append(start, {"main"})->head;
  Result<Appended> fork = store_->append(start, {"fork"});
  ASSERT_TRUE(fork);
  EXPECT_TRUE(fork->branch_opened);
  EXPECT_EQ(fork->head.branch, 1u);
  EXPECT_EQ(fork->head.sequence, 3u);
  EXPECT_THAT(texts(store_->read(main)), ::testing::ElementsAre("a", "b", "main"));
  EXPECT_THAT(texts(store_->read(fork->head)), ::testing::ElementsAre("a", "b", "fork"));

  // A fork of the fork, at a message that the fork only inherits, and one at the very beginning.
  Reference first = fork->head;
  first.sequence = 1;
  first.sha256 = store_->read(fork->head, 1, 1)->front().chain_sha256;
  Result<Appended> deeper = store_->append(first, {"deeper"});
  ASSERT_TRUE(deeper) << deeper.error().to_string();
  EXPECT_EQ(deeper->head.branch, 2u);
  EXPECT_THAT(texts(store_->read(deeper->head)), ::testing::ElementsAre("a", "deeper"));
  Result<Appended> anew = store_->append(Store::empty_conversation("c"), {"new"});
  EXPECT_THAT(texts(store_->read(anew->head)), ::testing::ElementsAre("new"));
}

TEST_P(StoreContract, SameMessagesHaveTheSameHashOnEveryBranch) {
  const Reference start = store_->append(Store::empty_conversation("c"), {"a"})->head;
  const Reference one = store_->append(start, {"b"})->head;
  const Reference two = store_->append(start, {"b"})->head;
  EXPECT_NE(one.branch, two.branch);
  EXPECT_EQ(one.sha256, two.sha256);
}

TEST_P(StoreContract, AReferenceThatDoesNotFitChangesNothing) {
  Reference head = store_->append(Store::empty_conversation("c"), {"a"})->head;
  Reference wrong = head;
  wrong.sha256[0] = wrong.sha256[0] == '0' ? '1' : '0';
  EXPECT_EQ(store_->append(wrong, {"x"}).error().code(), Code::kFailedPrecondition);
  wrong = head;
  wrong.sequence = 7;
  EXPECT_EQ(store_->append(wrong, {"x"}).error().code(), Code::kFailedPrecondition);
  wrong = head;
  wrong.branch = 3;
  EXPECT_EQ(store_->read(wrong).error().code(), Code::kFailedPrecondition);
  EXPECT_EQ(store_->append(head, {}).error().code(), Code::kInvalidArgument);
  EXPECT_EQ(*store_->head("c", 0), head);
}

TEST_P(StoreContract, ConcurrentAppendsToOneHeadGetABranchEach) {
  const Reference start = store_->append(Store::empty_conversation("c"), {"a"})->head;
  std::vector<Reference> heads(8);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < heads.size(); ++i) {
    threads.emplace_back([&, i] { heads[i] = store_->append(start, {std::to_string(i)})->head; });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<bool> seen(heads.size());
  for (std::size_t i = 0; i < heads.size(); ++i) {
    seen.at(heads[i].branch) = true;
    EXPECT_THAT(texts(store_->read(heads[i])), ::testing::ElementsAre("a", std::to_string(i)));
  }
  EXPECT_THAT(seen, ::testing::Each(true));
}

}  // namespace holdfast::platform
