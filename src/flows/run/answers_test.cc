// Goal: a run answers for each call once, for as many items as have begun, and tells its caller only what
// that does not know.

#include "run/answers.h"

#include <gtest/gtest.h>

namespace holdfast::flows {
namespace {

using namespace protocol;

Undoable call(const std::string& key, std::uint32_t step) {
  Undoable out;
  out.call.key = key;
  out.call.step = step;
  return out;
}

Undoable items(const std::string& key, std::uint32_t step, const std::string& run) {
  Undoable out = call(key, step);
  out.items.emplace().run = run;
  return out;
}

FlowStep step_of(std::uint32_t block, std::vector<Undoable> undoable) {
  FlowStep out;
  out.blocks = {block};
  out.undoable = std::move(undoable);
  return out;
}

TEST(Answers, AStepIsRememberedOnceAndForgottenWhereItDidNotRun) {
  std::vector<Undoable> all;
  FlowStep step = step_of(0, {call("a", 1), call("b", 2)});
  remember(all, step);
  remember(all, step);  // with a new history it begins again
  ASSERT_EQ(all.size(), 2U);
  forget_skipped(all, step, {"done", std::string(kFlowSkipped)});
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].call.key, "a");
}

TEST(Answers, OfItemsThoseCountThatHaveBegun) {
  std::vector<Undoable> all = {call("a", 1), items("each", 2, "r")};
  const FlowStep step = step_of(1, {items("each", 2, "r")});
  Parts parts;
  count_items(all, step, parts);
  EXPECT_EQ(all[1].items->count, 0U) << "it has not begun";
  parts.items = 25;
  parts.each = 10;
  parts.next = 2;
  count_items(all, step, parts);
  EXPECT_EQ(all[1].items->count, 20U);
  parts.next = 3;
  count_items(all, step, parts);
  EXPECT_EQ(all[1].items->count, 25U);
}

TEST(Answers, CallsOfSomeItemsAreThoseOfTheRunAndOfWhatItTakesUp) {
  const std::vector<Undoable> all = {items("old", 2, "before"), items("stranger", 2, "sub"),
                                     items("other", 3, "r"), call("a", 2), items("each", 2, "r")};
  FlowOrigin origin;
  origin.runs = {"before"};
  const auto some = of_items(all, step_of(1, {}), "r", {origin}, {4, 7});
  ASSERT_EQ(some.size(), 2U);
  EXPECT_EQ(some[0].call.key, "old");
  EXPECT_EQ(some[1].call.key, "each");
  EXPECT_EQ(some[1].items->only, (std::vector<std::uint64_t>{4, 7}));
}

TEST(Answers, ACallerIsToldWhatIsNotOfOwnBlocks) {
  FlowPlan plan;
  plan.steps = {step_of(0, {call("a", 1)})};
  EXPECT_TRUE(are_own({}, plan));
  EXPECT_TRUE(are_own({call("a", 1)}, plan));
  EXPECT_FALSE(are_own({call("a", 1), call("agent's", 3)}, plan));
  Payload result;
  result.data = R"({"output":1})";
  tell_undoable(result, {});
  EXPECT_EQ(result.data, R"({"output":1})");
  tell_undoable(result, {call("a", 1)});
  EXPECT_EQ(Json::parse(result.data).at("undoable").size(), 1U);
}

}  // namespace
}  // namespace holdfast::flows
