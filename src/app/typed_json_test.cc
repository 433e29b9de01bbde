#include "app/typed_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::app {
namespace {

using nlohmann::ordered_json;
using ::testing::HasSubstr;

TEST(TypedJson, IsJsonInItsOrderOrText) {
  EXPECT_EQ(json_or_text(R"({"z":1,"a":18446744073709551615})")->dump(), R"({"z":1,"a":18446744073709551615})");
  EXPECT_EQ(*json_or_text("7"), ordered_json(7));
  EXPECT_EQ(*json_or_text("order 7"), ordered_json("order 7"));
  EXPECT_EQ(*typed_input("7"), ordered_json("7"));
  EXPECT_EQ(*typed_input("[not json"), ordered_json("[not json"));
}

TEST(TypedJson, WhatWouldBeRoundedIsRefused) {
  for (const char* typed : {R"({"a":12345678901234567890123})", "[-9223372036854775809]"}) {
    const auto read = typed_input(typed);
    ASSERT_FALSE(read.has_value()) << typed;
    EXPECT_EQ(read.error().code(), Code::kInvalidArgument);
    EXPECT_THAT(read.error().message(), HasSubstr("more than 64 bits"));
  }
  EXPECT_FALSE(json_or_text("18446744073709551616").has_value());
}

TEST(TypedJson, OneOfTwoMembersOfANameIsNotLost) {
  const auto read = typed_input(R"({"a": {"b": 1, "b": 2}})");
  ASSERT_FALSE(read.has_value());
  EXPECT_THAT(read.error().message(), HasSubstr("member 'b' twice"));
}

}  // namespace
}  // namespace holdfast::app
