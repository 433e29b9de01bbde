// Goal: what reading calls leave open serves the next call, is never a file of the past, carries nothing over
// and is bounded. Method: calls of SQL tools on real files; the descriptors of this process tell what is
// open.

#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixture/manual_clock.h"
#include "fixture/temporary_directory.h"
#include "os/thread_executor.h"
#include "tool/read_tool.h"
#include "tool/sql_connections.h"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class KeptConnections : public ::testing::Test {
 protected:
  void SetUp() override { make(path_, "one"); }

  static void make(const fs::path& path, const std::string& word) {
    sqlite::Database db;
    ASSERT_TRUE(db.open(path).ok());
    ASSERT_TRUE(
        db.execute(("CREATE TABLE t(word TEXT); INSERT INTO t VALUES ('" + word + "')").c_str()).ok());
  }

  ToolEnding run(const std::string& statement, const fs::path& path, bool read_only = true) {
    const Json entry = {
        {"name", "t"},
        {"type", "sql"},
        {"sql", {{"database", path.string()}, {"statement", statement}, {"read_only", read_only}}}};
    const ToolSpec tool = read_tool(entry.dump());
    const grant::Permits permits({*grant::parse_grant("database.write:" + path.string())}, {}, nullptr);
    ToolContext context;
    context.idempotency_key = "k" + std::to_string(++calls_);
    context.permits = &permits;
    context.clock = &clock_;
    context.memory = &memory_;
    context.sql_connections = &connections_;
    return find_activity_tool("sql")->run(tool, Json::object(), context);
  }
  std::string word() {
    const ToolEnding ending = run("SELECT word FROM t", path_);
    return ending.ending == Ending::kDone ? Json::parse(ending.text)["rows"][0]["word"].get<std::string>()
                                          : ending.text;
  }

  // How often this process has files below the directory open.
  int open_files() const {
    int open = 0;
    for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
      std::error_code gone;
      const fs::path file = fs::read_symlink(entry.path(), gone);
      open += file.string().starts_with(directory_.path().string()) ? 1 : 0;
    }
    return open;
  }

  fixture::TemporaryDirectory directory_;
  fs::path path_ = directory_ / "shop.db";
  fixture::ManualClock clock_;
  MemoryBudget memory_{"SQL statements", 64 << 20};
  os::ThreadExecutor janitor_{"janitor"};
  SqlConnections connections_{clock_, memory_, janitor_};
  std::atomic<int> calls_ = 0;
};

TEST_F(KeptConnections, OneServesTheCallsThatFollow) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(word(), "one");
    EXPECT_EQ(open_files(), 1);
  }
  const auto state = FileState::of(path_);
  auto kept = connections_.take(path_);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->file, state);
  EXPECT_FALSE(connections_.take(path_)) << "it is one call's at a time";
}

TEST_F(KeptConnections, WhatOthersWriteIsRead) {
  EXPECT_EQ(word(), "one");
  EXPECT_EQ(run("UPDATE t SET word = 'two'", path_, false).ending, Ending::kDone);
  EXPECT_EQ(word(), "two");
  EXPECT_EQ(run("ALTER TABLE t RENAME TO old; CREATE TABLE t(n INTEGER, word TEXT); "
                "INSERT INTO t VALUES (1, 'three')",
                path_, false)
                .ending,
            Ending::kDone);
  EXPECT_EQ(word(), "three");
}

// Also in WAL mode, where the file itself may stay as it is.
TEST_F(KeptConnections, WhatStandsInALogIsRead) {
  sqlite::Database other;
  ASSERT_TRUE(other.open(path_, {.pragmas = "PRAGMA journal_mode=WAL"}).ok());
  EXPECT_EQ(word(), "one");
  ASSERT_TRUE(other.execute("UPDATE t SET word = 'two'").ok());
  EXPECT_EQ(word(), "two");
  ASSERT_TRUE(other.execute("DROP TABLE t; CREATE TABLE t(n, word); INSERT INTO t VALUES (1, 'three')").ok());
  EXPECT_EQ(word(), "three");
}

