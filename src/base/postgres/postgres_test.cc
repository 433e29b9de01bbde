// The wrapper of PostgreSQL: values come back as they went, whatever their bytes; errors say what kind they
// are and never a password; a server that went away is noticed. Method: a real server of the test's own.

#include <gmock/gmock.h>

#include <limits>

#include "base/storage_fault.h"
#include "fixture/postgres_server.h"
#include "os/clock.h"
#include "postgres/address.h"
#include "postgres/statement.h"

namespace holdfast::postgres {
namespace {

using fixture::PostgresServer;
using ::testing::HasSubstr;
using ::testing::Not;

std::unique_ptr<Connection> connect(const std::string& url) {
  static const os::SystemClock clock;
  auto opened = Connection::open(*parse_address(url), {}, clock);
  if (!opened) throw std::runtime_error(opened.error().to_string());
  return *std::move(opened);
}

class PostgresTest : public ::testing::Test {
 protected:
  PostgresTest() : connection_(connect(PostgresServer::shared().new_address())) {
    EXPECT_TRUE(connection_->execute("CREATE TEMP TABLE t (n bigint PRIMARY KEY, b bytea, i bigint)").ok());
  }
  std::unique_ptr<Connection> connection_;
};

TEST(PostgresAddress, IsReadAndKeepsNoPassword) {
  const auto address = parse_address("postgresql://ann@db.example:5433/main?schema=shop_2&sslmode=require");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->schema, "shop_2");
  EXPECT_EQ(address->parameters.at("sslmode"), "require");
  EXPECT_EQ(address->text(), "postgres://db.example:5433/main (schema shop_2)");
  EXPECT_EQ(parse_address("postgres://h/d")->schema, "holdfast");
  for (const char* bad : {"mysql://h/d", "postgres://ann:s3cret@h/d", "postgres://h/d?password=s3cret",
                          "postgres://h/d?sslpassword=s3cret", "postgres://ann:s3cret@[h/d",
                          "postgres://h/d?schema=pg_x&password=s3cret", "postgres://h/d?schema=a'b",
                          "postgres://h/d?nonsense=s3cret"}) {
    const auto refused = parse_address(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code(), Code::kInvalidArgument);
    EXPECT_THAT(refused.error().message(), Not(HasSubstr("s3cret")));
  }
}

TEST_F(PostgresTest, ValuesComeBackAsTheyWent) {
  std::string every;
  for (int i = 0; i < 512; ++i) every += static_cast<char>(i);
  const std::vector<std::string> texts = {"", every, std::string(300'000, '\0'), "\xff\xfe \xc3"};
  const std::vector<std::int64_t> numbers = {std::numeric_limits<std::int64_t>::min(), -1, 0,
                                             std::numeric_limits<std::int64_t>::max()};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    Statement insert(*connection_, "INSERT INTO t VALUES ($1, $2, $3)");
    ASSERT_TRUE(insert.bind(i, texts[i], numbers[i]).run().ok());
    EXPECT_EQ(insert.affected(), 1);
  }
  Statement query(*connection_, "SELECT n, b, i FROM t ORDER BY n");
  for (std::size_t i = 0; i < texts.size(); ++i) {
    ASSERT_TRUE(query.next());
    std::string text;
    std::int64_t number = 0;
    query.read_from(1, text, number);
    EXPECT_EQ(text, texts[i]);
    EXPECT_EQ(number, numbers[i]);
  }
  EXPECT_FALSE(query.next());
  EXPECT_TRUE(query.status().ok());
}

TEST_F(PostgresTest, NullsArraysAndCopiedRows) {
  Array keys(Array::Of::kIntegers);
  Array values(Array::Of::kBytes);
  for (std::int64_t i = 0; i < 3; ++i) {
    keys.add(i);
    values.add(i == 1 ? Value(nullptr) : Value(std::string_view("v")));
  }
  Statement insert(*connection_, "INSERT INTO t SELECT *, NULL FROM unnest($1::bigint[], $2::bytea[])");
  ASSERT_TRUE(insert.bind(keys, values).run().ok());
  EXPECT_EQ(insert.affected(), 3);
  CopyIn copy(*connection_);
  ASSERT_TRUE(copy.begin("t (n, b, i)").ok());
  const std::string large(3 << 20, '\1');
  for (std::int64_t n = 10; n < 15; ++n) ASSERT_TRUE(copy.row({n, std::string_view(large), nullptr}).ok());
  ASSERT_TRUE(copy.end().ok());
  Statement query(*connection_, "SELECT count(*), count(b), sum(octet_length(b))::bigint FROM t");
  const auto sums = query.one([](const Statement& row) {
    return std::vector<std::int64_t>{row.integer(0), row.integer(1), row.integer(2)};
  });
  ASSERT_TRUE(sums && *sums);
  EXPECT_EQ(**sums, (std::vector<std::int64_t>{8, 7, 2 + 5 * (3 << 20)}));
}

TEST_F(PostgresTest, AFailureSaysItsKindAndNoValue) {
  const auto insert = [&] {
    return Statement(*connection_, "INSERT INTO t VALUES ($1, $2, 0)").bind(1, "private").run();
  };
  ASSERT_TRUE(insert().ok());
  const Status twice = insert();
  EXPECT_EQ(twice.code(), Code::kInternal);
  EXPECT_THAT(twice.message(), ::testing::AllOf(HasSubstr("23505"), Not(HasSubstr("private"))));
  EXPECT_FALSE(connection_->lost());
  EXPECT_EQ(connection_->execute("SELECT * FROM nothing").code(), Code::kFailedPrecondition);
  ASSERT_TRUE(connection_->execute("SET statement_timeout = 1").ok());
  EXPECT_EQ(connection_->execute("SELECT pg_sleep(60)").code(), Code::kDeadlineExceeded);
}

// What is left of an answer that nobody reads to its end is not read into the next one.
TEST_F(PostgresTest, AStatementThatEndsEarlyLeavesNothing) {
  {
    Statement many(*connection_, "SELECT generate_series(1, 1000)");
    ASSERT_TRUE(many.next());
  }
  Statement one(*connection_, "SELECT 7::bigint");
  ASSERT_TRUE(one.next());
  EXPECT_EQ(one.integer(0), 7);
}

TEST_F(PostgresTest, AServerThatWentAwayIsALostConnection) {
  const std::string address = PostgresServer::shared().new_address();
  auto other = connect(address);
  ASSERT_TRUE(
      connection_->execute("SELECT pg_terminate_backend(" + std::to_string(other->backend()) + ")").ok());
  const Status gone = other->execute("SELECT 1");
  EXPECT_EQ(gone.code(), Code::kUnavailable);
  EXPECT_EQ(fault_of(gone), StorageFault::kIo);
  EXPECT_TRUE(other->lost());
  EXPECT_EQ(other->execute("SELECT 1").code(), Code::kUnavailable);
  EXPECT_EQ(
      Connection::open(*parse_address("postgres:///x?host=/nowhere"), {}, os::SystemClock()).error().code(),
      Code::kUnavailable);
}

}  // namespace
}  // namespace holdfast::postgres
