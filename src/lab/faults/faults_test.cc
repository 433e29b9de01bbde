// The fault layers lose exactly what was not synced, and nothing else changes for the databases above them.
//
// Method: the real directory at a moment is what a power cut would leave; it is copied in the middle of work
// and opened without the layer.

#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <filesystem>
#include <memory>
#include <string>

#include "faults/unsynced_loss_fs.h"
#include "faults/unsynced_loss_vfs.h"
#include "fixture/temporary_directory.h"
#include "sqlite/database.h"

namespace holdfast::faults {
namespace {

namespace fs = std::filesystem;

class FaultsTest : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directory(root_ + "/live"); }

  // What the disk holds if the power goes now.
  std::string cut() {
    const std::string copy = root_ + "/cut" + std::to_string(++cuts_);
    fs::copy(root_ + "/live", copy, fs::copy_options::recursive);
    return copy;
  }

  fixture::TemporaryDirectory directory_;
  const std::string root_ = directory_.path();
  int cuts_ = 0;
};

rocksdb::Options options_with(rocksdb::Env* env) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  if (env != nullptr) options.env = env;
  return options;
}

std::unique_ptr<rocksdb::DB> open_rocks(const std::string& dir, rocksdb::Env* env = nullptr) {
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options_with(env), dir, &db);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return std::unique_ptr<rocksdb::DB>(db);
}

void put(rocksdb::DB& db, const std::string& key, bool sync) {
  rocksdb::WriteOptions write;
  write.sync = sync;
  ASSERT_TRUE(db.Put(write, key, std::string(200, 'v')).ok());
}

bool has(rocksdb::DB& db, const std::string& key) {
  std::string value;
  return db.Get(rocksdb::ReadOptions(), key, &value).ok();
}

TEST_F(FaultsTest, RocksLosesUnsyncedWritesAndKeepsSyncedOnes) {
  const auto env = rocksdb::NewCompositeEnv(make_unsynced_loss_fs());
  auto db = open_rocks(root_ + "/live", env.get());
  put(*db, "synced", true);
  put(*db, "unsynced", false);
  EXPECT_TRUE(has(*db, "unsynced"));
  const std::string at_cut = cut();
  put(*db, "later", true);
  const std::string after_sync = cut();

  auto cut_db = open_rocks(at_cut);
  EXPECT_TRUE(has(*cut_db, "synced"));
  EXPECT_FALSE(has(*cut_db, "unsynced"));
  auto later_db = open_rocks(after_sync);
  EXPECT_TRUE(has(*later_db, "unsynced"));
  EXPECT_TRUE(has(*later_db, "later"));
}

TEST_F(FaultsTest, WithoutTheLayerUnsyncedWritesSurvive) {
  auto db = open_rocks(root_ + "/live");
  put(*db, "unsynced", false);
  auto cut_db = open_rocks(cut());
  EXPECT_TRUE(has(*cut_db, "unsynced"));
}

// Tables, manifests and renamed CURRENT files take the same way as logs; a cut at any of many moments opens.
TEST_F(FaultsTest, RocksSurvivesFlushesCompactionsAndReopensOnTheLayer) {
  for (const std::uint64_t seed : {0ull, 7ull}) {
    fs::remove_all(root_ + "/live");
    fs::create_directory(root_ + "/live");
    int written = 0;
    for (int opening = 0; opening < 4; ++opening) {
      const auto env = rocksdb::NewCompositeEnv(make_unsynced_loss_fs({.early_writeback_seed = seed}));
      auto db = open_rocks(root_ + "/live", env.get());
      for (int i = 0; i < written; ++i) ASSERT_TRUE(has(*db, "k" + std::to_string(i)));
      for (int round = 0; round < 5; ++round) {
        for (int i = 0; i < 20; ++i) put(*db, "k" + std::to_string(written++), true);
        put(*db, "u" + std::to_string(written), false);
        if (round % 2 == 1) ASSERT_TRUE(db->Flush(rocksdb::FlushOptions()).ok());
        if (round == 3) ASSERT_TRUE(db->CompactRange(rocksdb::CompactRangeOptions(), nullptr, nullptr).ok());
        auto cut_db = open_rocks(cut());
        for (int i = 0; i < written; ++i)
          ASSERT_TRUE(has(*cut_db, "k" + std::to_string(i))) << i << " seed " << seed;
      }
    }
  }
}

