// Goal: an SQL tool does what its declaration says and no more: reads cannot write, writes happen once per
// key, results are bounded, arguments are data. Method: a real SQLite file per test.

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixture/temporary_directory.h"
#include "os/clock.h"
#include "sqlite/database.h"
#include "tool/read_tool.h"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;

class SqlTool : public ::testing::Test {
 protected:
  void SetUp() override {
    execute(
        "CREATE TABLE orders(id INTEGER PRIMARY KEY, total REAL, note TEXT);"
        "CREATE TABLE refunds(order_id INTEGER, amount REAL);"
        "INSERT INTO orders VALUES (1, 19.5, 'first'), (2, 180, NULL), (3, 7, 'third');");
  }
  void execute(const char* sql) {
    sqlite::Database db;
    ASSERT_TRUE(db.open(path_).ok());
    const Status status = db.execute(sql);
    EXPECT_TRUE(status.ok()) << status.to_string();
  }

  ToolEnding run(std::string statement, const Json& arguments, bool read_only = true,
                 std::string key = "k1") {
    // Every argument that a test gives is one that the tool declares.
    Json properties = Json::object();
    for (const char* name : {"id", "note", "order_id", "amount"}) properties[name] = Json::object();
    const Json entry = {{"name", "t"},
                        {"type", "sql"},
                        {"timeout", timeout_},
                        {"parameters", {{"properties", properties}}},
                        {"sql",
                         {{"database", path_.string()},
                          {"statement", statement},
                          {"read_only", read_only},
                          {"max_rows", max_rows_}}}};
    const ToolSpec tool = read_tool(entry.dump());
    ToolContext context;
    context.idempotency_key = std::move(key);
    context.as_data = as_data_;
    context.written = written_;
    const grant::Permits permits({*grant::parse_grant("database.write:" + path_.string())}, {}, nullptr);
    context.permits = &permits;
    context.stop = stop_.get_token();
    context.clock = &clock_;
    context.memory = &memory_;
    return find_activity_tool("sql")->run(tool, arguments, context);
  }

  fixture::TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_ / "shop.db";
  os::SystemClock clock_;
  MemoryBudget memory_{"SQL statements", 128 << 20};
  std::string timeout_ = "30s";
  int max_rows_ = 100;
  bool as_data_ = false;
  std::string written_;
  std::stop_source stop_;
};

TEST_F(SqlTool, ReadsRowsWithBoundArguments) {
  ToolEnding ending = run("SELECT id, total, note FROM orders WHERE id = :id", {{"id", 2}});
  EXPECT_EQ(ending.ending, Ending::kDone);
  EXPECT_EQ(Json::parse(ending.text), Json::parse(R"({"rows":[{"id":2,"total":180.0,"note":null}]})"));
  ending = run("SELECT count(*) AS n FROM orders WHERE note = :note", {{"note", "x' OR '1'='1"}});
  EXPECT_EQ(Json::parse(ending.text)["rows"][0]["n"], 0);
}

TEST_F(SqlTool, ADocumentIsBoundAsItWasWritten) {
  written_ = R"({"note":{"z":[1],"a":2}})";
  EXPECT_EQ(run("SELECT :note AS n", Json::parse(written_)).text,
            R"({"rows":[{"n":"{\"z\":[1],\"a\":2}"}]})");
  written_.clear();
  EXPECT_EQ(run("SELECT :note AS n", {{"note", {{"z", {1}}, {"a", 2}}}}).text,
            R"({"rows":[{"n":"{\"a\":2,\"z\":[1]}"}]})");
}

TEST_F(SqlTool, AnIntegerThatDoesNotFitIsRefused) {
  const std::string insert = "INSERT INTO refunds VALUES (:id, 1)";
  ToolEnding ending = run(insert, {{"id", 18446744073709551615u}}, false, "large");
  EXPECT_EQ(ending.ending, Ending::kFailed);
  EXPECT_THAT(ending.text, HasSubstr("the argument `id`"));
  EXPECT_EQ(run(insert, {{"id", 9223372036854775807u}}, false, "largest").ending, Ending::kDone);
  EXPECT_EQ(Json::parse(run("SELECT order_id FROM refunds", Json::object()).text)["rows"],
            Json::parse(R"([{"order_id":9223372036854775807}])"));
}

TEST_F(SqlTool, ColumnsOfOneNameKeepTheirValues) {
  EXPECT_EQ(Json::parse(run("SELECT 1 AS id, 2 AS id, 3 AS id_2, 4 AS id", Json::object()).text)["rows"],
            Json::parse(R"([{"id":1,"id_3":2,"id_2":3,"id_4":4}])"));
  EXPECT_EQ(Json::parse(run("SELECT a.id, b.id FROM orders a JOIN orders b ON b.id = a.id + 1 LIMIT 1",
                            Json::object())
                            .text)["rows"],
            Json::parse(R"([{"id":1,"id_2":2}])"));
}

TEST_F(SqlTool, AValueIsBounded) {
  const ToolEnding ending = run("SELECT length(zeroblob(17000000)) AS n", Json::object());
  EXPECT_EQ(ending.ending, Ending::kFailed);
  EXPECT_THAT(ending.text, HasSubstr("too big"));
}

