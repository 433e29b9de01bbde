// --memory: sizes as people write them, a default that fits the machine, and shares that together are less
// than the whole.

#include "app/memory_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::app {
namespace {

using testing::HasSubstr;

constexpr std::size_t kMiB = 1 << 20;
constexpr std::size_t kGiB = 1 << 30;

TEST(MemoryPlan, ReadsSizesAsPeopleWriteThem) {
  EXPECT_EQ(*parse_memory("512MiB"), 512 * kMiB);
  EXPECT_EQ(*parse_memory("512m"), 512 * kMiB);
  EXPECT_EQ(*parse_memory("2GB"), 2 * kGiB);
  EXPECT_EQ(*parse_memory("262144k"), 256 * kMiB);
  EXPECT_EQ(*parse_memory("1073741824"), kGiB);
}

TEST(MemoryPlan, SaysWhatIsWrongWithASize) {
  for (const char* text : {"", "MiB", "much", "-512MiB", "1.5GiB", "512 MiB", "512TiB", "0x20000000"}) {
    const auto bytes = parse_memory(text);
    ASSERT_FALSE(bytes) << text;
    EXPECT_EQ(bytes.error().code(), Code::kInvalidArgument);
    EXPECT_THAT(bytes.error().message(), HasSubstr("no size of memory"));
  }
  EXPECT_THAT(parse_memory("255MiB").error().message(), HasSubstr("at least 256 MiB"));
  EXPECT_THAT(parse_memory("99999999999GiB").error().message(), HasSubstr("more memory than there can be"));
  EXPECT_FALSE(parse_memory("99999999999999999999999"));
}

TEST(MemoryPlan, UnaskedItIsAQuarterOfTheMachineWithinReason) {
  EXPECT_EQ(MemoryPlan::of(std::nullopt, 8 * kGiB).total, 2 * kGiB);
  EXPECT_EQ(MemoryPlan::of(std::nullopt, 64 * kGiB).total, 4 * kGiB);
  EXPECT_EQ(MemoryPlan::of(std::nullopt, 256 * kMiB).total, 256 * kMiB);
  EXPECT_EQ(MemoryPlan::of(6 * kGiB, 8 * kGiB).total, 6 * kGiB);
  EXPECT_GT(machine_memory(), 0U);
}

TEST(MemoryPlan, SharesAreLessThanTheWhole) {
  for (const std::size_t total : {256 * kMiB, 512 * kMiB, 4 * kGiB}) {
    const MemoryPlan plan = MemoryPlan::of(total, 8 * kGiB);
    EXPECT_LE(plan.http_connections * 32 * 1024, plan.total / 2);
    EXPECT_LT(plan.http + plan.grpc + plan.inbox + plan.executions + plan.waiting + plan.sql +
                  plan.block_cache + 3 * plan.write_buffer,
              total);
    // A request of the largest size fits, as bytes and as a message.
    EXPECT_GE(plan.grpc, 48 * kMiB);
    // So does an evaluation within the limits that nobody changed.
    EXPECT_GE(plan.sandbox, 20 * kMiB);
  }
}

}  // namespace
}  // namespace holdfast::app
