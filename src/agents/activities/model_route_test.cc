// Goal: a model that cannot answer is followed by the next one of its role, the provider's delay is kept to
// the millisecond and never cut short, and a call has an end. Method: the route as attempts see it, on times
// that the test chooses; what an attempt leaves goes through JSON to the next.

#include "activities/model_route.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::agent {
namespace {

using model::Error;
using model::ErrorKind;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr WallTime kStart{std::chrono::milliseconds(1'700'000'000'000)};

ModelSpec chain(int models) {
  ModelSpec first;
  first.provider = "openai";
  first.name = "m0";
  first.retry = {
      .initial = milliseconds(100), .backoff = 2, .max_interval = milliseconds(300), .attempts = 3};
  for (int i = 1; i < models; ++i) {
    ModelSpec other = first;
    other.fallbacks.clear();
    other.name = "m" + std::to_string(i);
    first.fallbacks.push_back(other);
  }
  return first;
}

Error error_of(ErrorKind kind, std::optional<milliseconds> retry_after = {}) {
  Error out(kind, "because");
  out.retry_after = retry_after;
  return out;
}

// One call, attempt after attempt.
class RouteTest : public ::testing::Test {
 protected:
  // The model that the next attempt asks; -1: none.
  int ask() {
    ModelRoute route(spec_, met_);
    passed_over_.clear();
    const auto position = route.choose(now_, obstacles_, passed_over_);
    if (position) return static_cast<int>(*position);
    route.waited();
    met_ = route.state();
    next_ = route.next_in(now_, obstacles_);
    return -1;
  }
  std::optional<milliseconds> fail(int position, const Error& error) {
    ModelRoute route(spec_, met_);
    route.failed(static_cast<std::size_t>(position), error, now_);
    met_ = route.state();
    why_not_ = route.why_not();
    return next_ = route.next_in(now_, obstacles_);
  }
  void pass(milliseconds time) { now_ += time; }

