// The budget of bytes: no limit is ever passed, nothing is lost, and an error names what is short.

#include "base/memory_budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace holdfast {
namespace {

using testing::HasSubstr;

TEST(MemoryBudget, AShareHasALimitAndDrawsOnItsParents) {
  MemoryBudget process("this process", 100);
  MemoryBudget bodies("request bodies", 80, &process);
  MemoryBudget polls("polls", 80, &process);
  HeldMemory body(bodies);
  ASSERT_TRUE(body.resize(70).ok());
  HeldMemory poll(polls);
  ASSERT_TRUE(poll.resize(30).ok());
  EXPECT_EQ(process.used(), 100U);

  const Status own = body.resize(81);
  EXPECT_EQ(own.code(), Code::kResourceExhausted);
  EXPECT_THAT(own.message(), HasSubstr("the memory for request bodies is used up (70 of 80 bytes, 11 more"));
  const Status shared = body.resize(71);
  EXPECT_THAT(shared.message(), HasSubstr("the memory for this process is used up"));
  EXPECT_EQ(body.bytes(), 70U);  // an error takes nothing
  EXPECT_EQ(bodies.used(), 70U);

  ASSERT_TRUE(poll.resize(10).ok());
  ASSERT_TRUE(body.resize(80).ok());
  HeldMemory moved = std::move(body);
  EXPECT_EQ(bodies.used(), 80U);
  moved = HeldMemory();
  EXPECT_EQ(bodies.used(), 0U);
  EXPECT_EQ(process.used(), 10U);
}

TEST(MemoryBudget, NoRaceTakesMoreThanThereIs) {
  MemoryBudget process("this process", 1000);
  std::vector<std::unique_ptr<MemoryBudget>> shares;
  for (int i = 0; i < 4; ++i) shares.push_back(std::make_unique<MemoryBudget>("a share", 600, &process));
  std::atomic<bool> passed = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      HeldMemory held(*shares[i]);
      for (std::size_t n = 0; n < 20'000; ++n) {
        (void)held.resize(n * 7 % 650);
        if (process.used() > 1000 || shares[i]->used() > 600) passed = true;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(passed);
  EXPECT_EQ(process.used(), 0U);
}

}  // namespace
}  // namespace holdfast
