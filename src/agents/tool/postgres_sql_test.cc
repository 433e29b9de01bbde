// Goal: an SQL tool on PostgreSQL does what its declaration says and no more: reads cannot write, writes
// happen once per key, values are exact, time and size are bounded. Method: a PostgreSQL of the tests' own, a
// schema per test.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixture/postgres_server.h"
#include "os/clock.h"
#include "postgres/connection.h"
#include "tool/read_tool.h"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;

class SqlOnPostgres : public ::testing::Test {
 protected:
  void SetUp() override {
    auto parsed = postgres::parse_address(address_);
    ASSERT_TRUE(parsed);
    auto connection = postgres::Connection::open(*parsed, {}, clock_);
    ASSERT_TRUE(connection) << connection.error().message();
    connection_ = *std::move(connection);
    execute("CREATE SCHEMA " + parsed->schema);
    execute("CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(12,2), note text)");
    execute("CREATE TABLE refunds (order_id bigint, amount numeric)");
    execute("INSERT INTO orders VALUES (1, 19.50, 'first'), (2, 180, NULL), (3, 7, 'third')");
  }
  void execute(const std::string& sql) {
    const Status status = connection_->execute(sql);
    EXPECT_TRUE(status.ok()) << status.to_string();
  }

  ToolEnding run(const std::string& statement, const Json& arguments, bool read_only = true,
                 const std::string& key = "k1") {
    Json properties = Json::object();
    for (const auto& [name, unused] : arguments.items()) properties[name] = Json::object();
    const Json entry = {{"name", "t"},
                        {"type", "sql"},
                        {"timeout", timeout_},
                        {"parameters", {{"properties", properties}}},
                        {"sql",
                         {{"database", address_},
                          {"statement", statement},
                          {"read_only", read_only},
                          {"max_rows", max_rows_}}}};
    const ToolSpec tool = read_tool(entry.dump());
    ToolContext context;
    context.idempotency_key = key;
    context.as_data = as_data_;
    context.written = written_;
    const grant::Permits permits({*grant::parse_grant(grant_ + address_)}, {}, nullptr);
    context.permits = &permits;
    context.stop = stop_.get_token();
    context.beat = beat_;
    context.clock = &clock_;
    return find_activity_tool("sql")->run(tool, arguments, context);
  }
  Json rows(const std::string& statement, const Json& arguments = Json::object()) {
    const ToolEnding ending = run(statement, arguments);
    EXPECT_EQ(ending.ending, Ending::kDone) << ending.text;
    return ending.ending == Ending::kDone ? Json::parse(ending.text)["rows"] : Json();
  }

  std::string address_ = fixture::PostgresServer::shared().new_address();
  os::SystemClock clock_;
  std::unique_ptr<postgres::Connection> connection_;
  std::string grant_ = "database.write:";
  std::string timeout_ = "20s";
  int max_rows_ = 100;
  bool as_data_ = false;
  std::string written_;
  std::stop_source stop_;
  std::function<void()> beat_;
};

TEST_F(SqlOnPostgres, ReadsRowsWithBoundArguments) {
  EXPECT_EQ(rows("SELECT id, total, note FROM orders WHERE id = :id", {{"id", 2}}),
            Json::parse(R"([{"id":2,"total":"180.00","note":null}])"));
  EXPECT_EQ(rows("SELECT count(*) AS n FROM orders WHERE note = :note", {{"note", "x' OR '1'='1"}})[0]["n"],
            0);
  EXPECT_EQ(rows("SELECT :list::jsonb ->> 0 AS first", {{"list", {"a", "b"}}})[0]["first"], "a");
  EXPECT_EQ(rows("SELECT 1 AS id, 2 AS id")[0], Json::parse(R"({"id":1,"id_2":2})"));
  written_ = R"({"list":{"z":1,"a":2}})";
  EXPECT_EQ(rows("SELECT :list::text AS t", Json::parse(written_))[0]["t"], R"({"z":1,"a":2})");
}

