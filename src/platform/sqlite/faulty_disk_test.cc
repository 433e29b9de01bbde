// A disk that is full, read-only, or fails to sync: the store says which, changes nothing, and works again
// when the disk does; a failed sync ends the process. The disk is SQLite's own VFS with three switches.

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <thread>

#include "base/storage_fault.h"
#include "fixture/temporary_directory.h"
#include "os/clock.h"
#include "os/thread_executor.h"
#include "platform_sqlite/schema.h"
#include "platform_sqlite/sqlite_store.h"
#include "sqlite/database.h"

namespace holdfast::platform {
namespace {

using ::testing::HasSubstr;

std::atomic<bool> disk_full = false;
std::atomic<bool> disk_read_only = false;
std::atomic<bool> sync_fails = false;
std::atomic<int> sync_takes_ms = 0;  // a slow disk
std::atomic<int> syncs = 0;

sqlite3_vfs* real_vfs() {
  static sqlite3_vfs* const vfs = sqlite3_vfs_find(nullptr);
  return vfs;
}

// The methods of a real file with two of them replaced; one table for each table that SQLite has.
struct Methods {
  sqlite3_io_methods replaced;
  const sqlite3_io_methods* real;
};
std::map<const sqlite3_io_methods*, Methods>& tables() {
  static std::map<const sqlite3_io_methods*, Methods> all;
  return all;
}
std::mutex& tables_mutex() {
  static std::mutex mutex;
  return mutex;
}

const sqlite3_io_methods* real_methods(sqlite3_file* file) {
  std::lock_guard lock(tables_mutex());
  for (auto& [real, methods] : tables()) {
    if (&methods.replaced == file->pMethods) return real;
  }
  return file->pMethods;
}

int write_or_fail(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  if (disk_full) return SQLITE_FULL;
  return real_methods(file)->xWrite(file, data, size, offset);
}

int sync_or_fail(sqlite3_file* file, int flags) {
  if (sync_fails) return SQLITE_IOERR_FSYNC;
  ++syncs;
  std::this_thread::sleep_for(std::chrono::milliseconds(sync_takes_ms.load()));
  return real_methods(file)->xSync(file, flags);
}

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  if (disk_read_only) flags = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
  const int code = real_vfs()->xOpen(real_vfs(), name, file, flags, out_flags);
  if (code != SQLITE_OK || file->pMethods == nullptr) return code;
  std::lock_guard lock(tables_mutex());
  Methods& methods = tables()[file->pMethods];
  methods.real = file->pMethods;
  methods.replaced = *file->pMethods;
  methods.replaced.xWrite = write_or_fail;
  methods.replaced.xSync = sync_or_fail;
  file->pMethods = &methods.replaced;
  return code;
}

const char* register_faulty_disk() {
  static sqlite3_vfs vfs = [] {
    sqlite3_vfs out = *real_vfs();
    out.zName = "faulty-disk";
    out.pNext = nullptr;
    out.xOpen = open_file;
    return out;
  }();
  static const int registered = sqlite3_vfs_register(&vfs, 0);
  EXPECT_EQ(registered, SQLITE_OK);
  return vfs.zName;
}

class FaultyDiskTest : public ::testing::Test {
 protected:
  FaultyDiskTest() { options_.vfs = register_faulty_disk(); }
  ~FaultyDiskTest() override {
    disk_full = disk_read_only = sync_fails = false;
    sync_takes_ms = 0;
  }

  Result<OpenStores> open() {
    options_.directory = directory_.path();
    return open_sqlite(options_, clock_, random_, flusher_);
  }

