// RocksStore keeps what it acknowledged and refuses what it cannot keep.
//
// Method: a real store in a temporary directory; damage is done to its files between two opens, disk errors
// come from a file system put under RocksDB.

#include "store/rocks_store.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/file_system.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <random>
#include <thread>

#include "fixture/temporary_directory.h"
#include "store/keys.h"
#include "store/wal_check.h"

namespace holdfast::store {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RocksStoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<RocksStore> open() {
    auto store = RocksStore::open({.dir = dir_});
    EXPECT_TRUE(store.has_value()) << (store ? "" : store.error().to_string());
    return store ? std::move(*store) : nullptr;
  }

  void write(RocksStore& store, int from, int to) {
    for (int i = from; i < to; ++i) {
      WriteBatch batch;
      batch.put(key(i), std::string(100, static_cast<char>('a' + i % 26)));
      ASSERT_TRUE(store.commit(batch).ok());
    }
  }

  static std::string key(int i) { return "k" + std::to_string(1000 + i); }

  // The newest log with anything in it.
  fs::path log() const {
    fs::path found;
    for (const auto& entry : fs::directory_iterator(dir_)) {
      if (entry.path().extension() == ".log" && entry.file_size() > 0 && entry.path() > found)
        found = entry.path();
    }
    return found;
  }

  static std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void replace(const fs::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }

  Status open_error() {
    auto store = RocksStore::open({.dir = dir_});
    return store ? Status() : store.error();
  }

  fixture::TemporaryDirectory directory_;
  const std::string root_ = directory_.path();
  const std::string dir_ = root_ + "/data";
};

std::vector<std::string> keys(const RocksStore& store, std::string_view begin, std::string_view end,
                              bool reverse) {
  std::vector<std::string> found;
  const auto visit = [&](std::string_view key, std::string_view) {
    found.emplace_back(key);
    return found.size() < 3;
  };
  EXPECT_TRUE((reverse ? store.scan_reverse(begin, end, visit) : store.scan(begin, end, visit)).ok());
  return found;
}

TEST_F(RocksStoreTest, KeepsBatchesAcrossOpensAndReadsInOrder) {
  {
    auto store = open();
    WriteBatch batch;
    for (const char* k : {"a", "b", "c", "d", "e"}) batch.put(k, std::string("value of ") + k);
    batch.put("b", "newer");
    batch.erase("d");
    ASSERT_TRUE(store->commit(batch).ok());
  }
  auto store = open();
  EXPECT_EQ(store->get("b").value(), "newer");
  EXPECT_EQ(store->get("d").value(), std::nullopt);
  EXPECT_THAT(keys(*store, "a", "e", false), ElementsAre("a", "b", "c"));
  EXPECT_THAT(keys(*store, "c", "", false), ElementsAre("c", "e"));
  EXPECT_THAT(keys(*store, "", "e", true), ElementsAre("c", "b", "a"));
  EXPECT_THAT(keys(*store, "b", "", true), ElementsAre("e", "c", "b"));
}

TEST_F(RocksStoreTest, AFlippedBitInATableIsTheLossOfTheRowsBesideItAlone) {
  write(*open(), 0, 900);
  ASSERT_TRUE(open()->settle().ok());
  fs::path table;
  for (const auto& entry : fs::directory_iterator(dir_)) {
    if (entry.path().extension() == ".sst" && (table.empty() || entry.file_size() > fs::file_size(table)))
      table = entry.path();
  }
  ASSERT_FALSE(table.empty());
  std::fstream file(table, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(fs::file_size(table) / 4));
  const char byte = static_cast<char>(file.get() ^ 1);
  file.seekp(static_cast<std::streamoff>(fs::file_size(table) / 4));
  file.put(byte);
  file.close();
  auto store = open();
  int lost = 0;
  for (int i = 0; i < 900; ++i) {
    const auto value = store->get(key(i));
    if (value.has_value()) {
      ASSERT_TRUE(value->has_value());
      EXPECT_EQ(**value, std::string(100, static_cast<char>('a' + i % 26)));
    } else {
      EXPECT_EQ(value.error().code(), Code::kDataLoss);
      ++lost;
    }
  }
  EXPECT_GT(lost, 0);
  EXPECT_LT(lost, 900);
  write(*store, 900, 910);
}

