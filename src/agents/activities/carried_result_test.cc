// Goal: what a pure call came to arrives through the history as it was, counts as a call, and is told once
// for what it came to. Method: values, without a store.

#include "activities/carried_result.h"

#include <gtest/gtest.h>

#include "activities/activities.h"

namespace holdfast::agent {
namespace {

CarriedResult some() {
  CarriedResult out;
  out.record = tool_record("7 \"orders\"\n\xc3\xa9", false, Json{{"loaded", {"a"}}});
  out.step = 3;
  out.kind = "sql";
  out.tool = "lookup";
  out.agent = "orders";
  out.version = "v1";
  return out;
}

TEST(CarriedResult, ArrivesAsItWas) {
  const CarriedResult sent = some();
  const CarriedResult got = CarriedResult::read(sent.text());
  EXPECT_EQ(got.record, sent.record);
  EXPECT_EQ(got.step, 3u);
  EXPECT_EQ(got.event(), sent.event());
  EXPECT_EQ(got.event_key(), sent.event_key());
  EXPECT_ANY_THROW(CarriedResult::read("{}"));
  EXPECT_ANY_THROW(CarriedResult::read("half"));
}

TEST(CarriedResult, IsTheRecordOfItsCallAndCounts) {
  const platform::StepWrite write = some().step_write("run-1", "tool:k");
  EXPECT_EQ(write.key, "tool:k");
  EXPECT_EQ(write.run, "run-1");
  EXPECT_EQ(write.result, some().record);
  EXPECT_TRUE(write.messages.empty());
  ASSERT_EQ(write.usage.size(), 1u);
  EXPECT_EQ(write.usage[0].key, "tool:k");
  EXPECT_EQ(write.usage[0].tool, "lookup");
  EXPECT_EQ(write.usage[0].agent, "orders");
  EXPECT_EQ(write.usage[0].version, "v1");
}

TEST(CarriedResult, AnotherResultIsAnotherEvent) {
  CarriedResult other = some();
  other.record = tool_record("8", false);
  EXPECT_NE(other.event_key(), some().event_key());
  EXPECT_EQ(other.event()["result"], "8");
  EXPECT_EQ(other.event()["step"], 3);
  EXPECT_EQ(other.event()["kind"], "sql");
}

}  // namespace
}  // namespace holdfast::agent
