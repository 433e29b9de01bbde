#pragma once

// The contract of lines of runs (platform/contract.h): a rule holds for a key and for no other, who came
// first begins first, and what waits, began or was refused is the same after a restart.

#include <gmock/gmock.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "platform/contract.h"

namespace holdfast::platform {

inline FlowPlace place_of(const std::string& run, const FlowRules& rules, const std::string& key = "k") {
  FlowPlace out;
  out.line = "agent/" + key;
  out.key = key;
  out.run = run;
  out.rules = rules;
  return out;
}

inline FlowRules at_a_time(std::uint32_t limit) {
  FlowRules out;
  out.concurrency = limit;
  return out;
}

inline bool begins(const Result<FlowTurn>& turn) {
  return turn && turn->row.state == FlowState::kRunning;
}

constexpr std::int64_t kSecond = 1'000'000'000;

TEST_P(StoreContract, RunsOfAKeyBeginInTheOrderInWhichTheyCame) {
  const FlowRules rules = at_a_time(1);
  EXPECT_TRUE(begins(store_->take_flow(place_of("one", rules))));
  for (const char* run : {"two", "three"}) EXPECT_FALSE(begins(store_->take_flow(place_of(run, rules))));
  EXPECT_TRUE(begins(store_->take_flow(place_of("other", rules, "another key"))));
  close();
  open();
  const Result<FlowTurn> two = store_->take_flow(place_of("two", rules));
  ASSERT_TRUE(two) << two.error().to_string();
  EXPECT_EQ(two->wait, FlowWait::kConcurrency);
  EXPECT_THAT(two->blockers, ::testing::ElementsAre("one"));
  const Result<FlowTurn> three = store_->take_flow(place_of("three", rules));
  EXPECT_EQ(three->wait, FlowWait::kTurn);
  EXPECT_EQ(three->ahead, 1u);
  EXPECT_THAT(three->blockers, ::testing::ElementsAre("two"));
  EXPECT_TRUE(begins(store_->take_flow(place_of("one", rules))));  // asks again, and has begun
  EXPECT_EQ(*store_->leave_flow("one"), "agent/k");
  EXPECT_EQ(*store_->leave_flow("one"), "");
  EXPECT_FALSE(begins(store_->take_flow(place_of("three", rules))));
  EXPECT_TRUE(begins(store_->take_flow(place_of("two", rules))));
  EXPECT_EQ(*store_->leave_flow("two"), "agent/k");
  EXPECT_TRUE(begins(store_->take_flow(place_of("three", rules))));
  EXPECT_EQ(*store_->leave_flow("nobody"), "");
  EXPECT_EQ((*store_->flow_turn("two"))->row.state, FlowState::kOver);
  EXPECT_FALSE(store_->flow_turn("nobody")->has_value());
  EXPECT_EQ(store_->flow_line("agent/k", "", 2)->back().place.run, "two");
  EXPECT_EQ(store_->flow_line("agent/k", "two", 2)->front().place.run, "one");
}

TEST_P(StoreContract, SoManyRunAtATimeWhoeverAsksFirst) {
  const FlowRules rules = at_a_time(3);
  std::vector<std::thread> threads;
  for (int i = 0; i < 12; ++i)
    threads.emplace_back([&, i] { (void)store_->take_flow(place_of("run-" + std::to_string(i), rules)); });
  for (std::thread& thread : threads) thread.join();
  int running = 0;
  for (const FlowRow& row : *store_->flow_line("agent/k", "", 100))
    running += row.state == FlowState::kRunning ? 1 : 0;
  EXPECT_EQ(running, 3);
}

TEST_P(StoreContract, AThrottleLetsSoManyBeginWithinAPeriod) {
  FlowRules rules;
  rules.throttle = 2;
  rules.throttle_ms = 60'000;
  EXPECT_TRUE(begins(store_->take_flow(place_of("one", rules))));
  clock_.ns += 10 * kSecond;
  EXPECT_TRUE(begins(store_->take_flow(place_of("two", rules))));
  ASSERT_TRUE(store_->leave_flow("one"));
  const Result<FlowTurn> three = store_->take_flow(place_of("three", rules));
  EXPECT_EQ(three->wait, FlowWait::kThrottle);
  EXPECT_EQ(*three->until - clock_.now(), std::chrono::seconds(50));
  clock_.ns += 49 * kSecond;
  EXPECT_FALSE(begins(store_->take_flow(place_of("three", rules))));
  clock_.ns += kSecond;
  EXPECT_TRUE(begins(store_->take_flow(place_of("three", rules))));
  EXPECT_EQ(*store_->take_flow(place_of("four", rules))->until - clock_.now(), std::chrono::seconds(10));
}

TEST_P(StoreContract, ARateLimitRefusesAndSaysWhy) {
  FlowRules rules;
  rules.rate = 2;
  rules.rate_ms = 60'000;
  StartIntent intent;
  intent.agent = "agent";
  intent.input = "1";
  for (const char* run : {"one", "two", "three"}) {
    intent.run = run;
    intent.flow = place_of("", rules);
    const auto started = store_->start_run(intent);
    EXPECT_EQ(started.has_value(), intent.run != "three");
    if (!started) {
      EXPECT_EQ(started.error().code(), Code::kResourceExhausted);
      EXPECT_EQ(flow_refusal(started.error()), "rate_limit");
    }
  }
  EXPECT_EQ(store_->run("three").error().code(), Code::kNotFound);
  intent.run = "one";
  EXPECT_FALSE(store_->start_run(intent)->created);  // the same request takes nothing
  clock_.ns += 61 * kSecond;
  intent.run = "three";
  EXPECT_TRUE(store_->start_run(intent)->created);
  EXPECT_TRUE(begins(store_->take_flow(place_of("three", rules))));
}

TEST_P(StoreContract, ALineHasAnEnd) {
  FlowRules rules = at_a_time(1);
  rules.max_waiting = 2;
  for (const char* run : {"one", "two", "three"}) ASSERT_TRUE(store_->take_flow(place_of(run, rules)));
  const auto four = store_->take_flow(place_of("four", rules));
  ASSERT_FALSE(four);
  EXPECT_EQ(flow_refusal(four.error()), "max_waiting");
  ASSERT_TRUE(store_->leave_flow("two"));
  EXPECT_TRUE(store_->take_flow(place_of("four", rules)));
}

TEST_P(StoreContract, ADebouncedRunStandsForThoseBeforeIt) {
  FlowRules rules;
  rules.debounce_ms = 10'000;
  rules.debounce_timeout_ms = 25'000;
  EXPECT_EQ(store_->take_flow(place_of("one", rules))->wait, FlowWait::kDebounce);
  clock_.ns += 9 * kSecond;
  const Result<FlowTurn> two = store_->take_flow(place_of("two", rules));
  EXPECT_EQ(*two->until - clock_.now(), std::chrono::seconds(10));
  ASSERT_EQ(two->stands_for.size(), 1u);
  EXPECT_EQ(two->stands_for[0].place.run, "one");
  const Result<FlowTurn> one = store_->take_flow(place_of("one", rules));
  EXPECT_EQ(one->row.state, FlowState::kSuperseded);
  EXPECT_EQ(one->row.into, "two");
  clock_.ns += 9 * kSecond;
  // The first of them came 18 seconds ago.
  EXPECT_EQ(*store_->take_flow(place_of("three", rules))->until - clock_.now(), std::chrono::seconds(7));
  clock_.ns += 7 * kSecond;
  EXPECT_TRUE(begins(store_->take_flow(place_of("three", rules))));
  // What comes now begins anew.
  EXPECT_EQ(*store_->take_flow(place_of("four", rules))->until - clock_.now(), std::chrono::seconds(10));
  EXPECT_EQ((*store_->flow_turn("three"))->row.state, FlowState::kRunning);
  EXPECT_EQ(*store_->leave_flow("one"), "");
}

TEST_P(StoreContract, ABatchIsDoneByOneRun) {
  FlowRules rules;
  rules.batch = 3;
  rules.batch_ms = 60'000;
  const auto come = [&](const std::string& run) {
    FlowPlace place = place_of(run, rules);
    place.input = "input of " + run;
    return store_->take_flow(place);
  };
  EXPECT_EQ(come("one")->wait, FlowWait::kBatch);
  clock_.ns += 1;
  EXPECT_EQ(*come("two")->until - clock_.now(), std::chrono::seconds(60) - std::chrono::nanoseconds(1));
  clock_.ns += 1;
  const Result<FlowTurn> full = come("three");
  ASSERT_TRUE(begins(full));
  ASSERT_EQ(full->stands_for.size(), 2u);
  EXPECT_EQ(full->stands_for[0].place.input, "input of one");
  EXPECT_EQ(come("four")->wait, FlowWait::kBatch);
  close();
  open();
  EXPECT_EQ(come("three")->stands_for.size(), 2u);  // an attempt behind a crash finds the same
  EXPECT_EQ(come("two")->row.into, "three");
  EXPECT_EQ(come("two")->row.state, FlowState::kBatched);
  EXPECT_EQ(come("four")->wait, FlowWait::kBatch);
  clock_.ns += 60 * kSecond;
  EXPECT_TRUE(begins(come("four")));
  EXPECT_TRUE(come("four")->stands_for.empty());
}

}  // namespace holdfast::platform
