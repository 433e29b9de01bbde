// Goal: what is in histories stays readable, byte for byte, and what nobody knows is told instead of guessed.
// Method: JSON as it was written once, through the types and back.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/protocol.h"

namespace holdfast::protocol {
namespace {

TEST(Protocol, EveryTypeReadsBackWhatItWrote) {
  RunInput in;
  in.agent = "refund";
  in.input = "hello";
  in.caller.emplace();
  in.caller->call.message.sha256 = "ab";
  in.caller->depth = 2;
  in.progress.emplace();
  in.progress->plan.max_iterations = 7;
  in.progress->answers.emplace_back().text = "t";
  Json first = in;
  EXPECT_EQ(Json(first.get<RunInput>()), first);
  EXPECT_EQ(Json(Json({{"agent", "a"}}).get<RunInput>()), Json({{"agent", "a"}}));
}

TEST(IdempotencyKey, DependsOnEveryPartAndNeverChanges) {
  ConversationRef message;
  message.conversation = "c";
  message.sequence = 4;
  const std::string key = idempotency_key("default", message, 0, "refund", "{\"amount\":1}");
  EXPECT_EQ(key, idempotency_key("default", message, 0, "refund", "{\"amount\":1}"));
  EXPECT_NE(key, idempotency_key("default", message, 1, "refund", "{\"amount\":1}"));
  EXPECT_NE(key, idempotency_key("default", message, 0, "refund", "{\"amount\":2}"));
  EXPECT_NE(key, idempotency_key("other", message, 0, "refund", "{\"amount\":1}"));
  message.branch = 1;
  EXPECT_NE(key, idempotency_key("default", message, 0, "refund", "{\"amount\":1}"));
}

}  // namespace
}  // namespace holdfast::protocol
