// The real seams keep the promises the simulated ones are held to: order of jobs, draining before the end.

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <future>
#include <memory>
#include <new>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "base/work_pool.h"
#include "os/clock.h"
#include "os/spare_memory.h"
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

// Whatever a job throws, the next one runs.
TEST(ThreadExecutor, AJobThatThrowsEndsAlone) {
  ::testing::internal::CaptureStderr();
  std::vector<int> seen;
  auto owned = std::make_shared<int>(1);
  {
    ThreadExecutor executor("throwing");
    executor.post([owned] { throw std::runtime_error("the third wheel"); });
    executor.post([] { throw 7; });
    executor.post([&] { seen.push_back(1); });
  }
  EXPECT_EQ(seen.size(), 1u);
  EXPECT_EQ(owned.use_count(), 1) << "what it owned is gone with it";
  const std::string told = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(told.find("a job of throwing failed: the third wheel"), std::string::npos) << told;
  EXPECT_NE(told.find("no std::exception"), std::string::npos) << told;
}

// ThreadSanitizer sees it where the poster is late.
TEST(ThreadExecutor, MayGoAsSoonAsItsLastJobHasSaidSo) {
  ThreadExecutor poster("poster");
  for (int i = 0; i < 200; ++i) {
    std::promise<void> ran;
    auto executor = std::make_unique<ThreadExecutor>("short");
    poster.post([&executor = *executor, &ran] { executor.post([&ran] { ran.set_value(); }); });
    ran.get_future().wait();
    executor.reset();
  }
}

TEST(WorkPool, AJobThatThrowsEndsAlone) {
  ::testing::internal::CaptureStderr();
  std::atomic<int> ran = 0;
  {
    std::vector<std::unique_ptr<Executor>> workers;
    for (int i = 0; i < 2; ++i) workers.push_back(std::make_unique<ThreadExecutor>("pool"));
    WorkPool pool(std::move(workers));
    for (int i = 0; i < 50; ++i) {
      pool.post([] { throw std::bad_alloc(); });
      pool.post([&] { ++ran; });
    }
  }
  EXPECT_EQ(ran, 50) << "each worker comes back for the next one";
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("a job of a work pool failed"), std::string::npos);
}

// One job holds a worker for good; all others run, and in the order in which they came when there is one
// worker left.
TEST(WorkPool, ASlowJobHoldsUpNobody) {
  std::promise<void> release;
  std::vector<int> seen;
  std::promise<void> done;
  {
    std::vector<std::unique_ptr<Executor>> workers;
    for (int i = 0; i < 2; ++i) workers.push_back(std::make_unique<ThreadExecutor>("pool"));
    WorkPool pool(std::move(workers));
    std::promise<void> begun;
    pool.post([&] {
      begun.set_value();
      release.get_future().wait();
    });
    begun.get_future().wait();
    for (int i = 0; i < 100; ++i) {
      pool.post([&, i] {
        seen.push_back(i);
        if (i == 99) done.set_value();
      });
    }
    done.get_future().wait();
    release.set_value();
  }
  std::vector<int> expected(100);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(seen, expected);
}

TEST(WorkPool, RunsWhatIsQueuedBeforeItEnds) {
  std::atomic<int> ran = 0;
  {
    std::vector<std::unique_ptr<Executor>> workers;
    for (int i = 0; i < 3; ++i) workers.push_back(std::make_unique<ThreadExecutor>("pool"));
    WorkPool pool(std::move(workers));
    for (int i = 0; i < 200; ++i) {
      pool.post([&] {
        ++ran;
        pool.post([&] { ++ran; });
      });
    }
  }
  EXPECT_EQ(ran, 400);
}

TEST(SpareMemory, WhatNobodyTakesIsNotKept) {
  SpareLooks looks;
  for (std::size_t i = 1; i < SpareLooks::kLooks; ++i) EXPECT_EQ(looks.keep(100), 100u) << "too early to say";
  EXPECT_EQ(looks.keep(100), 0u);
  EXPECT_EQ(looks.keep(0), 0u);
}

TEST(SpareMemory, WhatIsTakenNowAndThenIsKept) {
  SpareLooks looks;
  for (std::size_t i = 0; i < 10 * SpareLooks::kLooks; ++i) {
    const std::size_t spare = i % SpareLooks::kLooks == 0 ? 30 : 100;  // 70 are taken, and freed again
    EXPECT_EQ(looks.keep(spare), i + 1 < SpareLooks::kLooks ? spare : spare - 30);
  }
}

// The sanitizers' allocators have no such pages.
#if !defined(__SANITIZE_ADDRESS__) && !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
std::size_t resident_bytes() {
  std::size_t all = 0;
  std::size_t resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * 4096;
}

TEST(SpareMemory, GoesBackToTheMachine) {
  constexpr std::size_t kBlockBytes = 1 << 20;
  constexpr std::size_t kBlocks = 128;
  (void)give_back_spare_memory(0, std::size_t{1} << 30);  // of the tests before this one
  const std::size_t before = resident_bytes();
  {
    std::vector<std::vector<char>> blocks;
    for (std::size_t i = 0; i < kBlocks; ++i) blocks.emplace_back(kBlockBytes, 'x');
    EXPECT_GT(resident_bytes(), before + kBlocks * kBlockBytes / 2);
    EXPECT_LT(give_back_spare_memory(0, kBlocks * kBlockBytes), kBlocks * kBlockBytes / 2);
  }
  while (give_back_spare_memory(kBlockBytes, 8 * kBlockBytes) > 0) EXPECT_GT(resident_bytes(), before);
  EXPECT_LT(resident_bytes(), before + kBlocks * kBlockBytes / 2);
}
#endif

TEST(SystemRandom, DoesNotRepeat) {
  SystemRandom random;
  EXPECT_NE(random.next(), random.next());
}

}  // namespace
}  // namespace holdfast::os
