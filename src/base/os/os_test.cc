// The real seams keep the promises the simulated ones are held to: order of jobs, draining before the end.

#include <gtest/gtest.h>

#include <vector>

#include "os/clock.h"
#include "os/thread_executor.h"

namespace holdfast::os {
namespace {

TEST(ThreadExecutor, RunsJobsInOrderAndDrainsBeforeItEnds) {
  std::vector<int> seen;
  {
    ThreadExecutor executor("test");
    for (int i = 0; i < 100; ++i) executor.post([&seen, i] { seen.push_back(i); });
  }
  ASSERT_EQ(seen.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)], i);
}

TEST(SystemRandom, DoesNotRepeat) {
  SystemRandom random;
  EXPECT_NE(random.next(), random.next());
}

}  // namespace
}  // namespace holdfast::os
