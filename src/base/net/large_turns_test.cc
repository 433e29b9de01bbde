// Goal: only so many exchanges are large at one time, in the order in which they asked, and those that are
// not wait for nobody. Method: turns by hand, then answers of a server that are longer than a turn is needed
// for.

#include "net/large_turns.h"

#include <gtest/gtest.h>

#include <optional>
#include <thread>

namespace holdfast::net {
namespace {

using namespace std::chrono_literals;

TEST(LargeTurnsTest, ComeInTheOrderInWhichTheyWereAskedFor) {
  const LargeTurns turns(1);
  auto first = turns.join();
  auto second = turns.join();
  auto third = turns.join();
  EXPECT_TRUE(first->take());
  EXPECT_TRUE(first->take()) << "it is still its turn";
  EXPECT_FALSE(third->take());
  EXPECT_FALSE(second->take());
  first.reset();
  EXPECT_FALSE(second->take());
  EXPECT_TRUE(third->take());
  third.reset();
  EXPECT_TRUE(second->take());
}

TEST(LargeTurnsTest, WhoGoesWithoutHisTurnKeepsNobodyWaiting) {
  const LargeTurns turns(1);
  auto first = turns.join();
  auto gone = turns.join();
  auto third = turns.join();
  EXPECT_TRUE(first->take());
  EXPECT_FALSE(gone->take());
  EXPECT_FALSE(third->take());
  gone.reset();
  turns.join().reset();  // never asked
  first.reset();
  EXPECT_TRUE(third->take());
}

TEST(LargeTurnsTest, AreWaitedFor) {
  std::optional<LargeTurns> turns(1);
  auto first = turns->join();
  auto second = turns->join();
  EXPECT_TRUE(first->take());
  EXPECT_FALSE(second->take_within(1ms));
  turns.reset();  // those who have joined go on
  std::thread other([first = std::move(first)]() mutable { first.reset(); });
  EXPECT_TRUE(second->take_within(20s));
  other.join();
}

}  // namespace
}  // namespace holdfast::net
