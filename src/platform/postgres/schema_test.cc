// A schema goes forward step by step and never back, is refused when it is not ours, and a copy is there
// whole and as it was, or not at all. Method: a real server; steps that the product will have some day; a
// source whose rows are awkward.

#include "platform_postgres/schema.h"

#include <gmock/gmock.h>

#include <limits>

#include "base/sha256.h"
#include "base/storage_fault.h"
#include "fixture/postgres_server.h"
#include "os/clock.h"
#include "os/thread_executor.h"
#include "platform_postgres/copy.h"
#include "platform_postgres/postgres_store.h"
#include "postgres/statement.h"

namespace holdfast::platform {
namespace {

using fixture::PostgresServer;
using ::testing::HasSubstr;

class SchemaTest : public ::testing::Test {
 protected:
  std::unique_ptr<postgres::Connection> connect() {
    auto opened = postgres::Connection::open(*postgres::parse_address(address_), {}, clock_);
    if (!opened) throw std::runtime_error(opened.error().to_string());
    return *std::move(opened);
  }
  Result<OpenPostgres> open() {
    PostgresOptions options;
    options.address = *postgres::parse_address(address_);
    options.patience = std::chrono::milliseconds(200);
    return open_postgres(options, clock_, random_, flusher_);
  }
  static std::vector<Migration> with_next(std::string_view sql) {
    std::vector<Migration> out(migrations().begin(), migrations().end());
    out.push_back({static_cast<std::int64_t>(out.size()) + 1, "a step of tomorrow", sql});
    return out;
  }

