// A snapshot is one moment of both files: what was committed before it is in the copy, what is committed
// while it is copied is not, and nobody writes while the moment lasts.

#include "platform_sqlite/snapshot.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "fixture/temporary_directory.h"
#include "os/clock.h"
#include "os/thread_executor.h"
#include "platform_sqlite/sqlite_store.h"

namespace holdfast::platform {
namespace {

class SnapshotTest : public ::testing::Test {
 protected:
  OpenStores open(const std::filesystem::path& directory) {
    SqliteOptions options;
    options.directory = directory;
    Result<OpenStores> opened = open_sqlite(options, clock_, random_, flusher_);
    EXPECT_TRUE(opened) << opened.error().to_string();
    return std::move(*opened);
  }
  static bool has_definition(Store& store, const std::string& name) {
    return store.current_definition(name).has_value();
  }
  static void write(OpenStores& stores, const std::string& name) {
    ASSERT_TRUE(stores.store->put_definition(name, "{}"));
    ASSERT_TRUE(stores.streams->publish("run", "said", "\"" + name + "\"", name));
  }

  fixture::TemporaryDirectory base_;
  os::SystemClock clock_;
  os::SystemRandom random_;
  os::ThreadExecutor flusher_{"flusher"};
};

TEST_F(SnapshotTest, HoldsWhatWasThereAndNothingThatCameLater) {
  OpenStores stores = open(base_ / "live");
  write(stores, "before");
  std::atomic<bool> written = false;
  std::thread writer;
  auto snapshot = stores.snapshots->take([&] {
    writer = std::thread([&] {
      write(stores, "during");
      written = true;
    });
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    EXPECT_FALSE(written) << "the moment lasts";
    return Status();
  });
  writer.join();
  ASSERT_TRUE(snapshot) << snapshot.error().to_string();
  write(stores, "after");
  std::filesystem::create_directory(base_ / "copy");
  auto names = (*snapshot)->copy_into(base_ / "copy", {});
  ASSERT_TRUE(names) << names.error().to_string();
  EXPECT_EQ(*names, (std::vector<std::string>{"platform.db", "streams.db"}));

  OpenStores copy = open(base_ / "copy");
  EXPECT_TRUE(has_definition(*copy.store, "before"));
  EXPECT_FALSE(has_definition(*copy.store, "during"));
  EXPECT_FALSE(has_definition(*copy.store, "after"));
  EXPECT_EQ(copy.streams->read("run", "", 10)->events.size(), 1U);
  EXPECT_EQ(stores.streams->read("run", "", 10)->events.size(), 3U);
}

TEST_F(SnapshotTest, AFailureMeanwhileIsItsFailureAndHoldsNobodyUp) {
  OpenStores stores = open(base_ / "live");
  auto snapshot = stores.snapshots->take([] { return Status(Code::kUnavailable, "no"); });
  ASSERT_FALSE(snapshot);
  EXPECT_EQ(snapshot.error().code(), Code::kUnavailable);
  write(stores, "after");
}

TEST_F(SnapshotTest, GivenUpIsCancelled) {
  OpenStores stores = open(base_ / "live");
  auto snapshot = stores.snapshots->take([] { return Status(); });
  ASSERT_TRUE(snapshot);
  std::filesystem::create_directory(base_ / "copy");
  EXPECT_EQ((*snapshot)->copy_into(base_ / "copy", [] { return true; }).error().code(), Code::kCancelled);
}

TEST_F(SnapshotTest, ACopyKnowsNoCursorOfItsOriginal) {
  std::string cursor;
  {
    OpenStores stores = open(base_ / "live");
    write(stores, "before");
    cursor = *stores.streams->end("run");
    ASSERT_TRUE(stores.streams->read("run", cursor, 10));
  }
  ASSERT_TRUE(renew_identity(base_ / "live", random_).ok());
  OpenStores copy = open(base_ / "live");
  EXPECT_NE(*copy.streams->end("run"), cursor);
  auto page = copy.streams->read("run", cursor, 10);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->events.size(), 1U) << "from the beginning again";
}

}  // namespace
}  // namespace holdfast::platform
