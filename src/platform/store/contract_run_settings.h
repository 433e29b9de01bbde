#pragma once

// The contract of settings of runs (platform/contract.h): they are there as soon as the run is, and part of
// what makes a request the same.

#include <gtest/gtest.h>

#include "platform/contract.h"

namespace holdfast::platform {

TEST_P(StoreContract, SettingsComeWithTheRunAndMakeTheRequestAnother) {
  StartIntent intent;
  intent.run = "bound";
  intent.agent = "a";
  intent.input = R"("x")";
  intent.settings = R"({"context":{"customer":42}})";
  ASSERT_TRUE(store_->start_run(intent)->created);
  EXPECT_EQ(*store_->run_settings("bound"), intent.settings);
  EXPECT_FALSE(store_->start_run(intent)->created);
  StartIntent other = intent;
  other.settings = R"({"context":{"customer":43}})";
  EXPECT_EQ(store_->start_run(other).error().code(), Code::kAlreadyExists);
  other.settings.clear();
  EXPECT_EQ(store_->start_run(other).error().code(), Code::kAlreadyExists);

  StartIntent plain;
  plain.run = "plain";
  plain.agent = "a";
  ASSERT_TRUE(store_->start_run(plain));
  EXPECT_EQ(*store_->run_settings("plain"), "");
  plain.settings = intent.settings;
  EXPECT_EQ(store_->start_run(plain).error().code(), Code::kAlreadyExists);
  EXPECT_EQ(*store_->run_settings("nobody"), "");
  close();
  open();
  EXPECT_EQ(*store_->run_settings("bound"), intent.settings);
}

}  // namespace holdfast::platform