TEST_F(RocksStoreTest, DamageThatACompactionMeetsStopsNoCommit) {
  write(*open(), 0, 900);
  ASSERT_TRUE(open()->settle().ok());
  for (const auto& entry : fs::directory_iterator(dir_)) {
    if (entry.path().extension() != ".sst") continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(entry.file_size() / 4));
    file.write("\xff\xfe\xfd", 3);
  }
  std::promise<std::string> told;
  auto store = RocksStore::open({.dir = dir_, .complain = [&](const std::string& m) { told.set_value(m); }});
  ASSERT_TRUE(store.has_value()) << store.error().to_string();
  // Four tables over the same keys are a reason to compact.
  for (int i = 0; i < 4; ++i) {
    write(**store, 0, 900);
    ASSERT_TRUE((*store)->settle().ok());
  }
  auto message = told.get_future();
  while (message.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) write(**store, 0, 1);
  EXPECT_THAT(message.get(), HasSubstr("Corruption"));
  write(**store, 900, 950);
  EXPECT_TRUE((*store)->get(key(949))->has_value());
}

TEST_F(RocksStoreTest, ACheckpointHoldsExactlyWhatWasCommittedBeforeIt) {
  auto store = open();
  write(*store, 0, 50);
  ASSERT_TRUE(store->settle().ok());
  write(*store, 50, 60);  // in the log only
  const std::string copy = dir_ + "-copy";
  ASSERT_TRUE(store->checkpoint(copy).ok());
  EXPECT_FALSE(store->checkpoint(copy).ok()) << "it is there";
  write(*store, 60, 70);
  auto other = RocksStore::open({.dir = copy});
  ASSERT_TRUE(other.has_value()) << other.error().to_string();
  int seen = 0;
  ASSERT_TRUE((*other)->scan({}, {}, [&](std::string_view, std::string_view) { return ++seen > 0; }).ok());
  EXPECT_EQ(seen, 60);
  write(**other, 80, 90);
  EXPECT_FALSE(store->get(key(80))->has_value());
  EXPECT_TRUE(store->get(key(69))->has_value());
  other->reset();
  fs::remove_all(copy);
}

TEST_F(RocksStoreTest, ACheckpointBesideCommitsIsAPrefixOfThem) {
  auto store = open();
  std::thread writer([&] { write(*store, 0, 400); });
  const std::string copy = dir_ + "-copy";
  ASSERT_TRUE(store->checkpoint(copy).ok());
  writer.join();
  auto other = RocksStore::open({.dir = copy});
  ASSERT_TRUE(other.has_value()) << other.error().to_string();
  int seen = 0;
  ASSERT_TRUE((*other)
                  ->scan({}, {},
                         [&](std::string_view at, std::string_view) {
                           EXPECT_EQ(at, key(seen));
                           return ++seen > 0;
                         })
                  .ok());
  other->reset();
  fs::remove_all(copy);
}

TEST_F(RocksStoreTest, ASecondServerIsToldWhoHoldsTheDirectory) {
  {
    auto store = open();
  }
  const fs::path lock = fs::path(dir_) / "LOCK";
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const int fd = ::open(lock.c_str(), O_RDWR);
    struct flock request{};
    request.l_type = F_WRLCK;
    request.l_whence = SEEK_SET;
    const char answer = ::fcntl(fd, F_SETLK, &request) == 0 ? '1' : '0';
    if (::write(ready[1], &answer, 1) == 1) ::pause();
    ::_exit(0);
  }
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  ASSERT_EQ(answer, '1');
  const Status status = open_error();
  EXPECT_EQ(status.code(), Code::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("process " + std::to_string(child)));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
  EXPECT_TRUE(open_error().ok());
}

TEST_F(RocksStoreTest, TheSameProcessCannotOpenItTwiceAndTheFirstKeepsItsLock) {
  auto store = open();
  EXPECT_EQ(open_error().code(), Code::kFailedPrecondition);
  EXPECT_EQ(open_error().code(), Code::kFailedPrecondition);
  write(*store, 0, 1);
}

TEST_F(RocksStoreTest, ATornTailIsForgottenAndEverythingBeforeItKept) {
  {
    auto store = open();
    write(*store, 0, 50);
  }
  const std::string bytes = read(log());
  replace(log(), bytes.substr(0, bytes.size() - 37));
  auto store = open();
  EXPECT_TRUE(store->get(key(48)).value().has_value());
  EXPECT_FALSE(store->get(key(49)).value().has_value());
}

