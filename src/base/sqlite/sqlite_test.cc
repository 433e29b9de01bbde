// What a room that keeps rows relies on: values come back as they went in, failures are told and leave
// nothing, a foreign statement is bounded. Method: a real file per test.

#include <gmock/gmock.h>

#include "base/storage_fault.h"
#include "fixture/temporary_directory.h"
#include "sqlite/heap_limit.h"
#include "sqlite/statement.h"

namespace holdfast::sqlite {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

enum class Colour : std::uint8_t { kRed = 1, kBlue = 2 };

class SqliteTest : public ::testing::Test {
 protected:
  SqliteTest() {
    EXPECT_TRUE(db_.open(file_, {.pragmas = "PRAGMA journal_mode=WAL"}).ok());
    EXPECT_TRUE(db_.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, v)").ok());
  }
  Status insert(std::int64_t n) { return Statement(db_, "INSERT INTO t (n) VALUES (?1)").bind(n).run(); }
  std::int64_t count() { return db_.number("SELECT count(*) FROM t").value_or(-1); }

  fixture::TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_ / "test.db";
  Database db_;
};

TEST_F(SqliteTest, WhatIsSaidWithEveryTransactionIsSaidAgain) {
  for (int n = 1; n <= 3; ++n) {
    ASSERT_TRUE(db_.run("BEGIN IMMEDIATE").ok());
    EXPECT_TRUE(db_.in_transaction());
    EXPECT_FALSE(db_.run("BEGIN IMMEDIATE").ok());
    EXPECT_TRUE(insert(n).ok());
    ASSERT_TRUE(db_.run("COMMIT").ok());
    EXPECT_FALSE(db_.in_transaction());
    const Status none = db_.run("COMMIT");
    EXPECT_THAT(none.message(), HasSubstr("COMMIT"));
  }
  EXPECT_EQ(count(), 3);
}

TEST_F(SqliteTest, ValuesComeBackAsTheyWentIn) {
  const WallTime at(std::chrono::nanoseconds(1'700'000'000'000'000'001));
  Statement query(db_, "SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8");
  query.bind(std::string("te\0xt", 5), -1, true, 0.5, Colour::kBlue, at);
  query.bind(std::optional<std::string>(), std::optional<std::int64_t>(7));
  ASSERT_TRUE(query.next());
  std::string text;
  int number = 0;
  bool flag = false;
  double real = 0;
  Colour colour{};
  WallTime time{};
  std::optional<std::string> none = "x";
  std::optional<std::int64_t> seven;
  query.read(text, number, flag, real, colour, time, none, seven);
  EXPECT_EQ(text, std::string("te\0xt", 5));
  EXPECT_EQ(number, -1);
  EXPECT_TRUE(flag);
  EXPECT_EQ(real, 0.5);
  EXPECT_EQ(colour, Colour::kBlue);
  EXPECT_EQ(time, at);
  EXPECT_FALSE(none);
  EXPECT_EQ(seven, 7);
  EXPECT_FALSE(query.next());
  EXPECT_FALSE(query.next());  // and does not begin again
  EXPECT_TRUE(query.status().ok());
}

TEST_F(SqliteTest, AnEmptyViewIsATextAndABlobIsABlob) {
  Statement query(db_, "SELECT ?1, ?2");
  ASSERT_TRUE(query.bind(std::string_view(), Blob("ab")).next());
  EXPECT_EQ(query.type(0), ColumnType::kText);
  EXPECT_EQ(query.type(1), ColumnType::kBlob);
  EXPECT_EQ(query.view(1), "ab");
}

TEST_F(SqliteTest, RowsAreReadOneOrAll) {
  const auto number = [](const Statement& row) { return row.integer(0); };
  EXPECT_EQ(*Statement(db_, "SELECT n FROM t").one(number), std::nullopt);
  for (int n : {3, 1, 2}) ASSERT_TRUE(insert(n).ok());
  EXPECT_EQ(*Statement(db_, "SELECT n FROM t WHERE n > ?1").bind(2).one(number), 3);
  EXPECT_THAT(*Statement(db_, "SELECT n FROM t ORDER BY n").all(number), ElementsAre(1, 2, 3));
  EXPECT_FALSE(Statement(db_, "SELECT n FROM nowhere").all(number));
}

// The cache lends a statement once; whoever asks while it is out gets one of his own.
TEST_F(SqliteTest, AStatementMayRunInsideItself) {
  for (int n : {1, 2}) ASSERT_TRUE(insert(n).ok());
  constexpr Literal kAll = "SELECT n FROM t";
  int pairs = 0;
  for (Statement outer(db_, kAll); outer.next();) {
    for (Statement inner(db_, kAll); inner.next();) ++pairs;
  }
  EXPECT_EQ(pairs, 4);
  EXPECT_FALSE(db_.in_transaction());
}

TEST_F(SqliteTest, AFailureNamesTheFileAndWhatWasDone) {
  ASSERT_TRUE(insert(1).ok());
  const Status twice = insert(1);
  EXPECT_EQ(twice.code(), Code::kInternal);
  EXPECT_THAT(twice.message(), HasSubstr("test.db: INSERT INTO t"));
  EXPECT_THAT(twice.message(), HasSubstr("UNIQUE"));
  EXPECT_EQ(fault_of(twice), StorageFault::kNone);
  EXPECT_TRUE(insert(2).ok());  // the statement is as good as new
}

TEST_F(SqliteTest, ATransactionStaysWholeOrNotAtAll) {
  EXPECT_FALSE(in_transaction(db_, [this] {
                 EXPECT_TRUE(insert(1).ok());
                 return insert(1);
               }).ok());
  EXPECT_EQ(count(), 0);
  EXPECT_TRUE(in_transaction(db_, [this] { return insert(1); }).ok());
  EXPECT_EQ(count(), 1);
}

TEST_F(SqliteTest, ALockedFileIsSaid) {
  Database other;
  ASSERT_TRUE(other.open(file_, {.busy_timeout = std::chrono::milliseconds(0)}).ok());
  ASSERT_TRUE(db_.execute("BEGIN IMMEDIATE").ok());
  const Status busy = other.execute("BEGIN IMMEDIATE");
  EXPECT_EQ(busy.code(), Code::kUnavailable);
  EXPECT_EQ(fault_of(busy), StorageFault::kLocked);
  EXPECT_TRUE(other.may_pass());
}

TEST_F(SqliteTest, OpeningTellsWhatIsWrong) {
  Database missing;
  const Status absent = missing.open(directory_ / "none.db", {.access = Access::kReadWrite});
  EXPECT_EQ(fault_of(absent), StorageFault::kIo);
  EXPECT_THAT(absent.message(), HasSubstr("none.db"));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "none.db"));

  Database unknown;
  EXPECT_EQ(unknown.open(file_, {.vfs = "none"}).code(), Code::kInvalidArgument);

  Database reader;
  ASSERT_TRUE(reader.open(file_, {.access = Access::kReadOnly}).ok());
  EXPECT_TRUE(reader.read_only());
  EXPECT_EQ(fault_of(reader.execute("DELETE FROM t")), StorageFault::kReadOnly);
}

