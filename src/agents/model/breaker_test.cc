// Goal: an endpoint that is down is left alone and found again by exactly one call; one that fails now and
// then is not given up. Method: the state machine and the shared record of it on a clock that a test moves.

#include "model/breaker.h"

#include <gtest/gtest.h>

#include <vector>

#include "fixture/manual_clock.h"

namespace holdfast::model {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class BreakersTest : public ::testing::Test {
 protected:
  void pass(std::chrono::nanoseconds time) { clock_.ns += time.count(); }
  void fail(int times) {
    for (int i = 0; i < times; ++i) breakers_.enter_anyway("a").ended(CallEnd::kFailed);
  }
  // What the next call may do.
  std::string next() {
    auto call = breakers_.enter("a");
    return !call ? "not" : call->is_probe() ? "probe" : "call";
  }

  fixture::ManualClock clock_;
  Breakers breakers_{BreakerRules(), clock_};
};

TEST_F(BreakersTest, FiveFailuresOpenItForThirtySeconds) {
  fail(4);
  EXPECT_EQ(next(), "call");
  fail(1);
  EXPECT_EQ(next(), "not");
  EXPECT_EQ(breakers_.enter("a").error(), seconds(30));
  EXPECT_EQ(breakers_.open_for("a"), seconds(30));
  EXPECT_TRUE(breakers_.enter("b").has_value()) << "another endpoint is another one";
  pass(milliseconds(29'999));
  EXPECT_EQ(next(), "not");
  pass(milliseconds(1));
  EXPECT_EQ(next(), "probe");
}

TEST_F(BreakersTest, HalfOpenLetsExactlyOneThrough) {
  fail(5);
  pass(seconds(30));
  auto probe = breakers_.enter("a");
  ASSERT_TRUE(probe.has_value());
  EXPECT_TRUE(probe->is_probe());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(next(), "not");
  EXPECT_EQ(breakers_.enter("a").error(), milliseconds(0));
  probe->ended(CallEnd::kWorked);
  EXPECT_EQ(next(), "call");
  fail(4);
  EXPECT_EQ(next(), "call") << "what was before it opened is forgotten";
}

TEST_F(BreakersTest, AProbeThatFailsOpensItForTwiceAsLong) {
  fail(5);
  for (const int open_for : {30, 60, 120, 240, 300, 300}) {
    EXPECT_EQ(breakers_.enter("a").error(), seconds(open_for));
    pass(seconds(open_for));
    auto probe = breakers_.enter("a");
    ASSERT_TRUE(probe.has_value() && probe->is_probe());
    probe->ended(CallEnd::kFailed);
  }
}

// Its thread may have been told to stop.
TEST_F(BreakersTest, AProbeOfWhichNothingIsHeardGivesItsPlaceAway) {
  fail(5);
  pass(seconds(30));
  {
    EXPECT_TRUE(breakers_.enter("a")->is_probe());
  }
  EXPECT_EQ(next(), "probe");
  breakers_.enter("a")->ended(CallEnd::kNeither);
  EXPECT_EQ(next(), "probe");
}

TEST_F(BreakersTest, WhatBeganBeforeItOpenedDoesNotKeepItOpen) {
  auto slow = breakers_.enter("a");
  fail(5);
  pass(seconds(20));
  slow->ended(CallEnd::kFailed);
  EXPECT_EQ(breakers_.enter("a").error(), seconds(10));
  auto lucky = breakers_.enter_anyway("a");
  lucky.ended(CallEnd::kWorked);
  EXPECT_EQ(next(), "call");
}

TEST_F(BreakersTest, FewFailuresAmongManyCallsAreNoReason) {
  for (int i = 0; i < 1000; ++i) {
    breakers_.enter_anyway("a").ended(i % 3 == 0 ? CallEnd::kFailed : CallEnd::kWorked);
    pass(milliseconds(20));
  }
  EXPECT_EQ(next(), "call");
}

TEST_F(BreakersTest, TheWindowSlides) {
  for (int i = 0; i < 100; ++i) {
    fail(1);
    pass(seconds(16));
    ASSERT_EQ(next(), "call") << i;
  }
  pass(seconds(120));
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(next(), "call");
    fail(1);
    pass(seconds(10));
  }
  EXPECT_EQ(next(), "not");
}

TEST_F(BreakersTest, EndpointsThatWorkAreForgotten) {
  for (std::size_t i = 0; i < 3 * kMaxBreakers; ++i)
    breakers_.enter_anyway(std::to_string(i)).ended(CallEnd::kWorked);
  fail(5);
  EXPECT_EQ(next(), "not");
}

TEST(Breaker, WhatAPromptIsRefusedForSaysNothingOfTheEndpoint) {
  const auto ended = [](ErrorKind kind) { return end_of(Error(kind, "x")); };
  for (const ErrorKind kind : {ErrorKind::kRateLimited, ErrorKind::kOverloaded, ErrorKind::kTimeout,
                               ErrorKind::kConnection, ErrorKind::kStreamCut, ErrorKind::kQuotaExhausted})
    EXPECT_EQ(ended(kind), CallEnd::kFailed) << error_type(kind);
  for (const ErrorKind kind : {ErrorKind::kContentFilter, ErrorKind::kInvalidPrompt, ErrorKind::kBadRequest,
                               ErrorKind::kUnknownStop, ErrorKind::kInvalidOutput})
    EXPECT_EQ(ended(kind), CallEnd::kWorked) << error_type(kind);
  for (const ErrorKind kind : {ErrorKind::kAuth, ErrorKind::kNotGranted, ErrorKind::kCancelled})
    EXPECT_EQ(ended(kind), CallEnd::kNeither) << error_type(kind);
}

}  // namespace
}  // namespace holdfast::model