TEST_F(SqlOnPostgres, ValuesAreExact) {
  EXPECT_EQ(
      rows("SELECT 9223372036854775807::int8 AS i, 12345678901234567890.10::numeric AS n, true AS b, "
           "0.1::float8 AS f, "
           "'NaN'::float8 AS nan, '\\x00ff'::bytea AS bytes, '2026-11-29 01:02:03.5+02'::timestamptz AS at, "
           "'2026-11-29 01:02:03'::timestamp AS local, '2026-11-29'::date AS day, 'infinity'::timestamptz AS "
           "never, "
           "NULL::int AS nothing, '{1,2}'::int[] AS list, interval '1 day 2 hours' AS lasts")[0],
      Json::parse(R"({"i":9223372036854775807,"n":"12345678901234567890.10","b":true,"f":0.1,"nan":"NaN",
                            "bytes":"\\x00ff","at":"2026-11-28T23:02:03.5Z","local":"2026-11-29T01:02:03",
                            "day":"2026-11-29","never":"infinity","nothing":null,"list":"{1,2}","lasts":"P1DT2H"})"));
  EXPECT_EQ(rows(R"(SELECT '{"a": [1, 2.5]}'::jsonb AS j, '{"a": 1.10}'::jsonb AS exact)")[0],
            Json::parse(R"({"j":{"a":[1,2.5]},"exact":"{\"a\": 1.10}"})"));
}

TEST_F(SqlOnPostgres, AReadingToolCannotWrite) {
  for (const char* statement :
       {"DELETE FROM orders", "WITH x AS (DELETE FROM orders RETURNING 1) SELECT * FROM x",
        "DO $$ BEGIN SET TRANSACTION READ WRITE; DELETE FROM orders; END $$",
        "SELECT set_config('transaction_read_only', 'off', true); DELETE FROM orders"})
    EXPECT_EQ(run(statement, Json::object()).ending, Ending::kFailed) << statement;
  EXPECT_EQ(rows("SELECT count(*) AS n FROM orders")[0]["n"], 3);
}

TEST_F(SqlOnPostgres, AWriteHappensOncePerKey) {
  const std::string insert = "INSERT INTO refunds VALUES (:id, :amount) RETURNING amount";
  const ToolEnding first = run(insert, {{"id", 1}, {"amount", 19.5}}, false);
  ASSERT_EQ(first.ending, Ending::kDone) << first.text;
  EXPECT_EQ(Json::parse(first.text), Json::parse(R"({"rows":[{"amount":"19.5"}],"changes":1})"));
  EXPECT_EQ(run(insert, {{"id", 1}, {"amount", 19.5}}, false).text, first.text);
  EXPECT_EQ(rows("SELECT count(*) AS n FROM refunds")[0]["n"], 1);
  EXPECT_EQ(run(insert, {{"id", 1}, {"amount", 19.5}}, false, "k2").ending, Ending::kDone);
  EXPECT_EQ(rows("SELECT count(*) AS n FROM refunds")[0]["n"], 2);
  // What fails leaves nothing, its key neither.
  const std::string half = "INSERT INTO refunds VALUES (3, 3); SELECT 1 / (:id - 1)";
  EXPECT_EQ(run(half, {{"id", 1}}, false, "k3").ending, Ending::kFailed);
  EXPECT_EQ(run(half, {{"id", 2}}, false, "k3").ending, Ending::kDone);
  EXPECT_EQ(rows("SELECT count(*) AS n FROM refunds")[0]["n"], 3);
}

TEST_F(SqlOnPostgres, RowsAreBounded) {
  max_rows_ = 2;
  const ToolEnding ending = run("SELECT generate_series(1, 100000000) AS g", Json::object());
  ASSERT_EQ(ending.ending, Ending::kDone) << ending.text;
  EXPECT_EQ(Json::parse(ending.text), Json::parse(R"({"rows":[{"g":1},{"g":2}],"truncated":true})"));
  EXPECT_THAT(run("SELECT repeat('x', 200000000)", Json::object()).text, HasSubstr("larger than 16 MiB"));
}

TEST_F(SqlOnPostgres, DataIsAllRowsOrAnError) {
  as_data_ = true;
  max_rows_ = 2;
  ToolEnding ending = run("SELECT id FROM orders", Json::object());
  EXPECT_EQ(ending.ending, Ending::kFailed);
  EXPECT_THAT(ending.text, HasSubstr("more than 2 rows"));
  EXPECT_EQ(rows("SELECT id FROM orders LIMIT 2").size(), 2U);
  EXPECT_THAT(run("SELECT repeat('x', 70000) AS s", Json::object()).text, HasSubstr("`max_bytes`"));
  ending = run("UPDATE orders SET total = 0 RETURNING id", Json::object(), false);
  EXPECT_EQ(ending.ending, Ending::kFailed);
  EXPECT_THAT(ending.text, HasSubstr("nothing was changed"));
  EXPECT_EQ(rows("SELECT count(*) AS n FROM orders WHERE total = 0")[0]["n"], 0);
}

TEST_F(SqlOnPostgres, TimeIsBoundedAndTheServerStopsToo) {
  timeout_ = "300ms";
  const ToolEnding ending = run("SELECT pg_sleep(60) /* marked */", Json::object());
  EXPECT_EQ(ending.ending, Ending::kFailed);
  EXPECT_THAT(ending.text, HasSubstr("ran longer than 300ms"));
  timeout_ = "20s";
  beat_ = [this] { stop_.request_stop(); };
  EXPECT_EQ(run("SELECT pg_sleep(60) /* marked */", Json::object()).ending, Ending::kRetry);
  stop_ = {};
  beat_ = {};
  EXPECT_EQ(
      rows(
          "SELECT count(*) AS n FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND state = 'active' "
          "AND pid <> pg_backend_pid()")[0]["n"],
      0);
}

TEST_F(SqlOnPostgres, WhatIsNotGrantedIsNotAsked) {
  grant_ = "database:";
  EXPECT_THAT(run("INSERT INTO refunds VALUES (1, 1)", Json::object(), false).text, HasSubstr("not granted"));
  EXPECT_EQ(rows("SELECT 1 AS one")[0]["one"], 1);
  grant_ = "database:postgres://other@elsewhere/x?";
  EXPECT_THAT(run("SELECT 1", Json::object()).text, HasSubstr("not granted"));
}

}  // namespace
}  // namespace holdfast::agent