// ---- statements that somebody else wrote

TEST_F(SqliteTest, AScriptIsTakenApart) {
  std::string_view script = "SELECT :order; -- done\n";
  {
    Statement first = Statement::first_of(db_, script);
    ASSERT_EQ(first.parameters(), 1);
    EXPECT_EQ(first.parameter_name(1), ":order");
    EXPECT_FALSE(first.writes());
    first.bind_at(1, 7);
    ASSERT_TRUE(first.next());
    EXPECT_EQ(first.columns(), 1);
    EXPECT_EQ(first.column_name(0), ":order");
    EXPECT_EQ(first.integer(0), 7);
  }
  EXPECT_TRUE(Statement::first_of(db_, script).none());
  EXPECT_TRUE(script.empty());
  std::string_view wrong = "SELEC";
  Statement failed = Statement::first_of(db_, wrong);
  EXPECT_FALSE(failed.none());
  EXPECT_FALSE(failed.status().ok());
}

TEST_F(SqliteTest, AStatementWithoutEndIsStopped) {
  int asked = 0;
  db_.stop_when([&] { return ++asked == 3; });
  const char* forever =
      "WITH RECURSIVE f(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM f) SELECT count(*) FROM f";
  EXPECT_EQ(Statement::once(db_, forever).run().code(), Code::kCancelled);
  EXPECT_EQ(asked, 3);
  db_.stop_when(nullptr);
  EXPECT_EQ(count(), 0);
}

TEST_F(SqliteTest, AConfinedStatementReachesNoTransactionFileOrCode) {
  db_.confine(true);
  for (const char* sql :
       {"BEGIN", "COMMIT", "SAVEPOINT s", "PRAGMA user_version=7", "ATTACH 'other.db' AS o",
        "SELECT fts3_tokenizer('simple')", "SELECT FTS3_Tokenizer('mine', x'0100000000000000')"}) {
    EXPECT_FALSE(db_.execute(sql).ok()) << sql;
  }
  EXPECT_TRUE(insert(1).ok());
  db_.confine(false);
  EXPECT_TRUE(db_.execute("BEGIN").ok());
}

