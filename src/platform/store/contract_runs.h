#pragma once

// The contract of runs and definitions (platform/contract.h): one request makes one run, and a version of an
// agent is kept for ever.

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "base/sha256.h"
#include "platform/contract.h"

namespace holdfast::platform {

TEST_P(StoreContract, AStartIsRememberedAndADifferentOneRefused) {
  StartIntent intent;
  intent.run = "refund-7";
  intent.agent = "refund";
  intent.input = R"({"order":7})";
  intent.idempotency_key = "key";
  Result<Started> started = store_->start_run(intent);
  ASSERT_TRUE(started && started->created);
  EXPECT_EQ(started->run.request_id, "refund-7");
  const auto unstarted = store_->unstarted_runs(clock_.now() + std::chrono::seconds(1), 10);
  ASSERT_EQ(unstarted->size(), 1u);
  EXPECT_TRUE(
      store_->unstarted_runs(clock_.now() + std::chrono::seconds(1), 10, unstarted->front().run)->empty());
  Result<Started> again = store_->start_run(intent);
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->created);
  EXPECT_EQ(again->run.run, "refund-7");

  StartIntent by_key = intent;
  by_key.run.clear();
  EXPECT_EQ(store_->start_run(by_key)->run.run, "refund-7");
  StartIntent other = intent;
  other.input = "{}";
  EXPECT_EQ(store_->start_run(other).error().code(), Code::kAlreadyExists);
  other.idempotency_key.clear();
  EXPECT_EQ(store_->start_run(other).error().code(), Code::kAlreadyExists);

  ASSERT_TRUE(store_->mark_started("refund-7", "engine-run").ok());
  EXPECT_TRUE(store_->unstarted_runs(clock_.now() + std::chrono::seconds(1), 10)->empty());
  EXPECT_EQ(store_->run("refund-7")->engine_run_id, "engine-run");
  EXPECT_EQ(store_->run("refund-7")->started_at, clock_.now());
  EXPECT_EQ(store_->run("none").error().code(), Code::kNotFound);
  EXPECT_EQ(store_->mark_started("none", "").code(), Code::kNotFound);
}

TEST_P(StoreContract, RunsComeNewestFirstInPages) {
  for (int i = 0; i < 5; ++i) {
    StartIntent intent;
    intent.run = "r" + std::to_string(i);
    intent.agent = i == 2 ? "other" : "a";
    ASSERT_TRUE(store_->start_run(intent));
  }
  RunFilter filter;
  filter.limit = 2;
  filter.agent = "a";
  std::vector<std::string> seen;
  for (Result<std::vector<RunRecord>> page = store_->runs(filter); page && !page->empty();
       page = store_->runs(filter)) {
    for (const RunRecord& run : *page) seen.push_back(run.run);
    filter.after = seen.back();
  }
  EXPECT_THAT(seen, ::testing::ElementsAre("r4", "r3", "r1", "r0"));
  filter.after = "none";
  EXPECT_EQ(store_->runs(filter).error().code(), Code::kInvalidArgument);
}

TEST_P(StoreContract, APageOfRunsCarriesTheBeginningOfAnInput) {
  StartIntent intent;
  intent.run = "long";
  intent.agent = "a";
  for (std::size_t i = 0; i < kMaxListedInput; ++i) intent.input += "\xC3\xA4";
  intent.input = '"' + intent.input + '"';
  ASSERT_TRUE(store_->start_run(intent));
  const RunRecord listed = store_->runs({})->front();
  EXPECT_EQ(listed.input, intent.input.substr(0, 1 + 2 * (kMaxListedInput - 1)));  // whole characters
  EXPECT_EQ(listed.input_bytes, intent.input.size());
  EXPECT_EQ(store_->run("long")->input, intent.input);
  EXPECT_EQ(store_->run("long")->input_bytes, intent.input.size());
}

TEST_P(StoreContract, DefinitionsKeepEveryVersionAndNameOneCurrent) {
  const std::string one = store_->put_definition("refund", "model: a")->hash;
  clock_.ns += 1'000'000'000;
  const std::string two = store_->put_definition("refund", "model: b")->hash;
  EXPECT_EQ(one, sha256_hex("model: a"));
  EXPECT_EQ(store_->current_definition("refund")->hash, two);
  EXPECT_EQ(store_->definition("refund", one)->text, "model: a");
  EXPECT_FALSE(store_->definition("refund", one)->current);
  ASSERT_TRUE(store_->put_definition("refund", "model: a"));  // rolled back
  EXPECT_EQ(store_->current_definition("refund")->hash, one);
  EXPECT_EQ(store_->definitions()->size(), 1u);
  ASSERT_EQ(store_->definition_versions("refund")->size(), 2u);
  EXPECT_EQ(store_->definition_versions("refund")->front().hash, two);  // the newest text first
  EXPECT_EQ(store_->current_definition("none").error().code(), Code::kNotFound);
}

// Definitions are large: a page of their names is not a page of their texts.
TEST_P(StoreContract, AgentsAreListedInPagesOfBytes) {
  const std::string text(400'000, 'x');
  for (const char* name : {"a", "b", "c", "d", "e"}) ASSERT_TRUE(store_->put_definition(name, text + name));
  const auto names = [&](std::string_view after, std::uint32_t limit) {
    std::string out;
    for (const Definition& one : *store_->definitions(after, limit)) out += one.name;
    return out;
  };
  EXPECT_EQ(names("", 100), "abc");
  EXPECT_EQ(names("c", 100), "de");
  EXPECT_EQ(names("", 2), "ab");
  EXPECT_EQ(names("e", 2), "");
}

}  // namespace holdfast::platform