// However the statement comes to need it.
TEST_F(SqlTool, MemoryIsBoundedForOneCall) {
  std::string columns = "randomblob(16000000)";
  for (int i = 0; i < 5; ++i) columns += ", randomblob(16000000)";
  const std::string many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 40) ";
  for (const std::string& statement :
       {"SELECT " + columns,
        many + "SELECT max(length(g)) FROM (SELECT group_concat(hex(zeroblob(1000000))) OVER (ORDER BY i) AS "
               "g FROM n)",
        "SELECT " + std::string(250, '(') + "1" + std::string(250, ')'),
        many + "SELECT group_concat(hex(zeroblob(400000))) FROM n"}) {
    const ToolEnding ending = run(statement, Json::object());
    EXPECT_EQ(ending.ending, Ending::kFailed) << statement.substr(0, 100);
    EXPECT_THAT(ending.text,
                testing::AnyOf(HasSubstr("needs more than 64 MiB of memory"), HasSubstr("too big"),
                               HasSubstr("parser stack"), HasSubstr("maximum depth")))
        << statement.substr(0, 100);
  }
  // It was the statement's fault, and nobody else's: the next one runs.
  EXPECT_EQ(run("SELECT 1", Json::object()).ending, Ending::kDone);
}

TEST_F(SqlTool, ASortOfMoreThanMemoryGoesToDisk) {
  max_rows_ = 1;
  const std::string much =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 100000) "
      "SELECT DISTINCT i, hex(randomblob(400)) AS b FROM n ORDER BY b";
  const ToolEnding ending = run(much, Json::object());
  EXPECT_EQ(ending.ending, Ending::kDone) << ending.text;
  EXPECT_EQ(Json::parse(ending.text)["truncated"], true);
}

// Nor does it take the disk that everybody's data is on.
TEST_F(SqlTool, WhatGoesToDiskIsBounded) {
  timeout_ = "10m";
  const ToolEnding ending =
      run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 1000) "
          "SELECT DISTINCT i, hex(zeroblob(200000)) || i AS b FROM n ORDER BY b",
          Json::object());
  EXPECT_EQ(ending.ending, Ending::kFailed);
  EXPECT_THAT(ending.text, HasSubstr("more than 256 MiB of temporary files"));
  EXPECT_EQ(run("SELECT DISTINCT id FROM orders ORDER BY note", Json::object()).ending, Ending::kDone);
}

TEST_F(SqlTool, MemoryIsAShareOfTheServers) {
  ASSERT_TRUE(memory_.take(127 << 20).ok());
  const std::string large = "SELECT length(hex(zeroblob(4000000))) AS n";
  EXPECT_EQ(run(large, Json::object()).ending, Ending::kRetry) << "others hold it, and will give it back";
  memory_.give_back(127 << 20);
  EXPECT_EQ(run(large, Json::object()).ending, Ending::kDone);
  EXPECT_EQ(memory_.used(), 0u);
}

TEST_F(SqlTool, AReadingToolCannotWrite) {
  for (const char* statement : {"DELETE FROM orders", "PRAGMA journal_mode=DELETE", "ATTACH '/tmp/x.db' AS x",
                                "SELECT 1; DROP TABLE orders", "BEGIN; SELECT 1"}) {
    EXPECT_EQ(run(statement, Json::object()).ending, Ending::kFailed) << statement;
  }
  EXPECT_EQ(Json::parse(run("SELECT count(*) AS n FROM orders", Json::object()).text)["rows"][0]["n"], 3);
}

TEST_F(SqlTool, AWriteHappensOncePerKey) {
  const std::string statement = "INSERT INTO refunds VALUES (:order_id, :amount) RETURNING amount";
  const Json arguments = {{"order_id", 2}, {"amount", 180}};
  ToolEnding first = run(statement, arguments, false, "key-a");
  EXPECT_EQ(first.ending, Ending::kDone);
  EXPECT_EQ(Json::parse(first.text)["changes"], 1);
  ToolEnding again = run(statement, arguments, false, "key-a");
  EXPECT_EQ(again.text, first.text);
  EXPECT_EQ(Json::parse(run("SELECT count(*) AS n FROM refunds", Json::object()).text)["rows"][0]["n"], 1);
  run(statement, arguments, false, "key-b");
  EXPECT_EQ(Json::parse(run("SELECT count(*) AS n FROM refunds", Json::object()).text)["rows"][0]["n"], 2);
}

TEST_F(SqlTool, AFailedStatementLeavesNothing) {
  ToolEnding ending = run("INSERT INTO refunds VALUES (1, 1); INSERT INTO orders VALUES (1, 1, 'taken')",
                          Json::object(), false);
  EXPECT_EQ(ending.ending, Ending::kFailed);
  EXPECT_THAT(ending.text, HasSubstr("UNIQUE"));
  EXPECT_EQ(Json::parse(run("SELECT count(*) AS n FROM refunds", Json::object()).text)["rows"][0]["n"], 0);
  ending = run("INSERT INTO refunds VALUES (1, 1); COMMIT; SELECT broken", Json::object(), false);
  EXPECT_EQ(ending.ending, Ending::kFailed);
  EXPECT_EQ(Json::parse(run("SELECT count(*) AS n FROM refunds", Json::object()).text)["rows"][0]["n"], 0);
}