  ModelSpec spec_ = chain(2);
  std::optional<Json> met_;
  WallTime now_ = kStart;
  Obstacles obstacles_ = [](const ModelSpec&) { return std::optional<Obstacle>(); };
  std::vector<PassedOver> passed_over_;
  std::optional<milliseconds> next_;
  std::string why_not_;
};

TEST_F(RouteTest, TheNextModelIsAskedAtOnce) {
  EXPECT_EQ(ask(), 0);
  EXPECT_EQ(fail(0, error_of(ErrorKind::kRateLimited, milliseconds(7001))), milliseconds(0));
  EXPECT_EQ(ask(), 1);
  ASSERT_EQ(passed_over_.size(), 1u);
  EXPECT_EQ(passed_over_[0].model->name, "m0");
  EXPECT_EQ(passed_over_[0].why, "RateLimitedError: because");
}

TEST_F(RouteTest, RetryAfterIsKeptToTheMillisecond) {
  now_ += std::chrono::nanoseconds(999'999);  // a part of a millisecond is not cut off
  EXPECT_EQ(fail(0, error_of(ErrorKind::kRateLimited, milliseconds(7001))), milliseconds(0));
  const auto next = fail(1, error_of(ErrorKind::kOverloaded, milliseconds(9003)));
  EXPECT_EQ(next, milliseconds(7002));
  now_ = kStart + milliseconds(7001);
  EXPECT_EQ(ask(), -1);
  EXPECT_EQ(next_, milliseconds(1));
  now_ = kStart + milliseconds(7002);
  EXPECT_EQ(ask(), 0);
}

TEST_F(RouteTest, WithoutAWordOfTheProviderAModelsOwnRetryCounts) {
  std::vector<std::int64_t> delays;
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(fail(0, error_of(ErrorKind::kOverloaded)).has_value(), true);
    const auto next = fail(1, error_of(ErrorKind::kOverloaded));
    if (!next) break;
    delays.push_back(next->count());
    pass(*next);
    EXPECT_EQ(ask(), 0);
  }
  EXPECT_THAT(delays, ::testing::ElementsAre(100, 200));
  EXPECT_EQ(ask(), -1) << "each was asked as often as it may be";
  EXPECT_EQ(next_, std::nullopt);
  EXPECT_EQ(why_not_, "openai m0: OverloadedError: because; openai m1: OverloadedError: because");
}

TEST_F(RouteTest, AModelWhoseKeyIsOfNoUseIsNotAskedAgain) {
  EXPECT_EQ(fail(0, error_of(ErrorKind::kQuotaExhausted)), milliseconds(0));
  EXPECT_EQ(fail(1, error_of(ErrorKind::kOverloaded)), milliseconds(100));
  pass(milliseconds(100));
  EXPECT_EQ(ask(), 1);
  EXPECT_EQ(fail(1, error_of(ErrorKind::kAuth)), std::nullopt);
}

TEST_F(RouteTest, AnOpenCircuitIsPassedOver) {
  obstacles_ = [](const ModelSpec& spec) {
    return spec.name == "m0" ? std::optional(Obstacle{milliseconds(12'500), "its circuit is open"})
                             : std::nullopt;
  };
  EXPECT_EQ(ask(), 1);
  EXPECT_EQ(passed_over_.at(0).why, "its circuit is open, for 13s more");
  EXPECT_EQ(fail(1, error_of(ErrorKind::kOverloaded)), milliseconds(100));
}

TEST_F(RouteTest, WhenAllCircuitsAreOpenItWaitsAndEndsSomeTime) {
  obstacles_ = [](const ModelSpec& spec) {
    return std::optional(Obstacle{spec.name == "m0" ? milliseconds(30'000) : milliseconds(20'000), "open"});
  };
  int waits = 0;
  while (ask() == -1 && next_) {
    EXPECT_EQ(next_, milliseconds(20'000));
    ASSERT_LT(++waits, 10);
  }
  EXPECT_EQ(waits, 3);
  // While somebody else tries whether it works again, nobody knows for how long.
  met_.reset();
  obstacles_ = [](const ModelSpec&) { return std::optional(Obstacle{milliseconds(0), "probe"}); };
  EXPECT_EQ(ask(), -1);
  EXPECT_EQ(next_, milliseconds(200));
  EXPECT_EQ(ask(), -1);
  EXPECT_EQ(next_, milliseconds(300));
}

TEST_F(RouteTest, WhatIsNoStateIsNothingMet) {
  for (const Json& odd : {Json(7), Json("x"), Json::array(), Json({{"models", 3}}),
                          Json({{"models", {{{"failures", "many"}}}}}), Json({{"models", {1, 2, 3, 4}}})}) {
    met_ = odd;
    EXPECT_EQ(ask(), 0) << odd.dump();
  }
}

TEST(ModelRoute, AnotherModelIsNotAskedForAnotherOpinion) {
  for (const ErrorKind kind : {ErrorKind::kContentFilter, ErrorKind::kInvalidPrompt, ErrorKind::kBadRequest,
                               ErrorKind::kUnknownStop, ErrorKind::kInvalidOutput, ErrorKind::kCancelled})
    EXPECT_TRUE(is_final_for_all(error_of(kind)));
  for (const ErrorKind kind :
       {ErrorKind::kRateLimited, ErrorKind::kOverloaded, ErrorKind::kTimeout, ErrorKind::kConnection,
        ErrorKind::kStreamCut, ErrorKind::kQuotaExhausted, ErrorKind::kAuth, ErrorKind::kNotGranted})
    EXPECT_FALSE(is_final_for_all(error_of(kind)));
}

TEST(ModelRoute, OneModelHasTheAttemptsOfItsRetry) {
  EXPECT_EQ(attempts_of(chain(1)), 3);
  EXPECT_GE(attempts_of(chain(2)), 6);
}

}  // namespace
}  // namespace holdfast::agent
