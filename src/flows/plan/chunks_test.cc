// Goal: no other size of chunks is done sooner, nor as soon with fewer activities. Method: every size, by a
// simulation of the lanes that shares no code with the planner, on random maps.

#include "plan/chunks.h"

#include <gtest/gtest.h>

#include <queue>
#include <random>

namespace holdfast::flows {
namespace {

// `parallel` lanes, each takes the next chunk when it is free.
Micros simulated(std::size_t items, std::size_t each, std::size_t parallel, Micros takes, Micros activity) {
  std::priority_queue<Micros, std::vector<Micros>, std::greater<>> lanes;
  for (std::size_t i = 0; i < parallel; ++i) lanes.push(Micros(0));
  Micros end{0};
  for (std::size_t done = 0; done < items; done += each) {
    const std::size_t size = std::min(each, items - done);
    const Micros ended = lanes.top() + activity + takes * static_cast<long>(size);
    lanes.pop();
    lanes.push(ended);
    end = std::max(end, ended);
  }
  return end;
}

TEST(Chunks, NoOtherSizeIsBetter) {
  std::mt19937 random(7);
  for (int round = 0; round < 400; ++round) {
    const std::size_t items = 1 + random() % 300;
    const std::size_t parallel = 1 + random() % 12;
    const Micros takes(random() % 3 == 0 ? random() % 10 : random() % 4'000'000);
    Costs costs;
    costs.activity = Micros(random() % 100'000);
    const Chunks got = chunks_of(items, parallel, takes, costs);
    EXPECT_EQ(got.count, (items + got.each - 1) / got.each);
    EXPECT_EQ(got.total, simulated(items, got.each, parallel, takes, costs.activity));
    EXPECT_TRUE(got.each == 1 ||
                (got.each <= kMaxChunkItems && takes * static_cast<long>(got.each) <= kLongestChunk));
    for (std::size_t each = 1; each <= std::min(items, kMaxChunkItems); ++each) {
      if (each > 1 && takes * static_cast<long>(each) > kLongestChunk) break;
      const Micros total = simulated(items, each, parallel, takes, costs.activity);
      EXPECT_LE(got.total, total) << items << " items by " << each << " instead of " << got.each;
      if (total == got.total) EXPECT_LE(got.count, (items + each - 1) / each);
    }
  }
}

TEST(Chunks, FewItemsAreOneEachAndManyAreChunks) {
  const Costs costs;
  EXPECT_EQ(chunks_of(0, 8, Micros(1000), costs).count, 0U);
  EXPECT_EQ(chunks_of(8, 8, std::chrono::milliseconds(100), costs).each, 1U);
  EXPECT_EQ(chunks_of(3, 8, std::chrono::minutes(1), costs).each, 1U);
  const Chunks many = chunks_of(100'000, 8, std::chrono::milliseconds(1), costs);
  EXPECT_LE(many.count, 120U);
  EXPECT_GE(many.count, 100U);
  EXPECT_EQ(rounds_each(std::chrono::seconds(2)), 5U);
  EXPECT_EQ(rounds_each(std::chrono::hours(1)), 1U);
  EXPECT_EQ(rounds_each(Micros(0)), kMaxChunkItems);
}

}  // namespace
}  // namespace holdfast::flows