TEST_F(SqlTool, ResultsAndTimeAreBounded) {
  max_rows_ = 2;
  Json out = Json::parse(run("SELECT id FROM orders ORDER BY id", Json::object()).text);
  EXPECT_EQ(out["rows"].size(), 2u);
  EXPECT_EQ(out["truncated"], true);
  timeout_ = "50ms";
  ToolEnding ending = run(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT max(i) FROM n", Json::object());
  EXPECT_EQ(ending.ending, Ending::kFailed);
  EXPECT_THAT(ending.text, HasSubstr("ran longer than 50ms"));
}

// As data a part of the rows would be taken for all.
TEST_F(SqlTool, DataIsAllRowsOrAnError) {
  as_data_ = true;
  max_rows_ = 2;
  ToolEnding ending = run("SELECT id FROM orders", Json::object());
  EXPECT_EQ(ending.ending, Ending::kFailed);
  EXPECT_THAT(ending.text, HasSubstr("more than 2 rows"));
  EXPECT_THAT(ending.text, HasSubstr("`max_rows`"));
  EXPECT_EQ(run("SELECT id FROM orders LIMIT 2", Json::object()).ending, Ending::kDone);
  ending = run("SELECT printf('%.*c', 70000, 'x') AS s", Json::object());
  EXPECT_EQ(ending.ending, Ending::kFailed);
  EXPECT_THAT(ending.text, HasSubstr("`max_bytes`"));
  // What only stands before the rows that are asked for may be cut.
  EXPECT_EQ(run("SELECT id FROM orders; SELECT 1 AS n", Json::object()).ending, Ending::kDone);
  ending = run("UPDATE orders SET total = 0 RETURNING id", Json::object(), false);
  EXPECT_EQ(ending.ending, Ending::kFailed);
  EXPECT_THAT(ending.text, HasSubstr("nothing was changed"));
  EXPECT_EQ(Json::parse(run("SELECT count(*) AS n FROM orders WHERE total = 0", Json::object()).text)["rows"],
            Json::parse(R"([{"n":0}])"));
}

TEST_F(SqlTool, WhatIsNoJsonIsNoData) {
  const char* const statements[] = {"SELECT x'00ff80' AS b", "SELECT CAST(x'61ff' AS TEXT) AS b"};
  for (const char* statement : statements) {
    as_data_ = true;
    const ToolEnding ending = run(statement, Json::object());
    EXPECT_EQ(ending.ending, Ending::kFailed) << statement;
    EXPECT_THAT(ending.text, HasSubstr("hex(b)"));
    as_data_ = false;
    EXPECT_EQ(run(statement, Json::object()).ending, Ending::kDone) << statement;
  }
}

TEST_F(SqlTool, WhatIsBeyondADoubleIsSaid) {
  EXPECT_EQ(Json::parse(run("SELECT 1e999 AS a, -1e999 AS b, 1.5 AS c", Json::object()).text)["rows"],
            Json::parse(R"([{"a":"Infinity","b":"-Infinity","c":1.5}])"));
}

TEST_F(SqlTool, AParameterWithoutANameIsRefused) {
  for (const char* statement : {"SELECT ? AS v", "SELECT :id, ?2 AS v"}) {
    const auto wrong = why_no_tool(
        "{name: t, type: sql, parameters: {properties: {id: {}}}, sql: {database: " + path_.string() +
        ", statement: \"" + statement + "\"}}");
    EXPECT_THAT(wrong, HasSubstr("statement")) << statement;
    EXPECT_THAT(wrong, HasSubstr("`:argument`")) << statement;
  }
}

// A worker that stops has not found out anything about the statement: another one runs it again.
TEST_F(SqlTool, AStoppedCallIsRepeatedNotFailed) {
  stop_.request_stop();
  const std::string endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) ";
  EXPECT_EQ(run(endless + "SELECT max(i) FROM n", Json::object()).ending, Ending::kRetry);
  EXPECT_EQ(run(endless + "INSERT INTO refunds SELECT i, 1 FROM n", Json::object(), false).ending,
            Ending::kRetry);
  EXPECT_EQ(Json::parse(run("SELECT count(*) AS n FROM refunds", Json::object()).text)["rows"][0]["n"], 0);
}

TEST_F(SqlTool, AMissingDatabaseIsSaidNotMade) {
  path_ += "-missing";
  ToolEnding ending = run("SELECT 1", Json::object());
  EXPECT_EQ(ending.ending, Ending::kFailed);
  EXPECT_THAT(ending.text, HasSubstr("cannot open the database"));
  EXPECT_EQ(run("INSERT INTO t VALUES(1)", Json::object(), false).ending, Ending::kFailed);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace holdfast::agent
