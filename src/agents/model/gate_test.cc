// Goal: a provider's key is never used beyond what the operator allows, whoever defines agents; nobody is
// starved, and what one call is told holds for all. Method: passes on a clock that a test moves, and many
// threads against a counter.

#include "model/gate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <thread>
#include <vector>

#include "fixture/manual_clock.h"
#include "os/clock.h"

namespace holdfast::model {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kNow{0};

KeyUse openai(std::string model = "gpt") {
  return {.key = "OPENAI_API_KEY", .host = "api.openai.com", .model = std::move(model)};
}

Limit limit_of_key(std::size_t concurrency, std::int64_t requests = 0, std::int64_t tokens = 0) {
  Limit out;
  out.key = "OPENAI_API_KEY";
  out.concurrency = concurrency;
  out.requests_per_minute = requests;
  out.tokens_per_minute = tokens;
  return out;
}

class GateTest : public ::testing::Test {
 protected:
  using PassPtr = std::shared_ptr<Gate::Pass>;

  void limit(Limit limit) { limits_.list.push_back(std::move(limit)); }
  Gate& gate() {
    if (!gate_) gate_ = std::make_unique<Gate>(limits_, clock_);
    return *gate_;
  }
  void pass(std::chrono::nanoseconds time) { clock_.ns += time.count(); }
  PassPtr joined(const std::string& agent) {
    auto out = gate().join(openai(), agent);
    (void)out->slot_within(kNow);
    return out;
  }
  bool sends(const PassPtr& call, std::int64_t tokens = 1) {
    return call->slot_within(kNow) && call->send_within(tokens, kNow);
  }
  // How many more may be sent now.
  int send_all(std::int64_t tokens = 1) {
    for (int sent = 0;; ++sent) {
      PassPtr one = joined("all");
      if (!sends(one, tokens)) return sent;
    }
  }