TEST_F(KeptConnections, AnotherFileAtThePathIsOpened) {
  make(directory_ / "other.db", "other");
  EXPECT_EQ(word(), "one");
  fs::rename(directory_ / "other.db", path_);
  EXPECT_EQ(word(), "other");
  EXPECT_EQ(open_files(), 1) << "the one before is closed";
  // The same inode, with as many changes of its schema.
  fs::remove(path_);
  make(path_, "three");
  sqlite::Database copy;
  ASSERT_TRUE(copy.open(directory_ / "copy.db").ok());
  ASSERT_TRUE(copy.execute("CREATE TABLE t(n INTEGER, word TEXT); INSERT INTO t VALUES (1, 'four')").ok());
  EXPECT_EQ(word(), "three");
  std::ofstream(path_, std::ios::binary) << std::ifstream(directory_ / "copy.db", std::ios::binary).rdbuf();
  EXPECT_EQ(word(), "four");
  fs::remove(path_);
  EXPECT_THAT(word(), HasSubstr("cannot open the database"));
}

TEST_F(KeptConnections, WhatFailedOrWroteIsNotKept) {
  EXPECT_EQ(run("INSERT INTO t VALUES ('x')", path_, false).ending, Ending::kDone);
  EXPECT_EQ(open_files(), 0);
  for (const char* statement :
       {"SELECT broken", "CREATE TEMP TABLE secret(n)", "PRAGMA case_sensitive_like=1",
        "SELECT 1; SELECT abs(-9223372036854775808)", "SELECT length(hex(zeroblob(16000000)))"}) {
    EXPECT_EQ(run("SELECT 1", path_).ending, Ending::kDone);
    EXPECT_EQ(run(statement, path_).ending, Ending::kFailed) << statement;
    EXPECT_EQ(open_files(), 0) << statement;
  }
}

// Large sorts, which write files of their own; many rows of which the tool takes a few.
TEST_F(KeptConnections, OneThatDidMuchRestsLikeAnyOther) {
  EXPECT_EQ(word(), "one");
  const std::size_t before = memory_.used();
  EXPECT_GT(before, 0u);
  const std::string many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 100000) ";
  EXPECT_EQ(run(many + "SELECT DISTINCT i, hex(randomblob(400)) AS b FROM n ORDER BY b", path_).ending,
            Ending::kDone);
  EXPECT_EQ(open_files(), 1);
  EXPECT_LT(memory_.used(), before + 64 * 1024);
  EXPECT_EQ(word(), "one");
}

TEST_F(KeptConnections, TheyAreFewAndCounted) {
  for (int i = 0; i < 20; ++i) {
    const fs::path path = directory_ / (std::to_string(i) + ".db");
    make(path, "x");
    EXPECT_EQ(run("SELECT * FROM t", path).ending, Ending::kDone);
  }
  EXPECT_EQ(open_files(), static_cast<int>(kMaxKeptConnections));
  EXPECT_GT(memory_.used(), 0u);
  EXPECT_LE(memory_.used(), memory_.limit() / kKeptShare);
  // Where statements need what there is, none is kept.
  HeldMemory others(memory_);
  for (std::size_t bytes = memory_.limit(); bytes > 0 && !others.resize(bytes).ok();) bytes -= 4096;
  EXPECT_NE(run("SELECT * FROM t", path_).ending, Ending::kDone);
}

TEST_F(KeptConnections, TheyAreClosedWhenNobodyComes) {
  EXPECT_EQ(word(), "one");
  clock_.ns += std::chrono::nanoseconds(kKeptConnection).count() - 1;
  EXPECT_EQ(word(), "one");
  clock_.ns += std::chrono::nanoseconds(kKeptConnection).count();
  EXPECT_FALSE(connections_.take(directory_ / "other.db"));
  EXPECT_EQ(open_files(), 0);
  EXPECT_EQ(memory_.used(), 0u);
}

TEST_F(KeptConnections, ManyCallsAtOnce) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 12; ++i) {
    threads.emplace_back([this] {
      for (int n = 0; n < 50; ++n) EXPECT_EQ(word(), "one");
    });
  }
  threads.clear();
  EXPECT_LE(open_files(), static_cast<int>(kMaxKeptConnections));
}

}  // namespace
}  // namespace holdfast::agent
