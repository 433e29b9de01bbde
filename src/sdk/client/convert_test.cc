// Public types and Temporal's messages turn into each other without loss, causes of failures included.

#include <gtest/gtest.h>

#include "client/convert.h"
#include "client/failure_converter.h"

namespace holdfast::client {
namespace {

using namespace std::chrono_literals;

FailurePtr round_trip(const Failure& failure) {
  pb::failure::v1::Failure message;
  set_failure(failure, &message);
  return from_proto(message);
}

TEST(FailureConverter, KeepsTheWholeChain) {
  auto root = std::make_shared<ApplicationFailure>("rate limited", "RateLimit", true,
                                                   to_payloads(429, "slow down"), Duration(90s));
  auto timeout = std::make_shared<TimeoutFailure>("late", TimeoutType::kHeartbeat, to_payloads(7), root);
  ActivityFailure activity("activity task failed", "call_model", "3", RetryState::kNonRetryableFailure,
                           timeout);
  activity.scheduled_event_id = 5;
  activity.identity = "w";

  const auto back = round_trip(activity);
  EXPECT_EQ(back->to_string(), activity.to_string());
  const auto* as_activity = find_failure<ActivityFailure>(*back);
  ASSERT_NE(as_activity, nullptr);
  EXPECT_EQ(as_activity->activity_type(), "call_model");
  EXPECT_EQ(as_activity->scheduled_event_id, 5);
  const auto* as_timeout = find_failure<TimeoutFailure>(*back);
  ASSERT_NE(as_timeout, nullptr);
  EXPECT_EQ(as_timeout->timeout_type(), TimeoutType::kHeartbeat);
  EXPECT_EQ(from_payload<int>(as_timeout->last_heartbeat_details().at(0)), 7);
  const auto* application = find_failure<ApplicationFailure>(*back);
  ASSERT_NE(application, nullptr);
  EXPECT_EQ(application->type(), "RateLimit");
  EXPECT_TRUE(application->is_non_retryable());
  EXPECT_EQ(application->next_retry_delay(), Duration(90s));
  EXPECT_EQ(from_payload<std::string>(application->details().at(1)), "slow down");
}

// what() may be anything, and a failure that protobuf cannot read back would make its history unreadable.
TEST(FailureConverter, MakesTextOfWhatIsNone) {
  pb::failure::v1::Failure message;
  set_failure(ApplicationFailure("Zeit\xFC"
                                 "berschreitung",
                                 "Typ\xE9"),
              &message);
  pb::failure::v1::Failure back;
  EXPECT_TRUE(back.ParseFromString(message.SerializeAsString()));
  EXPECT_EQ(back.message(), "Zeit\uFFFDberschreitung");
  EXPECT_EQ(back.application_failure_info().type(), "Typ\uFFFD");
}

TEST(FailureConverter, KeepsEveryKind) {
  EXPECT_EQ(round_trip(CanceledFailure("c", to_payloads(1)))->kind(), "CanceledFailure");
  EXPECT_EQ(round_trip(TerminatedFailure("t"))->kind(), "TerminatedFailure");
  EXPECT_EQ(round_trip(ServerFailure("s", true))->kind(), "ServerFailure");
  const auto child = round_trip(ChildWorkflowFailure("x", "T", "id", "run", RetryState::kTimeout, nullptr));
  ASSERT_NE(find_failure<ChildWorkflowFailure>(*child), nullptr);
  EXPECT_EQ(find_failure<ChildWorkflowFailure>(*child)->retry_state(), RetryState::kTimeout);
}

TEST(Convert, RetryPolicyAndTimesComeBack) {
  pb::common::v1::RetryPolicy message;
  set_retry_policy(RetryPolicy().initial(1500ms).backoff(3).maximum(1min).attempts(4).non_retryable("A"),
                   &message);
  const RetryPolicy back = from_proto(message);
  EXPECT_EQ(back.initial(), Duration(1500ms));
  EXPECT_EQ(back.backoff(), 3);
  EXPECT_EQ(back.maximum(), Duration(1min));
  EXPECT_EQ(back.attempts(), 4);
  EXPECT_EQ(back.non_retryable(), std::vector<std::string>{"A"});

  google::protobuf::Timestamp time;
  const WallTime now(std::chrono::nanoseconds(1'700'000'000'123'456'789));
  set_timestamp(now, &time);
  EXPECT_EQ(from_proto(time), now);
}

}  // namespace
}  // namespace holdfast::client