TEST_F(RocksStoreTest, AFlippedBitInTheMiddleRefusesTheStartAndNamesThePlace) {
  {
    auto store = open();
    write(*store, 0, 50);
  }
  const fs::path path = log();
  const std::string bytes = read(path);
  std::string flipped = bytes;
  const std::size_t place = bytes.size() / 2;
  flipped[place] = static_cast<char>(flipped[place] ^ 1);
  replace(path, flipped);
  const Status status = open_error();
  EXPECT_EQ(status.code(), Code::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr(path.string()));
  EXPECT_THAT(status.message(), HasSubstr("offset "));
  EXPECT_EQ(read(path), flipped);  // nothing was changed
  replace(path, bytes);
  EXPECT_TRUE(open()->get(key(49)).value().has_value());
}

// Every byte of a log's middle, flipped alone: no start ever loses a record silently. A length that points
// past the end of the file looks like a torn tail to RocksDB.
TEST_F(RocksStoreTest, NoFlippedByteLosesARecordSilently) {
  {
    auto store = open();
    write(*store, 0, 6);
  }
  const fs::path path = log();
  const std::string bytes = read(path);
  for (std::size_t place = 0; place + 200 < bytes.size(); place += 3) {
    std::string flipped = bytes;
    flipped[place] = static_cast<char>(~flipped[place]);
    EXPECT_TRUE(find_bad_log_record(flipped).has_value()) << place;
  }
  for (const std::size_t place :
       {std::size_t{4}, std::size_t{5}, std::size_t{6}}) {  // length and type of record 0
    std::string flipped = bytes;
    flipped[place] = static_cast<char>(~flipped[place]);
    replace(path, flipped);
    EXPECT_EQ(open_error().code(), Code::kDataLoss) << place;
  }
  std::string zeroed = bytes;
  for (std::size_t i = 0; i < 64; ++i) zeroed[i] = '\0';
  replace(path, zeroed);
  EXPECT_EQ(open_error().code(), Code::kDataLoss);
}

TEST_F(RocksStoreTest, BadDirectoriesAreNamed) {
  EXPECT_EQ(RocksStore::open({.dir = root_ + "/none/data"}).error().code(), Code::kInvalidArgument);
  replace(root_ + "/file", "x");
  const Status status = RocksStore::open({.dir = root_ + "/file"}).error();
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("not a directory"));
  if (::geteuid() != 0) {
    fs::create_directory(dir_);
    fs::permissions(dir_, fs::perms::owner_read | fs::perms::owner_exec);
    EXPECT_EQ(open_error().code(), Code::kPermissionDenied);
    fs::permissions(dir_, fs::perms::owner_all);
  }
}

TEST_F(RocksStoreTest, RoomOfWhatWasDeletedIsGivenBack) {
  const auto bytes_on_disk = [this] {
    std::uintmax_t bytes = 0;
    for (const auto& entry : fs::directory_iterator(dir_)) bytes += entry.file_size();
    return bytes;
  };
  const auto store = open();
  std::string noise(4096, 'x');
  const auto row = [](int i) { return keys::execution_state("n", "w", std::to_string(i)); };
  for (int i = 0; i < 2000; ++i) {
    for (std::size_t at = 0; at < noise.size(); ++at) noise[at] = static_cast<char>(i * 7919 + at * at * 31);
    WriteBatch batch;
    batch.put(row(i), noise);
    ASSERT_TRUE(store->commit(batch).ok());
  }
  EXPECT_EQ(store->reclaim([] { return false; }), KvStore::Reclaimed::kNotWorthIt) << "nothing was deleted";
  const auto full = bytes_on_disk();
  WriteBatch batch;
  for (int i = 10; i < 2000; ++i) batch.erase(row(i));
  ASSERT_TRUE(store->commit(batch).ok());
  EXPECT_EQ(store->reclaim([] { return true; }), KvStore::Reclaimed::kStopped);
  EXPECT_EQ(store->reclaim([] { return false; }), KvStore::Reclaimed::kDone);
  EXPECT_LT(bytes_on_disk(), full / 4);
  EXPECT_TRUE(store->get(row(9))->has_value());
  EXPECT_FALSE(store->get(row(10))->has_value());
}

