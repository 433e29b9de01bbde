// A backup gives back both stores, and whatever is wrong with it is found before a server could start on what
// was made of it. Real stores; the control socket is asked as the command asks it.

#include "app/backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <thread>

#include "app/backup_commands.h"
#include "app/control_socket.h"
#include "app/data_directory.h"
#include "app/restore.h"
#include "fixture/temporary_directory.h"
#include "os/clock.h"
#include "os/thread_executor.h"
#include "platform_sqlite/sqlite_store.h"
#include "store/rocks_store.h"

namespace holdfast::app {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class BackupTest : public testing::Test {
 protected:
  struct Open {
    DataDirectory data;
    std::unique_ptr<store::RocksStore> engine;
    platform::OpenStores stores;
  };
  Open open(const fs::path& path) {
    auto data = DataDirectory::open(path);
    EXPECT_TRUE(data) << data.error().message();
    auto engine = store::RocksStore::open({.dir = data->engine_path()});
    EXPECT_TRUE(engine) << engine.error().message();
    platform::SqliteOptions options;
    options.directory = data->platform_path();
    auto stores = platform::open_sqlite(options, clock_, random_, flusher_);
    EXPECT_TRUE(stores) << stores.error().message();
    return {*std::move(data), *std::move(engine), *std::move(stores)};
  }
  BackupSources sources(Open& from) {
    return {.engine = from.engine.get(),
            .platform = from.stores.snapshots.get(),
            .data = from.data.path(),
            .scratch = from.data.checkpoint_path(),
            .clock = &clock_};
  }
  void make_backup() {
    Open live = open(base_ / "live");
    store::WriteBatch batch;
    for (int i = 0; i < 500; ++i) batch.put("k" + std::to_string(i), std::string(200, 'x'));
    ASSERT_TRUE(live.engine->commit(batch).ok());
    ASSERT_TRUE(live.stores.store->put_definition("refunds", "{}"));
    auto taken = take_backup(sources(live), backup_, {});
    ASSERT_TRUE(taken) << taken.error().message();
    EXPECT_FALSE(fs::exists(live.data.checkpoint_path()));
  }
  Status restored() {
    auto manifest = restore_backup(backup_, copy_, clock_, random_);
    return manifest ? Status() : manifest.error();
  }