  fixture::TemporaryDirectory directory_;
  os::SystemClock clock_;
  os::SystemRandom random_;
  os::ThreadExecutor flusher_{"flusher"};
  SqliteOptions options_;
};

TEST_F(FaultyDiskTest, AFullDiskIsSaidAndNothingIsHalfDone) {
  OpenStores stores = std::move(*open());
  const Reference head = stores.store->append(Store::empty_conversation("c"), {"a"})->head;
  std::unique_ptr<StreamWriter> writer = std::move(*stores.streams->open("r", "s", 1));
  disk_full = true;
  Result<Appended> refused = stores.store->append(head, {"b"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(fault_of(refused.error()), StorageFault::kFull);
  EXPECT_EQ(refused.error().code(), Code::kResourceExhausted);
  EXPECT_THAT(refused.error().message(), HasSubstr("free some disk space"));
  EXPECT_EQ(*stores.store->head("c", 0), head);
  EXPECT_EQ(fault_of(stores.streams->publish("r", "x", "{}").error()), StorageFault::kFull);
  ASSERT_TRUE(writer->append("text").ok());  // waits for better times
  EXPECT_EQ(fault_of(writer->flush()), StorageFault::kFull);

  disk_full = false;
  EXPECT_EQ(stores.store->append(head, {"b"})->head.sequence, 2u);
  ASSERT_TRUE(writer->flush().ok());
  Result<ChunkPage> chunks = stores.streams->read_chunks("r", "s", 1, 0, 10);
  ASSERT_EQ(chunks->chunks.size(), 1u);
  EXPECT_EQ(chunks->chunks[0].text, "text");
  EXPECT_EQ(stores.streams->publish("r", "x", "{}")->seq, 3u);  // the refused event left no gap
}

TEST_F(FaultyDiskTest, ConcurrentWritersShareSyncs) {
  constexpr int kThreads = 8;
  constexpr int kWrites = 40;
  OpenStores stores = std::move(*open());
  sync_takes_ms = 1;
  const auto syncs_of = [&](auto write) {
    const int before = syncs;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&write, t] {
        for (int i = 0; i < kWrites; ++i) write(t, i);
      });
    }
    for (std::thread& thread : threads) thread.join();
    return syncs - before;
  };
  const int store_syncs = syncs_of([&](int t, int i) {
    EffectIntent intent;
    intent.key = std::to_string(t) + "/" + std::to_string(i);
    ASSERT_TRUE(stores.store->begin_effect(intent));
  });
  EXPECT_LT(store_syncs, kThreads * kWrites / 2);
  const int stream_syncs =
      syncs_of([&](int t, int) { ASSERT_TRUE(stores.streams->publish(std::to_string(t), "x", "{}")); });
  EXPECT_LT(stream_syncs, kThreads * kWrites / 2);
}

TEST_F(FaultyDiskTest, ManyDeltasShareASync) {
  OpenStores stores = std::move(*open());
  std::unique_ptr<StreamWriter> writer = std::move(*stores.streams->open("r", "s", 1));
  const int before = syncs;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 5000; ++i) ASSERT_TRUE(writer->append("token ").ok());
  ASSERT_TRUE(writer->flush().ok());
  const auto intervals = (std::chrono::steady_clock::now() - start) / kFlushInterval;
  EXPECT_LE(syncs - before, intervals + 2);  // one an interval, and the flush
  Result<ChunkPage> chunks = stores.streams->read_chunks("r", "s", 1, 0, 1000);
  EXPECT_EQ(chunks->offset, 5000u * 6);
}

TEST_F(FaultyDiskTest, AReadOnlyDirectoryIsSaid) {
  ASSERT_TRUE(open());
  disk_read_only = true;
  Result<OpenStores> stores = open();
  ASSERT_FALSE(stores);
  EXPECT_EQ(fault_of(stores.error()), StorageFault::kReadOnly);
  EXPECT_THAT(stores.error().message(), HasSubstr("writable"));
}

TEST_F(FaultyDiskTest, AFileOfANewerVersionIsRefusedAndLeftAlone) {
  ASSERT_TRUE(open());
  const auto with_version = [&](std::int64_t version) {
    sqlite::Database db;
    ASSERT_TRUE(db.open(directory_ / "platform.db").ok());
    ASSERT_TRUE(db.execute(("PRAGMA user_version=" + std::to_string(version)).c_str()).ok());
  };
  with_version(99);
  Result<OpenStores> stores = open();
  ASSERT_FALSE(stores);
  EXPECT_EQ(fault_of(stores.error()), StorageFault::kNewer);
  EXPECT_EQ(stores.error().code(), Code::kFailedPrecondition);
  EXPECT_THAT(stores.error().message(), HasSubstr("newer"));
  with_version(kStoreVersion);
  EXPECT_TRUE(open());
}

TEST_F(FaultyDiskTest, ADatabaseOfSomebodyElseIsRefusedAndLeftAlone) {
  const std::filesystem::path path = directory_.path() / "platform.db";
  {
    sqlite::Database db;
    ASSERT_TRUE(db.open(path, {.pragmas = "CREATE TABLE notes (text)"}).ok());
  }
  const auto bytes = [&] {
    std::ifstream in(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const std::string before = bytes();
  Result<OpenStores> stores = open();
  ASSERT_FALSE(stores);
  EXPECT_EQ(stores.error().code(), Code::kFailedPrecondition);
  EXPECT_THAT(stores.error().message(), HasSubstr("not a Holdfast"));
  EXPECT_TRUE(bytes() == before);
}

TEST_F(FaultyDiskTest, ADirectoryThatCannotBeMadeIsSaid) {
  SqliteOptions options;
  options.directory = "/proc/holdfast";
  Result<OpenStores> stores = open_sqlite(options, clock_, random_, flusher_);
  ASSERT_FALSE(stores);
  EXPECT_THAT(stores.error().message(), HasSubstr("/proc/holdfast"));
}

TEST_F(FaultyDiskTest, AFailedSyncEndsTheProcess) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        OpenStores stores = std::move(*open());
        sync_fails = true;
        (void)stores.store->append(Store::empty_conversation("c"), {"a"});
      },
      "sync of the platform store failed");
}

}  // namespace
}  // namespace holdfast::platform