TEST_F(RocksStoreTest, LargeValuesHaveFilesOfTheirOwnWhichGoWithThem) {
  std::mt19937 dice(1);
  const auto blob_bytes = [this] {
    std::uintmax_t bytes = 0;
    for (const auto& entry : fs::directory_iterator(dir_)) {
      if (entry.path().extension() == ".blob") bytes += entry.file_size();
    }
    return bytes;
  };
  const auto row = [](int i) { return keys::large_piece({.epoch = 1, .number = i}, 0); };
  std::string noise(100'000, ' ');
  for (char& c : noise) c = static_cast<char>(dice());
  auto store = open();
  for (int i = 0; i < 100; ++i) {
    WriteBatch batch;
    batch.put(row(i), noise);
    batch.put(key(i), "small");
    ASSERT_TRUE(store->commit(batch).ok());
  }
  ASSERT_TRUE(store->settle().ok());
  EXPECT_GT(blob_bytes(), 90 * noise.size());
  const std::string copy = dir_ + "-copy";
  ASSERT_TRUE(store->checkpoint(copy).ok());
  WriteBatch batch;
  for (int i = 1; i < 100; ++i) batch.erase(row(i));
  ASSERT_TRUE(store->commit(batch).ok());
  EXPECT_EQ(store->reclaim([] { return false; }), KvStore::Reclaimed::kDone);
  EXPECT_LT(blob_bytes(), 5 * noise.size());
  EXPECT_EQ(*store->get(row(0)), noise);
  EXPECT_EQ(*store->get(key(99)), "small");
  auto copied = RocksStore::open({.dir = copy});
  ASSERT_TRUE(copied);
  EXPECT_EQ(*(*copied)->get(row(99)), noise);
  copied->reset();
  fs::remove_all(copy);
}

// Lets everything through until told to fail.
class FailingFs final : public rocksdb::FileSystemWrapper {
 public:
  enum class Fault { kNone, kFull, kSync };
  FailingFs() : rocksdb::FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "FailingFs"; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    std::unique_ptr<rocksdb::FSWritableFile> real;
    rocksdb::IOStatus status = target()->NewWritableFile(name, options, &real, debug);
    if (status.ok()) *file = std::make_unique<File>(*this, std::move(real));
    return status;
  }

  std::atomic<Fault> fault = Fault::kNone;

 private:
  class File final : public rocksdb::FSWritableFileOwnerWrapper {
   public:
    File(FailingFs& owner, std::unique_ptr<rocksdb::FSWritableFile> real)
        : FSWritableFileOwnerWrapper(std::move(real)), owner_(owner) {}
    using rocksdb::FSWritableFileOwnerWrapper::Append;
    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override {
      if (owner_.fault == Fault::kFull) return rocksdb::IOStatus::NoSpace("full");
      return FSWritableFileOwnerWrapper::Append(data, options, debug);
    }
    rocksdb::IOStatus Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
      if (owner_.fault == Fault::kSync) return rocksdb::IOStatus::IOError("Input/output error");
      return FSWritableFileOwnerWrapper::Sync(options, debug);
    }

   private:
    FailingFs& owner_;
  };
};

TEST_F(RocksStoreTest, AFailedSyncFailsTheCommitAndEveryLaterOne) {
  auto faults = std::make_shared<FailingFs>();
  {
    auto store = RocksStore::open({.dir = dir_, .file_system = faults}).value();
    write(*store, 0, 3);
    faults->fault = FailingFs::Fault::kSync;
    WriteBatch batch;
    batch.put("late", "x");
    EXPECT_EQ(store->commit(batch).code(), Code::kDataLoss);
    faults->fault = FailingFs::Fault::kNone;
    EXPECT_EQ(store->commit(batch).code(), Code::kDataLoss);
  }
  EXPECT_TRUE(open()->get(key(2)).value().has_value());
}

TEST_F(RocksStoreTest, AFullDiskIsSaidSoAndKeepsWhatWasAcknowledged) {
  auto faults = std::make_shared<FailingFs>();
  {
    auto store = RocksStore::open({.dir = dir_, .file_system = faults}).value();
    write(*store, 0, 3);
    faults->fault = FailingFs::Fault::kFull;
    WriteBatch batch;
    batch.put("late", "x");
    const Status status = store->commit(batch);
    EXPECT_EQ(status.code(), Code::kResourceExhausted);
    EXPECT_THAT(status.message(), HasSubstr("disk is full"));
  }
  auto store = open();
  EXPECT_TRUE(store->get(key(2)).value().has_value());
  EXPECT_FALSE(store->get("late").value().has_value());
}

}  // namespace
}  // namespace holdfast::store
