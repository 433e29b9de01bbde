#pragma once

// The contract of runs that wait and of runs that take up others (platform/contract.h): the last word about a
// run counts, and what a run takes up never changes.

#include <gtest/gtest.h>

#include <string>

#include "platform/contract.h"

namespace holdfast::platform {

inline HeldRun held(std::string run, protocol::HoldKind kind) {
  HeldRun out;
  out.run = std::move(run);
  out.kind = kind;
  out.reason = "why";
  out.by = "ada";
  out.at = WallTime(std::chrono::seconds(5));
  return out;
}

TEST_P(StoreContract, AHeldRunIsListedUntilItIsReleased) {
  using protocol::HoldKind;
  ASSERT_TRUE(store_->hold_run(held("b", HoldKind::kPaused)).ok());
  ASSERT_TRUE(store_->hold_run(held("a", HoldKind::kPaused)).ok());
  ASSERT_TRUE(store_->hold_run(held("c", HoldKind::kPaused)).ok());
  HeldRun parked = held("b", HoldKind::kParked);  // the last word
  parked.detail = "no key";
  ASSERT_TRUE(store_->hold_run(parked).ok());
  close();
  open();
  HeldFilter filter;
  filter.limit = 1;
  auto first = store_->held_runs(filter);
  ASSERT_TRUE(first);
  ASSERT_EQ(first->size(), 1u);
  EXPECT_EQ(first->front().run, "a");
  filter.after = "a";
  auto second = store_->held_runs(filter);
  ASSERT_EQ(second->size(), 1u);
  EXPECT_EQ(second->front().run, "c");
  EXPECT_EQ(second->front().by, "ada");
  EXPECT_EQ(second->front().at, WallTime(std::chrono::seconds(5)));
  auto one = store_->held_run("b");
  ASSERT_TRUE(one && *one);
  EXPECT_EQ((*one)->kind, HoldKind::kParked);
  EXPECT_EQ((*one)->detail, "no key");
  ASSERT_TRUE(store_->release_run("b").ok());
  ASSERT_TRUE(store_->release_run("b").ok());
  EXPECT_FALSE(store_->held_run("b")->has_value());
}

TEST_P(StoreContract, WhatARunTakesUpNeverChanges) {
  EXPECT_FALSE(store_->origin("r2")->has_value());
  Origin origin;
  origin.run = "r2";
  origin.origin = "r1";
  origin.state = R"({"conversation":{}})";
  origin.by = "ada";
  ASSERT_TRUE(store_->put_origin(origin));
  origin.origin = "r0";
  auto again = store_->put_origin(origin);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->origin, "r1");
  close();
  open();
  auto stored = store_->origin("r2");
  ASSERT_TRUE(stored && *stored);
  EXPECT_EQ((*stored)->origin, "r1");
  EXPECT_EQ((*stored)->state, R"({"conversation":{}})");
  EXPECT_EQ((*stored)->by, "ada");
}

}  // namespace holdfast::platform
