// Goal: arguments are found where PostgreSQL would find them and nowhere else, and nothing that a statement
// holds gets it out of the tool's transaction. Method: a table of texts.

#include "tool/postgres_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

PostgresStatement one(std::string_view text) {
  const auto script = read_postgres_script(text);
  EXPECT_TRUE(script) << script.error().message();
  EXPECT_EQ(script ? script->size() : 0, 1u);
  return script ? script->at(0) : PostgresStatement();
}
std::string error_of(std::string_view text) {
  const auto script = read_postgres_script(text);
  return script ? "" : std::string(script.error().message());
}

TEST(PostgresScript, NamesBecomeNumbers) {
  const PostgresStatement found = one("SELECT :a::int, :b, :a FROM t WHERE x[1:2] = '{:no}' AND y := 1");
  EXPECT_EQ(found.sql, "SELECT $1::int, $2, $1 FROM t WHERE x[1:2] = '{:no}' AND y := 1");
  EXPECT_THAT(found.parameters, ElementsAre("a", "b"));
}

TEST(PostgresScript, QuotesAndCommentsHideThem) {
  EXPECT_EQ(one("SELECT 'it''s :a', \":b\", E'\\':c', $$:d;$$, $x$ $$ :e $x$ -- :f\n, 1").sql,
            "SELECT 'it''s :a', \":b\", E'\\':c', $$:d;$$, $x$ $$ :e $x$  \n, 1");
  EXPECT_EQ(one("SELECT /* :a /* ; */ ' */ 1").sql, "SELECT   1");
  EXPECT_TRUE(one("SELECT 'a:b'").parameters.empty());
}

TEST(PostgresScript, StatementsAreKeptApart) {
  const auto script = read_postgres_script("INSERT INTO a VALUES (';'); ; -- nothing\n SELECT 1;");
  ASSERT_TRUE(script);
  ASSERT_EQ(script->size(), 2u);
  EXPECT_EQ(script->at(0).sql, "INSERT INTO a VALUES (';')");
}

TEST(PostgresScript, WhatIsNotAToolsIsRefused) {
  for (const char* text :
       {"COMMIT", "INSERT INTO a VALUES (1); commit", "/* x */ Rollback", "SET search_path = x",
        "COPY a TO PROGRAM 'x'", "BEGIN", "PREPARE TRANSACTION 'x'", "DISCARD ALL"})
    EXPECT_THAT(error_of(text), HasSubstr("is no statement for a tool")) << text;
  EXPECT_THAT(error_of("SELECT $1"), HasSubstr(":argument"));
  EXPECT_THAT(error_of("SELECT 'x"), HasSubstr("not closed"));
  EXPECT_THAT(error_of("SELECT /* x"), HasSubstr("not closed"));
  EXPECT_THAT(error_of("SELECT $a$ x"), HasSubstr("not closed"));
  EXPECT_THAT(error_of(" ; -- x"), HasSubstr("no statement"));
}

}  // namespace
}  // namespace holdfast::agent
