// Values survive the way into a payload and back in Temporal's encodings, and wrong ones say what is wrong.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "holdfast/failure.h"
#include "holdfast/options.h"
#include "holdfast/payload.h"

namespace holdfast {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(Payload, UsesTemporalsEncodings) {
  EXPECT_EQ(to_payload(std::string("x")).encoding(), "json/plain");
  EXPECT_EQ(to_payload("x").data, "\"x\"");
  EXPECT_EQ(to_payload(nullptr).encoding(), "binary/null");
  EXPECT_EQ(to_payload(Bytes(std::string("\0\xff", 2))).encoding(), "binary/plain");
  EXPECT_EQ(to_payload(std::optional<int>()).encoding(), "binary/null");
  EXPECT_EQ(to_payload(std::vector<int>{1, 2}).data, "[1,2]");
}

TEST(Payload, ComesBackAsWhatItWas) {
  EXPECT_EQ(from_payload<int>(to_payload(42)), 42);
  EXPECT_EQ(from_payload<Bytes>(to_payload(Bytes("\xff"))), Bytes("\xff"));
  EXPECT_EQ(from_payload<std::optional<int>>(to_payload(nullptr)), std::nullopt);
  EXPECT_EQ((from_payload<std::map<std::string, int>>(to_payload(std::map<std::string, int>{{"a", 1}}))["a"]),
            1);
}

TEST(Payload, SaysWhatIsWrong) {
  EXPECT_THAT([] { (void)from_payload<int>(to_payload("x")); },
              ThrowsMessage<PayloadError>(HasSubstr("expected type")));
  EXPECT_THAT([] { (void)from_payload<int>(Payload({{"encoding", "json/plain"}}, "{")); },
              ThrowsMessage<PayloadError>(HasSubstr("not valid JSON")));
  EXPECT_THAT([] { (void)from_payload<int>(Payload({{"encoding", "avro"}}, "")); },
              ThrowsMessage<PayloadError>(HasSubstr("\"avro\"")));
  EXPECT_THAT([] { (void)to_payload(std::string("\xff")); }, ThrowsMessage<PayloadError>(HasSubstr("Bytes")));
}

TEST(Payload, MissingArgumentsAreEmptyWhenOptionalAndErrorsOtherwise) {
  auto [a, b] = decode_arguments<int, std::optional<std::string>>(to_payloads(1));
  EXPECT_EQ(a, 1);
  EXPECT_EQ(b, std::nullopt);
  EXPECT_THAT(([] { (void)decode_arguments<int, int>(to_payloads(1)); }),
              ThrowsMessage<PayloadError>(HasSubstr("argument 2 of 2 is missing")));
}

TEST(Failure, KeepsTypeAndChainWhenCopied) {
  const auto cause = std::make_shared<ApplicationFailure>("disk full", "DiskError", true);
  const ActivityFailure failure("activity failed", "write", "1", RetryState::kNonRetryableFailure, cause);
  EXPECT_EQ(failure.to_string(),
            "ActivityFailure: activity failed <- ApplicationFailure(DiskError): disk full");
  ASSERT_NE(find_failure<ApplicationFailure>(*failure.clone()), nullptr);
  EXPECT_THROW(failure.clone()->raise(), ActivityFailure);
  EXPECT_FALSE(is_canceled(failure));
  EXPECT_TRUE(is_canceled(
      ActivityFailure("x", "a", "1", RetryState::kCancelRequested, std::make_shared<CanceledFailure>())));
}

TEST(Payload, ThatNestsTooDeepIsRefused) {
  Payload payload({{"encoding", "json/plain"}}, std::string(100'000, '[') + std::string(100'000, ']'));
  EXPECT_THROW((void)payload_to_json(payload), PayloadError);
}

TEST(Options, RetryPolicyTakesTypesBothWays) {
  EXPECT_EQ(RetryPolicy().non_retryable({"A", "B"}).non_retryable(),
            RetryPolicy().non_retryable("A", "B").non_retryable());
}

}  // namespace
}  // namespace holdfast