  const std::string address_ = PostgresServer::shared().new_address();
  os::SystemClock clock_;
  os::SystemRandom random_;
  os::ThreadExecutor flusher_{"flusher"};
};

// A step that has landed is in databases: whoever wants another table adds a step.
TEST(Migrations, ThoseThatHaveLandedAreWhatTheyWere) {
  const std::vector<std::string> landed = {
      "0d2a8b7a07cf2bc03241872b6b64eeac6958fb0890c76fa0b7a7bb18549523be",
      "22ae60795f8f0cc9a4b123207122ba14470ecc1b01d9f232aa92f3e81bdfd584",
  };
  ASSERT_GE(migrations().size(), landed.size());
  for (std::size_t i = 0; i < landed.size(); ++i) {
    EXPECT_EQ(migrations()[i].version, static_cast<std::int64_t>(i) + 1);
    EXPECT_EQ(sha256_hex(migrations()[i].sql), landed[i]);
  }
}

TEST_F(SchemaTest, GoesForwardStepByStep) {
  auto connection = connect();
  const auto before = inspect_schema(*connection);
  ASSERT_TRUE(before) << before.error().to_string();
  EXPECT_EQ(before->version, 0);
  EXPECT_EQ(before->pending.size(), migrations().size());
  ASSERT_TRUE(migrate_schema(*connection, clock_, random_).ok());
  EXPECT_TRUE(inspect_schema(*connection)->pending.empty());

  const std::vector<Migration> tomorrow = with_next("ALTER TABLE steps ADD COLUMN later bigint");
  EXPECT_EQ(inspect_schema(*connection, tomorrow)->pending.size(), 1U);
  {
    const auto running = open();
    ASSERT_TRUE(running) << running.error().to_string();
    const Status busy = migrate_schema(*connection, clock_, random_, tomorrow);
    EXPECT_EQ(fault_of(busy), StorageFault::kLocked) << busy.message();
  }
  Status taken = migrate_schema(*connection, clock_, random_, tomorrow);
  ASSERT_TRUE(taken.ok()) << taken.message();
  EXPECT_EQ(inspect_schema(*connection, tomorrow)->version, static_cast<std::int64_t>(tomorrow.size()));
  // The program of today leaves it alone.
  const auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(fault_of(refused.error()), StorageFault::kNewer);
}

TEST_F(SchemaTest, AStepThatFailsLeavesNothing) {
  auto connection = connect();
  ASSERT_TRUE(migrate_schema(*connection, clock_, random_).ok());
  const auto broken = with_next("CREATE TABLE half (n bigint); SELECT 1 / 0");
  EXPECT_FALSE(migrate_schema(*connection, clock_, random_, broken).ok());
  EXPECT_EQ(inspect_schema(*connection, broken)->pending.size(), 1U);
  EXPECT_FALSE(connection->execute("SELECT * FROM half").ok());
  EXPECT_TRUE(open());
}

TEST_F(SchemaTest, AStepThatWasEditedAndTablesOfOthersAreRefused) {
  auto connection = connect();
  ASSERT_TRUE(migrate_schema(*connection, clock_, random_).ok());
  ASSERT_TRUE(connection->execute("UPDATE migrations SET sha256 = 'x' WHERE version = 2").ok());
  EXPECT_EQ(open().error().code(), Code::kDataLoss);
  const std::string schema = connection->address().schema;
  ASSERT_TRUE(connection
                  ->execute("DROP SCHEMA " + schema + " CASCADE; CREATE SCHEMA " + schema +
                            "; CREATE TABLE shop (n bigint)")
                  .ok());
  const auto foreign = open();
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().code(), Code::kFailedPrecondition);
  EXPECT_THAT(foreign.error().message(), HasSubstr("not Holdfast's"));
}

// A row of every kind in each table: zeros and broken UTF-8, the ends of 64 bits, nothing.
class Awkward : public TableSource {
 public:
  Status rows(const Table& table, const std::function<Status(std::span<const Cell>)>& each) override {
    const std::string bytes("\0\xff text", 7);
    if (table.name == "audit") {
      for (std::int64_t n : {std::int64_t{3}, std::numeric_limits<std::int64_t>::max() - 7}) {
        const std::string_view text = bytes;
        const Cell row[] = {n,   std::numeric_limits<std::int64_t>::min(), text, text, std::string_view(),
                            text};
        if (Status status = each(row); !status.ok()) return status;
        if (fails) return {Code::kDataLoss, "the source is damaged"};
      }
    }
    if (table.name == "gone_histories") {
      const Cell row[] = {std::string_view(bytes), std::string_view("done"), nullptr, std::int64_t{-1}};
      return each(row);
    }
    return {};
  }
  Result<std::string> epoch() override { return std::string("0badcafe"); }
  bool fails = false;
};

TEST_F(SchemaTest, ACopyIsWholeOrNothingAndMayBeAskedForAgain) {
  Awkward source;
  source.fails = true;
  EXPECT_EQ(copy_into_postgres(*connect(), source, clock_, random_).error().code(), Code::kDataLoss);
  source.fails = false;
  const auto copied = copy_into_postgres(*connect(), source, clock_, random_);
  ASSERT_TRUE(copied) << copied.error().to_string();
  const auto again = copy_into_postgres(*connect(), source, clock_, random_);
  ASSERT_TRUE(again) << again.error().to_string();
  EXPECT_EQ(again->identity, copied->identity);
  {
    auto stores = open();
    ASSERT_TRUE(stores) << stores.error().to_string();
    EXPECT_EQ(stores->identity, copied->identity);
    const auto rows = *stores->store->audit_rows("", 10);
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].id, std::numeric_limits<std::int64_t>::max() - 7);
    EXPECT_EQ(rows[0].actor, std::string("\0\xff text", 7));
    EXPECT_THAT(*stores->streams->end("r"), HasSubstr("0badcafe"));
    // Counting goes on behind what was copied.
    ASSERT_TRUE(stores->store->audit(AuditRow()).ok());
    EXPECT_EQ(stores->store->audit_rows("", 1)->front().id, std::numeric_limits<std::int64_t>::max() - 6);
  }
  const auto other = copy_into_postgres(*connect(), source, clock_, random_);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code(), Code::kFailedPrecondition);
}

}  // namespace
}  // namespace holdfast::platform