TEST_F(FaultsTest, ANewNameIsGoneUntilItsDirectoryIsSynced) {
  const auto layer = make_unsynced_loss_fs();
  const std::string live = root_ + "/live";
  const rocksdb::IOOptions io;
  std::unique_ptr<rocksdb::FSWritableFile> file;
  ASSERT_TRUE(layer->NewWritableFile(live + "/new", rocksdb::FileOptions(), &file, nullptr).ok());
  ASSERT_TRUE(file->Append("bytes", io, nullptr).ok());
  ASSERT_TRUE(file->Sync(io, nullptr).ok());
  EXPECT_TRUE(layer->FileExists(live + "/new", io, nullptr).ok());
  EXPECT_FALSE(fs::exists(live + "/new"));
  ASSERT_TRUE(layer->RenameFile(live + "/new", live + "/renamed", io, nullptr).ok());
  std::unique_ptr<rocksdb::FSDirectory> dir;
  ASSERT_TRUE(layer->NewDirectory(live, io, &dir, nullptr).ok());
  ASSERT_TRUE(dir->Fsync(io, nullptr).ok());
  EXPECT_TRUE(fs::exists(live + "/renamed"));
  EXPECT_FALSE(fs::exists(live + "/new"));
  ASSERT_TRUE(layer->DeleteFile(live + "/renamed", io, nullptr).ok());
  EXPECT_TRUE(layer->DeleteFile(live + "/renamed", io, nullptr).IsPathNotFound());
  EXPECT_TRUE(layer->DeleteFile(live + "/never", io, nullptr).IsPathNotFound());
  EXPECT_FALSE(layer->FileExists(live + "/renamed", io, nullptr).ok());
  EXPECT_TRUE(fs::exists(live + "/renamed"));
}

std::unique_ptr<sqlite::Database> open_sqlite(const std::string& path, const std::string& vfs) {
  auto db = std::make_unique<sqlite::Database>();
  const Status opened = db->open(path, {.vfs = vfs});
  EXPECT_TRUE(opened.ok()) << opened.to_string();
  return db;
}

void run(sqlite::Database& db, const std::string& sql) {
  const Status status = db.execute(sql.c_str());
  ASSERT_TRUE(status.ok()) << status.to_string();
}

std::int64_t count(sqlite::Database& db) {
  const Result<std::int64_t> rows = db.number("SELECT count(*) FROM t");
  return rows ? *rows : -1;
}

TEST_F(FaultsTest, SqliteLosesUnsyncedTransactionsAndKeepsSyncedOnes) {
  const std::string path = root_ + "/live/x.db";
  auto db = open_sqlite(path, register_unsynced_loss_vfs());
  run(*db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t(x); INSERT INTO t VALUES(1);");
  run(*db, "PRAGMA synchronous=OFF; INSERT INTO t VALUES(2);");
  EXPECT_EQ(count(*db), 2);
  EXPECT_EQ(count(*open_sqlite(path, register_unsynced_loss_vfs())),
            2);  // another connection of the process sees it
  const std::string at_cut = cut();
  run(*db, "PRAGMA synchronous=FULL; INSERT INTO t VALUES(3);");
  const std::string after_sync = cut();
  EXPECT_EQ(count(*open_sqlite(at_cut + "/x.db", "")), 1);
  EXPECT_EQ(count(*open_sqlite(after_sync + "/x.db", "")), 3);
}

TEST_F(FaultsTest, SqliteWithARollbackJournalAndCheckpointsKeepsEveryCommit) {
  for (const char* mode : {"WAL", "DELETE"}) {
    const std::string path = root_ + "/live/" + mode + ".db";
    auto db = open_sqlite(path, register_unsynced_loss_vfs());
    run(*db, std::string("PRAGMA journal_mode=") + mode + "; PRAGMA synchronous=FULL; CREATE TABLE t(x, y);");
    for (int i = 1; i <= 30; ++i) {
      run(*db, "INSERT INTO t VALUES(" + std::to_string(i) + ", zeroblob(3000))");
      if (i % 10 == 0) run(*db, "DELETE FROM t WHERE x < 0; PRAGMA wal_checkpoint(TRUNCATE); VACUUM;");
      EXPECT_EQ(count(*open_sqlite(cut() + "/" + mode + ".db", "")), i) << mode;
    }
  }
}

}  // namespace
}  // namespace holdfast::faults
