// Trace contexts: what a caller says is read strictly, and ids follow from the run alone.

#include "platform/trace_context.h"

#include <gtest/gtest.h>

namespace holdfast::platform {
namespace {

constexpr const char* kParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(TraceContext, IsReadAsItIsWritten) {
  const auto read = parse_trace(kParent, "vendor=1");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(read->parent_id, "00f067aa0ba902b7");
  EXPECT_TRUE(read->sampled);
  EXPECT_EQ(read->state, "vendor=1");
  EXPECT_EQ(read->traceparent("00f067aa0ba902b7"), kParent);
  const auto unsampled = parse_trace("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", "");
  ASSERT_TRUE(unsampled);
  EXPECT_FALSE(unsampled->sampled);
  // A later version may say more.
  EXPECT_TRUE(parse_trace("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what", ""));
}

TEST(TraceContext, WhatCannotBeUnderstoodBeginsNoTrace) {
  for (const char* wrong : {"", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
                            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
                            "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01"}) {
    EXPECT_FALSE(parse_trace(wrong, "")) << wrong;
  }
  EXPECT_EQ(parse_trace(kParent, std::string(2000, 'x'))->state, "");
  EXPECT_EQ(parse_trace(kParent, "a=\r\nb")->state, "");
}

TEST(TraceContext, StandsInTheSettings) {
  const auto read =
      trace_in(std::string(R"({"context":{"a":1},"trace":{"traceparent":")") + kParent + R"("}})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->parent_id, "00f067aa0ba902b7");
  EXPECT_FALSE(trace_in(""));
  EXPECT_FALSE(trace_in(R"({"context":{"trace":"no"}})"));
}

TEST(TraceContext, IdsAreThoseOfTheRun) {
  const std::string trace(32, 'a');
  EXPECT_EQ(run_span_id(trace, "r").size(), 16u);
  EXPECT_EQ(step_span_id(trace, "r", 1, 1), step_span_id(trace, "r", 1, 1));
  EXPECT_NE(step_span_id(trace, "r", 1, 1), step_span_id(trace, "r", 1, 2));
  EXPECT_NE(step_span_id(trace, "r", 1, 1), step_span_id(trace, "s", 1, 1));
  EXPECT_NE(run_span_id(trace, "r"), named_span_id(trace, "r", "approval"));
}

}  // namespace
}  // namespace holdfast::platform
