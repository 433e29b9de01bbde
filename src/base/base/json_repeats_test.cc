// What a reader of JSON would lose: one of two members of one name.

#include "base/json_repeats.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

TEST(RepeatedMember, IsFoundWhereverItIs) {
  EXPECT_EQ(repeated_member(R"({"a": 1, "a": 1})"), "a");
  EXPECT_EQ(repeated_member(R"([{"a": {"b": 1, "c": [], "b": null}}])"), "b");
  EXPECT_EQ(repeated_member(R"({"A": 1, "\u0041": 2})"), "A");
  EXPECT_EQ(repeated_member(R"({"": 1, "": 2})"), "");
}

TEST(RepeatedMember, OneNameInTwoObjectsIsNone) {
  for (const char* fine : {R"({"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]})", "{}", "[1, 1]", R"("a")", ""})
    EXPECT_FALSE(repeated_member(fine)) << fine;
}

TEST(RepeatedMember, WhatIsNoJsonIsForTheReader) {
  for (const char* broken : {"{", R"({"a")", R"({"a": 1, "b")", "nonsense"})
    EXPECT_FALSE(repeated_member(broken)) << broken;
}

}  // namespace
}  // namespace holdfast
