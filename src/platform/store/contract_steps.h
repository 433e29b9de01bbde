#pragma once

// The contract of steps and effects (platform/contract.h): an activity may run again, and leaves one step,
// one count of its tokens, one effect.

#include <gmock/gmock.h>

#include "base/sha256.h"
#include "platform/contract.h"
#include "platform/undo_items.h"
#include "platform/undo_tries.h"
#include "protocol/flow_run.h"
#include "protocol/undo.h"

namespace holdfast::platform {

TEST_P(StoreContract, ARepeatedStepFindsItsRecordAndCountsItsTokensOnce) {
  StepWrite step;
  step.key = "turn-1";
  step.run = "r";
  step.expected = Store::empty_conversation("c");
  step.messages = {"hello"};
  step.result = R"({"ok":true})";
  Usage usage;
  usage.key = "turn-1";
  usage.run = "r";
  usage.input_tokens = 10;
  usage.output_tokens = 3;
  step.usage = {usage};
  Result<StepRecord> first = store_->commit_step(step);
  ASSERT_TRUE(first) << first.error().to_string();
  EXPECT_FALSE(first->replayed);
  close();
  open();
  step.messages = {"something else"};
  Result<StepRecord> again = store_->commit_step(step);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(again->appended->head, first->appended->head);
  EXPECT_EQ(again->result, step.result);
  EXPECT_EQ((*store_->lookup_step("turn-1"))->appended->head, first->appended->head);
  EXPECT_TRUE((*store_->lookup_step("turn-1"))->replayed);
  EXPECT_FALSE(store_->lookup_step("turn-2")->has_value());
  EXPECT_EQ(store_->head("c", 0)->sequence, 1u);
  EXPECT_EQ(store_->usage_of_run("r")->input_tokens, 10);
  EXPECT_EQ(store_->usage_of_run("r")->calls, 1);
}

TEST_P(StoreContract, AFailingStepLeavesNothing) {
  StepWrite step;
  step.key = "k";
  step.run = "r";
  step.expected = Store::empty_conversation("c");
  step.messages = {"hello"};
  step.usage.resize(1);  // without a key: refused after the messages were written
  EXPECT_EQ(store_->commit_step(step).error().code(), Code::kInvalidArgument);
  EXPECT_FALSE(store_->lookup_step("k")->has_value());
  EXPECT_EQ(store_->head("c", 0).error().code(), Code::kNotFound);
}

TEST_P(StoreContract, WhatWasKeptForAHistoryGoesWithIt) {
  StepWrite step;
  step.key = "k";
  step.run = "r";
  step.expected = Store::empty_conversation("c");
  step.messages = {"hello"};
  ASSERT_TRUE(store_->commit_step(step));
  for (const char* key : {"settled", "unsettled"}) {
    EffectIntent intent;
    intent.key = key;
    intent.run = "r";
    intent.tool = "refund";
    intent.arguments_sha256 = sha256_hex("{}");
    ASSERT_TRUE(store_->begin_effect(intent));
  }
  ASSERT_TRUE(store_->settle_effect("settled", true, "{}"));
  StartIntent start;
  start.run = "r";
  start.agent = "a";
  start.input = "1";
  ASSERT_TRUE(store_->start_run(start));
  EXPECT_FALSE(store_->gone_history("r")->has_value());
  GoneHistory gone;
  gone.run = "r";
  gone.status = "completed";
  gone.closed_at = clock_.now();
  GoneHistory child;  // without a record of its own
  child.run = "r-child";
  ASSERT_TRUE(store_->forget_histories({gone, child}).ok());
  EXPECT_FALSE(store_->lookup_step("k")->has_value());
  EXPECT_FALSE(store_->lookup_effect("settled")->has_value());
  EXPECT_TRUE(store_->lookup_effect("unsettled")->has_value()) << "a person has to find out about it";
  EXPECT_EQ(store_->head("c", 0)->sequence, 1u) << "others may share it";
  EXPECT_EQ(store_->run("r")->agent, "a");
  EXPECT_FALSE(store_->gone_history("r-child")->has_value());
  gone.status = "";
  ASSERT_TRUE(store_->forget_histories({gone}).ok());
  close();
  open();
  EXPECT_EQ((*store_->gone_history("r"))->status, "completed") << "the first to say so is right";
  EXPECT_EQ((*store_->gone_history("r"))->closed_at, gone.closed_at);
}

TEST_P(StoreContract, AnEffectIsFreshOnceThenUnknownUntilSettled) {
  EffectIntent intent;
  intent.key = "e";
  intent.run = "r";
  intent.tool = "refund";
  intent.effect = Effect::kAtMostOnce;
  intent.arguments_sha256 = sha256_hex("{}");
  EXPECT_FALSE(store_->lookup_effect("e")->has_value());
  EXPECT_EQ(store_->settle_effect("e", true, "{}").error().code(), Code::kFailedPrecondition);
  Result<EffectRecord> begun = store_->begin_effect(intent);
  EXPECT_EQ(begun->state, EffectState::kFresh);
  EXPECT_EQ(begun->fence, 1);
  close();
  open();
  begun = store_->begin_effect(intent);
  EXPECT_EQ(begun->state, EffectState::kUnknown);
  EXPECT_EQ(begun->fence, 2);
  EXPECT_EQ(begun->intent.effect, Effect::kAtMostOnce);
  EXPECT_EQ((*store_->lookup_effect("e"))->state, EffectState::kUnknown);
  ASSERT_TRUE(store_->settle_effect("e", true, "done"));
  EXPECT_EQ(store_->settle_effect("e", false, "other")->result, "done");
  begun = store_->begin_effect(intent);
  EXPECT_EQ(begun->state, EffectState::kSettled);
  EXPECT_TRUE(begun->succeeded);
  intent.tool = "other";
  EXPECT_EQ(store_->begin_effect(intent).error().code(), Code::kFailedPrecondition);
}

// What was taken back is not taken back again, what failed is tried under the next key, and of what nobody
// knows no second one is begun.
TEST_P(StoreContract, AnUndoingThatFailedIsTriedUnderTheNextKey) {
  const auto tries = [this](std::uint32_t again, std::optional<bool> succeeded) {
    EffectIntent intent;
    intent.key = protocol::undo_key("k", again);
    intent.run = "r";
    intent.tool = "unpay";
    intent.effect = Effect::kAtMostOnce;
    intent.arguments_sha256 = sha256_hex("{}");
    ASSERT_TRUE(store_->begin_effect(intent));
    if (succeeded) {
      ASSERT_TRUE(store_->settle_effect(intent.key, *succeeded, "{}"));
    }
  };
  const auto last = [this] { return last_undo_try(*store_, "k").value(); };
  EXPECT_FALSE(last().record);
  EXPECT_EQ(last().next(), 0u);
  tries(0, false);
  EXPECT_TRUE(last().failed());
  EXPECT_EQ(last().next(), 1u);
  tries(1, std::nullopt);
  EXPECT_FALSE(last().failed());
  EXPECT_EQ(last().next(), 1u) << "it is not known";
  ASSERT_TRUE(store_->settle_effect(protocol::undo_key("k", 1), false, "{}"));
  tries(2, true);
  EXPECT_TRUE(last().undone());
  EXPECT_FALSE(last().may_be_tried());
  EXPECT_EQ(last_undo_try(*store_, "other").value().next(), 0u);
}

// Calls of a map's items are found by their places, the last item first and the last block of an item first;
// what was not made, or failed, is none.
TEST_P(StoreContract, CallsOfItemsAreFoundAPageAtATime) {
  const auto made = [this](const std::string& key, std::optional<bool> succeeded) {
    EffectIntent intent;
    intent.key = key;
    intent.run = "r";
    intent.tool = "pay";
    intent.arguments_sha256 = sha256_hex("{}");
    ASSERT_TRUE(store_->begin_effect(intent));
    if (succeeded) {
      ASSERT_TRUE(store_->settle_effect(key, *succeeded, "{}"));
    }
  };
  const auto key = [](std::uint64_t item, const char* block) {
    return protocol::flow_block_key("n", "r", "each", item, block);
  };
  for (std::uint64_t item = 0; item < kMaxItemCalls + 20; ++item) made(key(item, "pay"), true);
  made(key(7, "ship"), std::nullopt);
  made(key(8, "ship"), false);
  protocol::Undoable group;
  group.call.tool = "each";
  group.call.step = 2;
  EXPECT_EQ(item_calls(*store_, "n", group).error().code(), Code::kInvalidArgument);
  protocol::UndoableItems& items = group.items.emplace();
  items.run = "r";
  items.of = "each";
  items.blocks = {"pay", "ship"};
  items.count = 500;
  std::vector<std::pair<std::uint64_t, std::string>> found;
  std::optional<std::uint64_t> before;
  std::size_t largest = 0;
  while (!before || *before > 0) {
    const auto page = item_calls(*store_, "n", group, before);
    ASSERT_TRUE(page) << page.error().to_string();
    largest = std::max(largest, page->calls.size());
    for (const ItemCall& one : page->calls) {
      found.emplace_back(one.item, one.call.call.tool);
      EXPECT_EQ(one.call.call.key, key(one.item, one.call.call.tool.c_str()));
      EXPECT_FALSE(one.call.items);
    }
    before = page->next;
  }
  EXPECT_LE(largest, kMaxItemCalls);
  ASSERT_EQ(found.size(), kMaxItemCalls + 21);
  EXPECT_EQ(found.front().first, kMaxItemCalls + 19);
  EXPECT_EQ(found[found.size() - 9], std::pair(std::uint64_t{7}, std::string("ship")));
  EXPECT_EQ(found.back(), std::pair(std::uint64_t{0}, std::string("pay")));
  // From the place of one on, without it; of some items; and of items that are runs.
  const auto page = item_calls(*store_, "n", group).value();
  EXPECT_EQ(item_calls(*store_, "n", group, page.calls[3].place).value().calls.front().item,
            page.calls[4].item);
  items.only = {2, 7};
  EXPECT_EQ(item_calls(*store_, "n", group).value().calls.size(), 3U);
  items.only.clear();
  items.are_runs = true;
  items.count = 3;
  EXPECT_TRUE(item_calls(*store_, "n", group).value().calls.empty());
  made(protocol::flow_block_key("n", protocol::run_of_item("r", "each", 1), "", 0, "pay"), true);
  EXPECT_EQ(item_calls(*store_, "n", group).value().calls.at(0).item, 1U);
}

}  // namespace holdfast::platform
