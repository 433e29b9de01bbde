// Which request makes a run, and which finds one.

#include "platform/run_rules.h"

#include <gtest/gtest.h>

#include "base/sha256.h"
#include "fixture/counting_random.h"
#include "fixture/manual_clock.h"

namespace holdfast::platform::rules {
namespace {

class RunRules : public ::testing::Test {
 protected:
  RunRules() {
    intent_.agent = "refund";
    intent_.input = "{}";
    intent_.run = "refund-7";
    intent_.idempotency_key = "key";
    stored_ = start(std::nullopt, std::nullopt)->row;
  }
  Result<Change<StoredRun>> start(const std::optional<StoredRun>& of_key,
                                  const std::optional<StoredRun>& of_run) {
    return start_run(intent_, of_key, of_run, random_, clock_.now());
  }

  fixture::ManualClock clock_;
  fixture::CountingRandom random_;
  StartIntent intent_;
  StoredRun stored_;
};

TEST_F(RunRules, ARunHasItsIdForRequestId) {
  EXPECT_EQ(stored_.run.request_id, "refund-7");
  EXPECT_EQ(stored_.run.created_at, clock_.now());
  EXPECT_FALSE(stored_.run.started_at);
  intent_.run.clear();
  const StoredRun made = start(std::nullopt, std::nullopt)->row;
  EXPECT_FALSE(made.run.run.empty());
  EXPECT_EQ(made.run.request_id, made.run.run);
}

// A repeat comes in another trace; one that asks for something else is another request.
TEST_F(RunRules, TheTraceIsNoPartOfTheRequest) {
  const auto trace = [](const char* digit) {
    return std::string(R"("trace":{"traceparent":")") + digit + R"("})";
  };
  intent_.settings = "{" + trace("1") + "}";
  EXPECT_EQ(start(std::nullopt, stored_)->write, Write::kNothing) << "begun in no trace";
  intent_.settings = R"({"context":{"a":1},)" + trace("1") + "}";
  EXPECT_FALSE(start(std::nullopt, stored_));
  intent_.run = "refund-8";
  const StoredRun other = start(std::nullopt, std::nullopt)->row;
  intent_.settings = R"({"context":{"a":1},)" + trace("2") + "}";
  EXPECT_EQ(start(std::nullopt, other)->write, Write::kNothing);
  intent_.settings = R"({"context":{"a":1}})";
  EXPECT_EQ(start(std::nullopt, other)->write, Write::kNothing);
  intent_.settings = R"({"context":{"a":2},)" + trace("2") + "}";
  EXPECT_FALSE(start(std::nullopt, other));
}

TEST_F(RunRules, TheSameRequestFindsItsRunByKeyOrId) {
  EXPECT_EQ(start(stored_, stored_)->write, Write::kNothing);
  intent_.run.clear();
  EXPECT_EQ(start(stored_, std::nullopt)->row.run.run, "refund-7");
  intent_.run = "refund-7";
  intent_.idempotency_key.clear();
  EXPECT_EQ(start(std::nullopt, stored_)->write, Write::kNothing);
}

TEST_F(RunRules, AnotherRequestUnderKeyOrIdIsRefused) {
  const auto refused = [&](const std::optional<StoredRun>& of_key, const std::optional<StoredRun>& of_run) {
    const Result<Change<StoredRun>> change = start(of_key, of_run);
    return !change && change.error().code() == Code::kAlreadyExists;
  };
  intent_.run = "refund-8";
  EXPECT_TRUE(refused(stored_, std::nullopt));  // the key made another run
  intent_.run = "refund-7";
  intent_.input = "[]";
  EXPECT_TRUE(refused(stored_, stored_));
  EXPECT_TRUE(refused(std::nullopt, stored_));
  intent_.fingerprint = stored_.fingerprint;  // the caller says what makes requests equal
  EXPECT_FALSE(refused(std::nullopt, stored_));
}

TEST_F(RunRules, TheSameInputInAnotherKeyOrderIsTheSameRequest) {
  intent_.input = R"({"order":1042,"items":[{"a":1,"b":2}]})";
  stored_ = start(std::nullopt, std::nullopt)->row;
  intent_.input = R"({"items": [{"b": 2, "a": 1}], "order": 1042})";
  EXPECT_EQ(start(stored_, std::nullopt)->row.run.run, "refund-7");
  EXPECT_EQ(start(std::nullopt, stored_)->write, Write::kNothing);
  for (const char* other : {R"({"order":1042})", R"({"order":"1042","items":[{"a":1,"b":2}]})", "{", ""}) {
    intent_.input = other;
    EXPECT_FALSE(start(std::nullopt, stored_)) << other;
  }
  intent_.input = R"({"items": [{"b": 2, "a": 1}], "order": 1042})";
  intent_.agent = "other";
  EXPECT_FALSE(start(std::nullopt, stored_));
}

TEST_F(RunRules, TheFirstStartTellsWhen) {
  const RunRecord first = mark_started(stored_.run, "engine-1", clock_.now()).row;
  EXPECT_EQ(first.started_at, clock_.now());
  const RunRecord second = mark_started(first, "engine-2", clock_.now() + std::chrono::seconds(1)).row;
  EXPECT_EQ(second.started_at, clock_.now());
  EXPECT_EQ(second.engine_run_id, "engine-2");
}

TEST_F(RunRules, AVersionIsTheHashOfTheTextAlone) {
  EXPECT_EQ(new_definition("a", "text", clock_.now()).hash, sha256_hex("text"));
  EXPECT_EQ(check_definition("", "text").code(), Code::kInvalidArgument);
  intent_.agent.clear();
  EXPECT_EQ(check_start(intent_).code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace holdfast::platform::rules
