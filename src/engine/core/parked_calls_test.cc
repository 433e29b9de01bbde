// Goal: a call that waits is answered once, by whoever comes first: what it waits for, its deadline, its
// caller, or the end. Method: calls are parked and taken out in every way there is.

#include "engine/parked_calls.h"

#include <gtest/gtest.h>

namespace holdfast::engine {
namespace {

Parked waiting(CallId id, Ns deadline_ns) {
  Parked parked;
  parked.kind = Parked::Kind::kHistory;
  parked.call.id = id;
  parked.deadline_ns = deadline_ns;
  return parked;
}

TEST(ParkedCallsTest, ACallIsTakenOnce) {
  ParkedCalls calls(10, 10);
  EXPECT_EQ(calls.park(waiting(7, 100)), 7u);
  ASSERT_NE(calls.find(7), nullptr);
  EXPECT_EQ(calls.find(7)->deadline_ns, 100);
  const auto taken = calls.take(7);
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(taken->call.id, 7u);
  EXPECT_FALSE(calls.take(7).has_value());
  EXPECT_EQ(calls.find(7), nullptr);
  EXPECT_FALSE(calls.take_due(1'000).has_value()) << "its deadline went with it";
  EXPECT_EQ(calls.next_deadline(), 0);
}

TEST(ParkedCallsTest, DeadlinesComeInTheirOrderAndNotEarly) {
  ParkedCalls calls(10, 10);
  calls.park(waiting(1, 300));
  calls.park(waiting(2, 100));
  calls.park(waiting(3, 200));
  EXPECT_EQ(calls.next_deadline(), 100);
  EXPECT_FALSE(calls.take_due(99).has_value());
  EXPECT_EQ(calls.take_due(200)->call.id, 2u);
  EXPECT_EQ(calls.take_due(200)->call.id, 3u);
  EXPECT_FALSE(calls.take_due(200).has_value());
  EXPECT_EQ(calls.next_deadline(), 300);
}

TEST(ParkedCallsTest, PollsAndWaitsHaveLimitsOfTheirOwn) {
  ParkedCalls calls(1, 2);
  calls.park(waiting(1, 100));
  EXPECT_FALSE(calls.full_of_waits());
  calls.park(waiting(2, 100));
  EXPECT_TRUE(calls.full_of_waits());
  EXPECT_FALSE(calls.full_of_polls());
  Parked poll = waiting(3, 100);
  poll.kind = Parked::Kind::kActivityPoll;
  calls.park(std::move(poll));
  EXPECT_TRUE(calls.full_of_polls());
  calls.take(1);
  EXPECT_FALSE(calls.full_of_waits());
  EXPECT_TRUE(calls.full_of_polls());
  calls.take_due(100);
  calls.take_due(100);
  EXPECT_FALSE(calls.full_of_polls());
}

TEST(ParkedCallsTest, TheEndTakesAll) {
  ParkedCalls calls(10, 10);
  for (CallId id = 1; id <= 3; ++id) calls.park(waiting(id, 100));
  int taken = 0;
  while (calls.take_any()) ++taken;
  EXPECT_EQ(taken, 3);
  EXPECT_EQ(calls.size(), 0u);
  EXPECT_EQ(calls.next_deadline(), 0);
}

}  // namespace
}  // namespace holdfast::engine