  fixture::ManualClock clock_;
  Limits limits_;
  std::unique_ptr<Gate> gate_;
};

TEST_F(GateTest, SlotsAreGivenAgentByAgent) {
  limit(limit_of_key(1));
  PassPtr held = joined("busy");
  ASSERT_TRUE(held->slot_within(kNow));
  std::vector<std::pair<std::string, PassPtr>> waiting;
  for (int i = 0; i < 5; ++i) waiting.emplace_back("busy", joined("busy"));
  for (int i = 0; i < 2; ++i) waiting.emplace_back("calm", joined("calm"));
  waiting.emplace_back("new", joined("new"));
  std::string order;
  while (!waiting.empty()) {
    held.reset();
    const auto next = std::find_if(waiting.begin(), waiting.end(),
                                   [](const auto& one) { return one.second->slot_within(kNow); });
    ASSERT_NE(next, waiting.end());
    order += next->first + " ";
    held = next->second;
    waiting.erase(next);
  }
  EXPECT_EQ(order, "busy calm new busy calm busy busy busy ");
}

TEST_F(GateTest, WhoGivesUpLeavesNothingBehind) {
  limit(limit_of_key(1));
  PassPtr held = joined("a");
  PassPtr gone = joined("b");
  PassPtr next = joined("c");
  gone.reset();
  held.reset();
  EXPECT_TRUE(next->slot_within(kNow));
  EXPECT_EQ(gate().states().at(0).in_use, 1u);
  EXPECT_EQ(gate().states().at(0).waiting, 0u);
}

TEST_F(GateTest, RequestsOfAnyMinuteAreCounted) {
  limit(limit_of_key(100, 60));
  EXPECT_EQ(send_all(), 60);
  pass(seconds(59));
  EXPECT_EQ(send_all(), 0);
  pass(seconds(2));
  EXPECT_EQ(send_all(), 60) << "not one more for the minute in which nothing was asked";
  pass(seconds(600));
  EXPECT_EQ(send_all(), 60);
}

TEST_F(GateTest, NoMinuteHasMoreThanItsLimit) {
  limit(limit_of_key(100, 30));
  std::deque<std::int64_t> sent;
  std::size_t most = 0;
  for (int step = 0; step < 2000; ++step) {
    pass(milliseconds(137));
    for (int i = send_all(); i > 0; --i) sent.push_back(clock_.ns);
    while (!sent.empty() && sent.front() <= clock_.ns - 60'000'000'000) sent.pop_front();
    most = std::max(most, sent.size());
  }
  EXPECT_EQ(most, 30u);
}

TEST_F(GateTest, TokensAreReservedAndSettled) {
  limit(limit_of_key(100, 0, 10'000));
  PassPtr one = joined("a");
  PassPtr two = joined("a");
  ASSERT_TRUE(sends(one, 6000));
  EXPECT_FALSE(sends(two, 6000));
  one->used(3000);
  EXPECT_TRUE(sends(two, 6000));
  EXPECT_EQ(gate().states().at(0).tokens, 9000);
  two->used(8000);
  EXPECT_EQ(send_all(1), 0);
  pass(seconds(61));
  PassPtr large = joined("a");
  EXPECT_TRUE(sends(large, 1'000'000)) << "what is more than the limit goes alone, or it would never";
  EXPECT_EQ(send_all(1), 0);
}

TEST_F(GateTest, WhatOneIsToldHoldsForAllOfTheKey) {
  limit(limit_of_key(100));
  PassPtr told = joined("a");
  ASSERT_TRUE(sends(told));
  told->hold_back(milliseconds(1500));
  PassPtr other = joined("b");
  EXPECT_FALSE(sends(other));
  EXPECT_EQ(gate().held_back(openai("another")), milliseconds(1500));
  told->hold_back(milliseconds(10));  // the longer one counts
  pass(milliseconds(1499));
  EXPECT_FALSE(sends(other));
  pass(milliseconds(1));
  EXPECT_TRUE(sends(other));
  EXPECT_TRUE(sends(gate().join({.key = "OTHER", .host = "api.openai.com", .model = "gpt"}, "b")));
}

// A server that says nonsense to one call says it to that call.
TEST_F(GateTest, WhatOneIsToldHoldsForAllForAnHourAtMost) {
  limit(limit_of_key(100));
  PassPtr told = joined("a");
  ASSERT_TRUE(sends(told));
  told->hold_back(std::chrono::hours(24 * 30));
  PassPtr other = joined("b");
  EXPECT_EQ(gate().held_back(openai()), std::chrono::hours(1));
  pass(std::chrono::hours(1) - milliseconds(1));
  EXPECT_FALSE(sends(other));
  pass(milliseconds(1));
  EXPECT_TRUE(sends(other));
}

TEST_F(GateTest, TheFirstLimitThatIsAboutACallDecides) {
  Limit mini = limit_of_key(1);
  mini.model = "mini";
  limit(mini);
  limit(limit_of_key(2));
  limits_.concurrency = 3;
  const auto slots = [&](const KeyUse& use) {
    std::vector<PassPtr> held;
    do held.push_back(gate().join(use, "a"));
    while (held.back()->slot_within(kNow));
    return held.size() - 1;
  };
  EXPECT_EQ(slots(openai("mini")), 1u);
  EXPECT_EQ(slots(openai("gpt")), 2u);
  EXPECT_EQ(slots({.key = "", .host = "localhost:11434", .model = "llama"}), 3u);
  PassPtr large = gate().join(openai("gpt"), "a");
  PassPtr larger = gate().join(openai("o3"), "a");
  EXPECT_TRUE(large->slot_within(kNow));
  EXPECT_TRUE(larger->slot_within(kNow));
  EXPECT_FALSE(gate().join(openai("other"), "a")->slot_within(kNow)) << "models share what names none";
}

TEST_F(GateTest, KeysThatNobodyUsesAreForgotten) {
  for (std::size_t i = 0; i < 3 * kMaxGateKeys; ++i) {
    PassPtr one = gate().join({.key = "", .host = "h" + std::to_string(i), .model = ""}, "a");
    ASSERT_TRUE(sends(one));
    one.reset();
    pass(milliseconds(100));
  }
  EXPECT_LE(gate().states().size(), kMaxGateKeys + 1);
}

TEST(Gate, AThousandThreadsNeverExceedFifty) {
  const os::SystemClock clock;
  Limits limits;
  limits.list.push_back(limit_of_key(50));
  Gate gate(limits, clock);
  std::atomic<int> in_use = 0;
  std::atomic<int> most = 0;
  std::atomic<int> done = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 1000; ++i) {
    threads.emplace_back([&, i] {
      auto call = gate.join(openai(), "agent-" + std::to_string(i % 7));
      while (!call->slot_within(milliseconds(100))) {
      }
      while (!call->send_within(10, milliseconds(100))) {
      }
      const int now = ++in_use;
      for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
      }
      std::this_thread::yield();
      --in_use;
      ++done;
    });
  }
  threads.clear();
  EXPECT_EQ(done, 1000);
  EXPECT_LE(most, 50);
  EXPECT_EQ(gate.states().at(0).in_use, 0u);
}

}  // namespace
}  // namespace holdfast::model