  fixture::TemporaryDirectory base_;
  const fs::path backup_ = base_ / "backup";
  const fs::path copy_ = base_ / "copy";
  os::SystemClock clock_;
  os::SystemRandom random_;
  os::ThreadExecutor flusher_{"flusher"};
};

TEST_F(BackupTest, GivesBackBothStores) {
  make_backup();
  const Status status = restored();
  ASSERT_TRUE(status.ok()) << status.message();
  Open copy = open(copy_);
  EXPECT_TRUE(copy.engine->get("k499")->has_value());
  EXPECT_TRUE(copy.stores.store->current_definition("refunds"));
  EXPECT_EQ(restored().code(), Code::kFailedPrecondition) << "there is something now";
}

TEST_F(BackupTest, WithoutAnEngineThePlatformStoreAlone) {
  {
    Open live = open(base_ / "live");
    ASSERT_TRUE(live.stores.store->put_definition("refunds", "{}"));
    BackupSources platform = sources(live);
    platform.engine = nullptr;
    auto taken = take_backup(platform, backup_, {});
    ASSERT_TRUE(taken) << taken.error().message();
    EXPECT_FALSE(taken->engine);
    EXPECT_EQ(taken->files.size(), 2U);
  }
  const Status status = restored();
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_FALSE(fs::exists(copy_ / "engine"));
  EXPECT_TRUE(open(copy_).stores.store->current_definition("refunds"));
}

TEST_F(BackupTest, RestoresIntoAFolderThatIsThereAndEmpty) {
  make_backup();
  fs::create_directory(copy_);
  const Status status = restored();
  ASSERT_TRUE(status.ok()) << status.message();
  struct stat found{};
  for (const auto& entry : fs::recursive_directory_iterator(copy_)) {
    ASSERT_EQ(::lstat(entry.path().c_str(), &found), 0);
    if (entry.path().parent_path() != copy_ / "engine") EXPECT_EQ(found.st_mode & 022, 0U) << entry.path();
  }
  ASSERT_EQ(::lstat(copy_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 077, 0U);
}

TEST_F(BackupTest, AFlippedBitAnywhereIsRefusedWithTheFilesName) {
  make_backup();
  for (const auto& entry : fs::recursive_directory_iterator(backup_)) {
    if (!entry.is_regular_file() || entry.file_size() == 0) continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    const auto flip = [&] {
      file.seekg(static_cast<std::streamoff>(entry.file_size() / 2));
      const char byte = static_cast<char>(file.get() ^ 16);
      file.seekp(static_cast<std::streamoff>(entry.file_size() / 2));
      file.put(byte);
      file.flush();
    };
    flip();
    const Status status = restored();
    EXPECT_EQ(status.code(), Code::kDataLoss) << entry.path() << ": " << status.message();
    EXPECT_THAT(status.message(), HasSubstr(entry.path().string()));
    EXPECT_FALSE(fs::exists(copy_)) << "nothing half-done stays";
    flip();
  }
  EXPECT_TRUE(restored().ok());
}

TEST_F(BackupTest, ACutOffBackupIsNone) {
  make_backup();
  fs::remove(backup_ / "MANIFEST");
  const Status status = restored();
  EXPECT_EQ(status.code(), Code::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("cut off"));
  EXPECT_FALSE(fs::exists(copy_));
}

TEST_F(BackupTest, NoServerStartsOnACutOffRestore) {
  {
    auto unfinished = UnfinishedDataDirectory::create(copy_);
    ASSERT_TRUE(unfinished) << unfinished.error().message();
    std::ofstream(copy_ / "half") << "x";
    auto server = DataDirectory::open(copy_);
    ASSERT_FALSE(server);
    EXPECT_EQ(server.error().code(), Code::kFailedPrecondition);
    EXPECT_THAT(server.error().message(), HasSubstr("a restore into"));
    auto again = UnfinishedDataDirectory::create(copy_);
    ASSERT_FALSE(again);
    EXPECT_THAT(again.error().message(), HasSubstr("a restore into"));
    EXPECT_EQ(inspect_data_directory(copy_).kind, DataDirectoryState::Kind::kForeign);
  }
  EXPECT_FALSE(fs::exists(copy_));
}

TEST_F(BackupTest, AFolderInUseIsLeftAlone) {
  fs::create_directory(copy_);
  std::ofstream(copy_ / "thesis.doc") << "years of work";
  make_backup();
  EXPECT_EQ(restored().code(), Code::kFailedPrecondition);
  EXPECT_TRUE(fs::exists(copy_ / "thesis.doc"));
  Open live = open(base_ / "live");
  EXPECT_EQ(take_backup(sources(live), copy_, {}).error().code(), Code::kFailedPrecondition);
  EXPECT_TRUE(fs::exists(copy_ / "thesis.doc"));
}

TEST_F(BackupTest, NeitherIsMadeInsideTheOther) {
  Open live = open(base_ / "live");
  fs::create_directory_symlink(base_ / "live", base_ / "link");
  for (const fs::path& inside : {base_ / "live" / "in", base_ / "live" / "a" / "b", base_ / "link" / "in",
                                 base_ / "other" / ".." / "live" / "in", base_ / "live"}) {
    EXPECT_EQ(take_backup(sources(live), inside, {}).error().code(), Code::kInvalidArgument) << inside;
    if (inside != base_ / "live") EXPECT_FALSE(fs::exists(inside));
  }
  ASSERT_TRUE(take_backup(sources(live), base_ / "live-2", {})) << "beside it, with a name that begins alike";
  fs::create_directory_symlink(base_ / "live-2", base_ / "backup-link");
  for (const fs::path& inside : {base_ / "live-2" / "in", base_ / "backup-link" / "in"}) {
    EXPECT_EQ(restore_backup(base_ / "live-2", inside, clock_, random_).error().code(),
              Code::kInvalidArgument);
    EXPECT_FALSE(fs::exists(inside));
  }
}

TEST_F(BackupTest, OneThatIsGivenUpLeavesNothing) {
  Open live = open(base_ / "live");
  EXPECT_EQ(take_backup(sources(live), backup_, [] { return true; }).error().code(), Code::kCancelled);
  EXPECT_FALSE(fs::exists(backup_));
  EXPECT_FALSE(fs::exists(live.data.checkpoint_path()));
}

TEST_F(BackupTest, TheControlSocketAnswersItsUser) {
  Open live = open(base_ / "live");
  auto socket = ControlSocket::open(live.data.path(), [&](const std::string& question, const auto& give_up) {
    return answer_control(question, sources(live), give_up);
  });
  ASSERT_TRUE(socket) << socket.error().message();
  auto answer = ask_server(live.data.path(), R"({"backup":")" + backup_.string() + R"("})");
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_THAT(*answer, HasSubstr("taken_at"));
  for (const char* bad : {"", "[]", "{\"backup\":7}", "{\"backup\":\"relative\"}", "\xff", "{\"stop\":1}"}) {
    auto refused = ask_server(live.data.path(), bad);
    ASSERT_TRUE(refused) << bad;
    EXPECT_THAT(*refused, HasSubstr("\"code\"")) << bad;
  }
  EXPECT_FALSE(ask_server(live.data.path(), std::string(ControlSocket::kMaxQuestionBytes + 10'000, 'x')));
  socket->reset();
  EXPECT_FALSE(ask_server(live.data.path(), "{}"));
  EXPECT_TRUE(restored().ok());
}

TEST_F(BackupTest, AnAskerThatGoesGivesUp) {
  Open live = open(base_ / "live");
  std::promise<void> gone;
  auto socket = ControlSocket::open(live.data.path(), [&](const std::string&, const auto& give_up) {
    while (!give_up()) std::this_thread::yield();
    gone.set_value();
    return std::string("{}");
  });
  ASSERT_TRUE(socket);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s", (live.data.path() / "control").c_str());
  ASSERT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::write(fd, "{}\n", 3), 3);
  ::close(fd);
  gone.get_future().wait();
}

}  // namespace
}  // namespace holdfast::app
