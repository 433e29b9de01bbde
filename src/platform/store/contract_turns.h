#pragma once

// The contract of the lines of conversations (platform/contract.h): who came first is first, whoever leaves
// makes room, and nobody stands in a line twice.

#include <gmock/gmock.h>

#include <string>
#include <thread>
#include <vector>

#include "platform/contract.h"

namespace holdfast::platform {

TEST_P(StoreContract, ALineKeepsTheOrderOfArrivalAcrossReopening) {
  for (const char* run : {"one", "two", "three"}) ASSERT_TRUE(store_->take_turn("c", run));
  ASSERT_TRUE(store_->take_turn("other", "four"));
  close();
  open();
  EXPECT_EQ(store_->take_turn("c", "one")->first, "one");
  Result<Turn> three = store_->take_turn("c", "three");
  ASSERT_TRUE(three) << three.error().to_string();
  EXPECT_EQ(three->first, "one");
  EXPECT_EQ(three->ahead, 2u);
  EXPECT_EQ(*store_->leave_turn("two"), "c");
  EXPECT_EQ(*store_->leave_turn("one"), "c");
  EXPECT_EQ(*store_->leave_turn("one"), "");
  EXPECT_EQ(*store_->leave_turn("nobody"), "");
  EXPECT_EQ((*store_->turn("three"))->first, "three");
  EXPECT_EQ((*store_->turn("three"))->ahead, 0u);
  EXPECT_TRUE((*store_->turn("one"))->over);
  EXPECT_EQ((*store_->turn("four"))->first, "four");
  EXPECT_FALSE(store_->turn("nobody")->has_value());
}

TEST_P(StoreContract, WhoComesAgainStandsAtTheEnd) {
  ASSERT_TRUE(store_->take_turn("c", "one"));
  ASSERT_TRUE(store_->take_turn("c", "two"));
  ASSERT_TRUE(store_->leave_turn("one"));
  EXPECT_EQ(store_->take_turn("c", "one")->first, "two");
  // And who goes to another conversation leaves this one.
  EXPECT_EQ(store_->take_turn("d", "two")->first, "two");
  EXPECT_EQ((*store_->turn("one"))->first, "one");
  EXPECT_EQ(store_->take_turn("", "x").error().code(), Code::kInvalidArgument);
}

TEST_P(StoreContract, TheRunThatAConversationIsNamedAfterIsBeforeTheLine) {
  StepWrite step;
  step.key = "begin";
  step.run = "c";
  step.expected = Store::empty_conversation("c");
  step.messages = {"hello"};
  step.result = "{}";
  ASSERT_TRUE(store_->commit_step(step));
  Result<Turn> two = store_->take_turn("c", "two");
  EXPECT_EQ(two->first, "two");
  EXPECT_TRUE(two->behind_owner);
  EXPECT_FALSE(two->began);
  // It may also stand in the line, like any other.
  EXPECT_EQ(store_->take_turn("c", "c")->ahead, 1u);
  EXPECT_TRUE((*store_->turn("c"))->began);
  EXPECT_FALSE((*store_->turn("two"))->behind_owner);
}

TEST_P(StoreContract, AStepThatIsForTheHeadOnlyOpensNoBranch) {
  const Reference start = store_->append(Store::empty_conversation("c"), {"a"})->head;
  ASSERT_TRUE(store_->append(start, {"b"}));
  StepWrite step;
  step.key = "late";
  step.run = "two";
  step.expected = start;
  step.messages = {"c"};
  step.at_head_only = true;
  step.result = "{}";
  EXPECT_EQ(store_->commit_step(step).error().code(), Code::kAborted);
  EXPECT_FALSE(store_->lookup_step("late")->has_value());
  EXPECT_EQ(store_->head("c", 1).error().code(), Code::kNotFound);
  step.expected = *store_->head("c", 0);
  EXPECT_EQ(store_->commit_step(step)->appended->head.sequence, 3u);
}

TEST_P(StoreContract, AStartTakesThePlaceInTheLine) {
  StartIntent intent;
  intent.agent = "a";
  intent.input = "1";
  intent.conversation = "c";
  intent.run = "one";
  ASSERT_TRUE(store_->start_run(intent));
  EXPECT_EQ(store_->start_run(intent)->run.conversation, "c");
  intent.run = "two";
  ASSERT_TRUE(store_->start_run(intent));
  EXPECT_EQ((*store_->turn("two"))->first, "one");
  intent.conversation = "d";
  EXPECT_EQ(store_->start_run(intent).error().code(), Code::kAlreadyExists);
  EXPECT_EQ(store_->run("two")->conversation, "c");
  EXPECT_EQ(store_->runs({})->front().conversation, "c");
  EXPECT_EQ(store_->unstarted_runs(clock_.now() + std::chrono::hours(1), 10)->back().conversation, "c");
  Result<std::vector<Turn>> page = store_->turns("c", "", 1);
  ASSERT_EQ(page->size(), 1u);
  EXPECT_EQ(page->front().run, "two");
  EXPECT_EQ(store_->turns("c", "two", 10)->front().run, "one");
}

TEST_P(StoreContract, OneOfManyIsFirst) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&, i] { (void)store_->take_turn("c", "run-" + std::to_string(i)); });
  for (std::thread& thread : threads) thread.join();
  std::vector<std::uint32_t> ahead;
  for (int i = 0; i < 8; ++i) ahead.push_back((*store_->turn("run-" + std::to_string(i)))->ahead);
  EXPECT_THAT(ahead, ::testing::UnorderedElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
}

}  // namespace holdfast::platform