TEST_F(SqliteTest, AValueIsBoundedWhereverItComesFrom) {
  const std::string large(2000, 'x');
  ASSERT_TRUE(Statement(db_, "INSERT INTO t VALUES (1, ?1)").bind(large).run().ok());
  db_.bound_values(1000);
  const auto text = [](const Statement& row) { return row.text(0); };
  EXPECT_FALSE(Statement(db_, "SELECT v FROM t").all(text));
  EXPECT_FALSE(Statement(db_, "SELECT ?1").bind(large).all(text));
  EXPECT_FALSE(Statement(db_, "SELECT zeroblob(2000)").all(text));
  EXPECT_TRUE(Statement(db_, "SELECT 'small'").all(text));
}

// A limit is of one thread's statements: what others hold and write goes on.
TEST_F(SqliteTest, MemoryIsBoundedForOneUserAlone) {
  MemoryBudget budget("statements", 4 << 20);
  const auto length_of = [](Database& db, int bytes) {
    Statement query(db, "SELECT length(zeroblob(?1) || 'x')");
    query.bind(bytes);
    (void)query.next();
    return query.status();
  };
  {
    HeapLimit heap(2 << 20, budget);
    Database other;
    ASSERT_TRUE(other.open(file_).ok());
    EXPECT_TRUE(length_of(other, 300'000).ok());
    EXPECT_FALSE(heap.reached());
    EXPECT_FALSE(length_of(other, 3 << 20).ok());
    EXPECT_TRUE(heap.reached());
    EXPECT_TRUE(length_of(other, 300'000).ok());
    EXPECT_GT(budget.used(), 0u);
  }
  EXPECT_EQ(budget.used(), 0u);
  {
    HeapLimit heap(64 << 20, budget);
    Database other;
    ASSERT_TRUE(other.open(file_).ok());
    EXPECT_FALSE(length_of(other, 6 << 20).ok());
    EXPECT_FALSE(heap.reached()) << "it was the budget of all";
  }
  EXPECT_TRUE(length_of(db_, 6 << 20).ok());
  EXPECT_TRUE(insert(1).ok());
}

TEST_F(SqliteTest, TheBeginningOfALongValueIsReadAlone) {
  std::string text(3 << 20, 'x');
  text.replace(0, 6, "begins");
  ASSERT_TRUE(Statement(db_, "INSERT INTO t VALUES (?1, ?2)").bind(7, text).run().ok());
  ASSERT_TRUE(Statement(db_, "INSERT INTO t VALUES (?1, ?2)").bind(8, "short").run().ok());
  db_.bound_values(1 << 20);  // the whole value would not fit
  auto longer = db_.beginning("t", "v", 7, 6);
  ASSERT_TRUE(longer) << longer.error().to_string();
  EXPECT_EQ(longer->bytes, "begins");
  EXPECT_EQ(longer->of, text.size());
  auto shorter = db_.beginning("t", "v", 8, 100);
  ASSERT_TRUE(shorter) << shorter.error().to_string();
  EXPECT_EQ(shorter->bytes, "short");
  EXPECT_EQ(shorter->of, 5u);
  EXPECT_FALSE(db_.beginning("t", "v", 12345, 6));
}

TEST_F(SqliteTest, AFileThatWasMadeShrinkableShrinks) {
  const std::string large(4000, 'x');
  ASSERT_TRUE(in_transaction(db_, [&]() -> Status {
                for (int i = 0; i < 500; ++i) {
                  Status status = Statement(db_, "INSERT INTO t VALUES (?1, ?2)").bind(i, large).run();
                  if (!status.ok()) return status;
                }
                return {};
              }).ok());
  ASSERT_TRUE(make_shrinkable(db_).ok());
  EXPECT_EQ(count(), 500);
  ASSERT_TRUE(db_.execute("DELETE FROM t WHERE n > 0; PRAGMA incremental_vacuum").ok());
  ASSERT_TRUE(db_.execute("PRAGMA wal_checkpoint(TRUNCATE)").ok());
  EXPECT_LT(std::filesystem::file_size(file_), 100'000u);
  EXPECT_EQ(count(), 1);
  ASSERT_TRUE(make_shrinkable(db_).ok()) << "it is already";
}

TEST_F(SqliteTest, ADatabaseIsRemovedWithWhatStandsBesideIt) {
  const std::filesystem::path file = directory_ / "second.db";
  {
    Database second;
    ASSERT_TRUE(second.open(file, {.pragmas = "PRAGMA journal_mode=WAL; CREATE TABLE t (n)"}).ok());
  }
  remove_database(file, "");
  EXPECT_FALSE(std::filesystem::exists(file));
}

}  // namespace
}  // namespace holdfast::sqlite
