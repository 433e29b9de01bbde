#pragma once

// The contract of completions (platform/contract.h): a token is good once, and only for its call; what was
// said first stands, whoever says it; nothing that is completed is forgotten before its run has it.

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "platform/contract.h"

namespace holdfast::platform {

inline CompletionOpening opening(const std::string& id, WallTime now) {
  CompletionOpening out;
  out.id = id;
  out.run = "run-1";
  out.tool = "render";
  out.step = 3;
  out.deadline = now + std::chrono::hours(1);
  return out;
}

inline CompletionAttempt attempt_with(const std::string& token, const std::string& result,
                                      bool succeeded = true) {
  CompletionAttempt out;
  out.token = token;
  out.result = result;
  out.succeeded = succeeded;
  return out;
}

TEST_P(StoreContract, ACompletionIsTakenOnceAndRepeatedAlike) {
  const auto opened = store_->open_completion(opening("c1", clock_.now()));
  ASSERT_TRUE(opened) << opened.error().to_string();
  EXPECT_EQ(opened->completion.tokens.find(opened->token), std::string::npos);
  close();
  open();
  const auto first = store_->complete(attempt_with(opened->token, "done"));
  ASSERT_TRUE(first) << first.error().to_string();
  EXPECT_EQ(first->state, CompletionState::kCompleted);
  EXPECT_EQ(first->run, "run-1");
  EXPECT_EQ(first->step, 3u);
  EXPECT_EQ(store_->complete(attempt_with(opened->token, "done"))->ended_at, first->ended_at);
  EXPECT_EQ(store_->complete(attempt_with(opened->token, "other")).error().code(), Code::kAlreadyExists);
  EXPECT_EQ(store_->complete(attempt_with(opened->token, "done", false)).error().code(),
            Code::kAlreadyExists);
  close();
  open();
  EXPECT_EQ((*store_->completion("c1"))->result, "done");
}

TEST_P(StoreContract, AForgedTokenFindsNothing) {
  const auto opened = store_->open_completion(opening("c1", clock_.now()));
  const auto other = store_->open_completion(opening("c2", clock_.now()));
  std::string forged = opened->token;
  forged.back() = forged.back() == 'A' ? 'B' : 'A';
  const std::string stolen = "c1" + other->token.substr(other->token.find('.'));
  for (const std::string& token : {forged, stolen, std::string("c1"), std::string("c1."), std::string(),
                                   std::string("nobody.x"), opened->completion.tokens}) {
    EXPECT_EQ(store_->complete(attempt_with(token, "x")).error().code(), Code::kNotFound) << token;
  }
  EXPECT_EQ((*store_->completion("c1"))->state, CompletionState::kOpen);
}

TEST_P(StoreContract, EachAttemptHasATokenAndAnyIsGoodOnce) {
  const auto first = store_->open_completion(opening("c1", clock_.now()));
  const auto second = store_->open_completion(opening("c1", clock_.now()));
  EXPECT_NE(first->token, second->token);
  ASSERT_TRUE(store_->complete(attempt_with(first->token, "broken", false)));
  EXPECT_EQ(store_->complete(attempt_with(second->token, "broken", false))->state, CompletionState::kFailed);
  EXPECT_EQ(store_->complete(attempt_with(second->token, "x")).error().code(), Code::kAlreadyExists);
  for (std::size_t i = 1; i < kMaxCompletionTokens; ++i) {
    ASSERT_TRUE(store_->open_completion(opening("many", clock_.now())));
  }
  ASSERT_TRUE(store_->open_completion(opening("many", clock_.now())));
  EXPECT_EQ(store_->open_completion(opening("many", clock_.now())).error().code(), Code::kResourceExhausted);
  CompletionOpening foreign = opening("c1", clock_.now());
  foreign.run = "run-2";
  EXPECT_EQ(store_->open_completion(foreign).error().code(), Code::kFailedPrecondition);
}

TEST_P(StoreContract, WhoComesTooLateIsToldWhy) {
  const auto late = store_->open_completion(opening("late", clock_.now()));
  const auto expired = store_->open_completion(opening("expired", clock_.now()));
  const auto closed = store_->open_completion(opening("closed", clock_.now()));
  ASSERT_TRUE(store_->end_completion("expired", CompletionState::kExpired));
  ASSERT_TRUE(store_->end_completion("closed", CompletionState::kClosed));
  EXPECT_EQ(store_->complete(attempt_with(expired->token, "x")).error().code(), Code::kOutOfRange);
  EXPECT_EQ(store_->complete(attempt_with(closed->token, "x")).error().code(), Code::kFailedPrecondition);
  clock_.ns += std::chrono::nanoseconds(std::chrono::hours(1)).count();
  EXPECT_EQ(store_->complete(attempt_with(late->token, "x")).error().code(), Code::kOutOfRange);
  EXPECT_FALSE(store_->end_completion("nobody", CompletionState::kClosed)->has_value());
}

TEST_P(StoreContract, WhatIsCompletedIsKeptForItsRun) {
  for (const char* id : {"a", "b", "c"}) {
    const auto opened = store_->open_completion(opening(id, clock_.now()));
    if (std::string(id) != "c") ASSERT_TRUE(store_->complete(attempt_with(opened->token, id)));
  }
  auto untold = store_->untold_completions("", 10);
  ASSERT_TRUE(untold) << untold.error().to_string();
  ASSERT_EQ(untold->size(), 2u);
  EXPECT_EQ(untold->front().id, "a");
  EXPECT_EQ(store_->untold_completions("a", 10)->front().id, "b");
  // The run comes for it: what was said stands, whatever the run takes it for.
  EXPECT_EQ((*store_->end_completion("a", CompletionState::kExpired))->result, "a");
  EXPECT_EQ((*store_->end_completion("a", CompletionState::kClosed))->state, CompletionState::kCompleted);
  EXPECT_EQ(store_->untold_completions("", 10)->size(), 1u);
  GoneHistory gone;
  gone.run = "run-1";
  ASSERT_TRUE(store_->forget_histories({gone}).ok());
  EXPECT_FALSE(store_->completion("b")->has_value());
}

TEST_P(StoreContract, OneOfManyCompletesACall) {
  const auto opened = store_->open_completion(opening("c1", clock_.now()));
  std::vector<std::thread> threads;
  std::vector<Code> codes(8, Code::kOk);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    threads.emplace_back([&, i] {
      auto done = store_->complete(attempt_with(opened->token, std::to_string(i)));
      if (!done) codes[i] = done.error().code();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::count(codes.begin(), codes.end(), Code::kOk), 1);
  EXPECT_EQ(std::count(codes.begin(), codes.end(), Code::kAlreadyExists), 7);
}

}  // namespace holdfast::platform
