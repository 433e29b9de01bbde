#pragma once

// The contract of the record (platform/contract.h): who started a run, what is said with a step, and the end
// that certifies what was said are written with what they tell of, once.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/sha256.h"
#include "platform/audit_rules.h"
#include "platform/contract.h"
#include "platform/fork_store.h"

namespace holdfast::platform {

inline std::vector<std::string> actions_about(Store& store, std::string_view subject) {
  std::vector<std::string> out;
  for (const AuditRow& row : *store.audit_rows(subject, 100)) out.push_back(row.actor + " " + row.action);
  return out;
}

TEST_P(StoreContract, AStartIsInTheRecordOnceWithWhoMadeIt) {
  StartIntent intent;
  intent.run = "r-1";
  intent.agent = "refunds";
  intent.definition_hash = "v";
  intent.input = R"("7?")";
  intent.settings = R"({"context":{"a":1}})";
  intent.environment = "production";
  intent.started_by = "ada";
  ASSERT_TRUE(store_->start_run(intent)->created);
  intent.started_by = "bob";
  intent.environment = "";
  EXPECT_FALSE(store_->start_run(intent)->created) << "the label is no part of the request";
  close();
  open();
  EXPECT_THAT(actions_about(*store_, "r-1"), testing::ElementsAre("ada run.started"));
  EXPECT_EQ(store_->audit_rows("r-1", 1)->front().detail,
            R"({"agent":"refunds","conversation":"r-1","environment":"production","input_sha256":")" +
                sha256_hex(R"("7?")") + R"(","version":"v"})");
  EXPECT_EQ(*store_->run_settings("r-1"), R"({"context":{"a":1},"environment":"production"})");
  intent.run = "r-2";
  intent.agent = "";
  EXPECT_FALSE(store_->start_run(intent));
  EXPECT_TRUE(store_->audit_rows("r-2", 1)->empty());
}

TEST_P(StoreContract, WhatAStepSaysIsInTheRecordWhenItIsWritten) {
  StepWrite step;
  step.key = "message:1";
  step.run = "r-1";
  step.result = "{}";
  step.said = {rules::audit_of_message("r-1", "m", "ada", "stop")};
  ASSERT_TRUE(store_->commit_step(step));
  EXPECT_TRUE(store_->commit_step(step)->replayed);
  EXPECT_THAT(actions_about(*store_, "r-1"), testing::ElementsAre("ada run.message"));
  StepWrite fork;
  fork.key = "begin:fork";
  fork.run = "r-2";
  fork.expected = store_->append(Store::empty_conversation("c"), {"one", "two"})->head;
  fork.result = "{}";
  fork.said = {rules::audit_of_message("r-2", "m", "bob", "else")};
  ASSERT_TRUE(fork_store_of(*store_).commit_fork(fork));
  ASSERT_TRUE(fork_store_of(*store_).commit_fork(fork));
  EXPECT_THAT(actions_about(*store_, "r-2"), testing::ElementsAre("bob run.message"));
}

TEST_P(StoreContract, TheEndOfARunCertifiesWhatItSaid) {
  const auto commit = [&](std::string key, std::string run, const Reference& at,
                          std::vector<std::string> said) {
    clock_.ns += 1'000'000;
    StepWrite step;
    step.key = std::move(key);
    step.run = std::move(run);
    step.expected = at;
    step.messages = std::move(said);
    step.result = "{}";
    return store_->commit_step(step)->appended->head;
  };
  const Reference before = commit("a", "earlier", Store::empty_conversation("c"), {"1", "2"});
  const Reference begun = commit("b", "r-1", before, {"3", "4"});
  const Reference last = commit("c", "r-1", begun, {"5"});
  commit("d", "later", last, {"6"});
  Bill bill;
  bill.run = "r-1";
  bill.agent = "refunds";
  bill.version = "v";
  bill.status = "completed";
  ASSERT_TRUE(store_->write_bill(bill));
  bill.status = "failed";
  ASSERT_TRUE(store_->write_bill(bill));
  close();
  open();
  EXPECT_THAT(actions_about(*store_, "r-1"), testing::ElementsAre("agent:refunds run.ended"));
  const auto detail = parse_json<nlohmann::json>(store_->audit_rows("r-1", 1)->front().detail);
  EXPECT_EQ(detail.at("status"), "completed");
  EXPECT_EQ(detail.at("conversation"), "c");
  EXPECT_EQ(detail.at("first"), 3);
  EXPECT_EQ(detail.at("last"), 5);
  EXPECT_EQ(detail.at("sha256"), last.sha256);
  // One that was ended before it said anything.
  bill.run = "silent";
  ASSERT_TRUE(store_->write_bill(bill));
  EXPECT_FALSE(parse_json<nlohmann::json>(store_->audit_rows("silent", 1)->front().detail).contains("last"));
  // A fork that has added nothing yet begins behind where it stands.
  StepWrite fork;
  fork.key = "fork";
  fork.run = "r-2";
  fork.expected = begun;
  fork.result = "{}";
  ASSERT_TRUE(fork_store_of(*store_).commit_fork(fork));
  bill.run = "r-2";
  ASSERT_TRUE(store_->write_bill(bill));
  const auto forked = parse_json<nlohmann::json>(store_->audit_rows("r-2", 1)->front().detail);
  EXPECT_EQ(forked.at("branch"), 1);
  EXPECT_EQ(forked.at("first"), 5);
  EXPECT_EQ(forked.at("last"), 4);
}

}  // namespace holdfast::platform
