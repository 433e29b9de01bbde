// Which directories open: one process at a time, and files that are ours and whole.

#include <gmock/gmock.h>

#include <fstream>

#include "base/storage_fault.h"
#include "fixture/counting_random.h"
#include "fixture/manual_clock.h"
#include "fixture/temporary_directory.h"
#include "os/thread_executor.h"
#include "platform_sqlite/sqlite_store.h"

namespace holdfast::platform {
namespace {

class OpenTest : public ::testing::Test {
 protected:
  Result<OpenStores> open() {
    SqliteOptions options;
    options.directory = directory_.path();
    return open_sqlite(options, clock_, random_, flusher_);
  }

  fixture::TemporaryDirectory directory_;
  fixture::ManualClock clock_;
  fixture::CountingRandom random_;
  os::ThreadExecutor flusher_{"flusher"};
};

TEST_F(OpenTest, ASecondOpenerIsToldThatTheDirectoryIsInUse) {
  Result<OpenStores> first = open();
  ASSERT_TRUE(first);
  Result<OpenStores> second = open();
  ASSERT_FALSE(second);
  EXPECT_EQ(fault_of(second.error()), StorageFault::kLocked);
  EXPECT_THAT(second.error().message(), ::testing::HasSubstr(directory_.path().string()));
}

TEST_F(OpenTest, AFileThatIsNotOursIsRefused) {
  ASSERT_TRUE(open());
  std::filesystem::remove(directory_ / "platform.db-wal");
  std::ofstream(directory_ / "platform.db", std::ios::trunc) << std::string(4096, 'x');
  Result<OpenStores> opened = open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(fault_of(opened.error()), StorageFault::kCorrupt);
}

}  // namespace
}  // namespace holdfast::platform
