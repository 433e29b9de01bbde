#include "platform/shown_text.h"

#include <gtest/gtest.h>

namespace holdfast::platform {
namespace {

Event delta(std::string data) {
  Event event;
  event.type = kDeltaEvent;
  event.data = std::move(data);
  return event;
}

TEST(ShownText, WhatWasGivenIsLeftOut) {
  ShownText given;
  given.give({"1", 2, 0, 4}, false);
  Event event = delta(R"({"step":"1","attempt":2,"offset":2,"text":"cdef"})");
  leave_out_given(event, *piece_of(event), given);
  EXPECT_EQ(event.data, R"({"step":"1","attempt":2,"offset":4,"text":"ef"})");
  event = delta(R"({"step":"1","attempt":2,"offset":0,"text":"abcdef"})");
  leave_out_given(event, *piece_of(event), given);
  EXPECT_EQ(event.data, R"({"step":"1","attempt":2,"offset":6,"text":""})");
}

TEST(ShownText, AnotherAttemptOrStepIsAnotherText) {
  ShownText given;
  given.give({"1", 1, 0, 4}, false);
  for (const char* data : {R"({"step":"1","attempt":2,"offset":0,"text":"abcd"})",
                           R"({"step":"2","attempt":1,"offset":0,"text":"abcd"})",
                           R"({"step":"3","attempt":1,"offset":0,"text":"","reset":true})"}) {
    Event event = delta(data);
    leave_out_given(event, *piece_of(event), given);
    EXPECT_EQ(event.data, data);
  }
  EXPECT_FALSE(given.goes_on_with({"1", 1, 4, 5})) << "the second attempt has taken its place";
  EXPECT_TRUE(given.goes_on_with({"1", 2, 4, 5}));
  EXPECT_FALSE(given.goes_on_with({"1", 2, 5, 6}));
  EXPECT_TRUE(given.goes_on_with({"3", 1, 0, 1}));
  EXPECT_FALSE(given.goes_on_with({"4", 1, 0, 1}));
}

TEST(ShownText, ALongRunForgetsWhatIsCommittedAndNothingElse) {
  ShownText given;
  given.give({"open", 1, 0, 4}, false);
  for (int step = 0; step < 1000; ++step) given.give({std::to_string(step), 1, 0, 1}, true);
  EXPECT_EQ(given.known({"open", 1, 0, 9}), 4u);
  EXPECT_EQ(given.known({"0", 1, 0, 1}), 0u);
  EXPECT_EQ(given.known({"999", 1, 0, 1}), 1u);
}

TEST(ShownText, OnlyADeltaHasAPiece) {
  Event event = delta("[]");
  EXPECT_FALSE(piece_of(event));
  event = delta("{}");
  event.type = "message";
  EXPECT_FALSE(piece_of(event));
}

}  // namespace
}  // namespace holdfast::platform
