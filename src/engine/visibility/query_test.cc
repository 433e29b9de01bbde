// Bad list filters are refused with the position of the mistake, however they are bad; hostile ones stay
// bounded.

#include "visibility/query.h"
#include "base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "visibility/sql.h"

namespace holdfast::visibility {
namespace {

using ::testing::HasSubstr;

TEST(ParseQuery, NamesThePositionOfAMistake) {
  const std::pair<const char*, const char*> cases[] = {
      {"WorkflowId", "position 11"},
      {"WorkflowId =", "position 13"},
      {"WorkflowId = 'open", "position 14"},
      {"WorkflowId = order", "position 14"},
      {"(WorkflowId = 'a'", "position 18"},
      {"WorkflowId = 'a')", "position 17"},
      {"WorkflowId = 'a' WorkflowId = 'b'", "position 18"},
      {"WorkflowId IN 'a'", "position 15"},
      {"WorkflowId IN ('a' 'b')", "position 20"},
      {"HistoryLength BETWEEN 1 OR 2", "position 25"},
      {"HistoryLength > 12abc", "position 17"},
      {"CloseTime IS 5", "position 14"},
      {"WorkflowId NOT 'a'", "position 16"},
      {"WorkflowId = 'a'; DROP TABLE execution", "position 17"},
      {"WorkflowId = 'a' LIMIT 5", "position 18"},
      {"ORDER StartTime", "position 7"},
      {"lower(WorkflowId) = 'a'", "position 6"},
      {"AND", "position 4"},
  };
  for (const auto& [text, position] : cases) {
    const auto query = parse_query(text);
    ASSERT_FALSE(query) << text;
    EXPECT_EQ(query.error().code(), Code::kInvalidArgument) << text;
    EXPECT_THAT(query.error().message(), HasSubstr(std::string(position) + ":")) << text;
  }
}

TEST(ParseQuery, QuotesWholeCharacters) {
  EXPECT_THAT(parse_query("é='a'").error().message(), HasSubstr("unexpected character \"é\""));
  std::string many = "a = 'b' ";
  for (int i = 0; i < 30; ++i) many += "é";
  EXPECT_TRUE(is_utf8(parse_query(many).error().message()));
  EXPECT_TRUE(is_utf8(parse_query("a = 'b' 'x" + many.substr(8) + "'").error().message()));
}

TEST(ParseQuery, IsBounded) {
  EXPECT_FALSE(parse_query(std::string(5000, '(') + "A=1" + std::string(5000, ')')));
  std::string many = "A=1";
  for (int i = 0; i < 500; ++i) many += " OR A=1";
  EXPECT_THAT(parse_query(many).error().message(), HasSubstr("comparisons"));
  EXPECT_THAT(parse_query(std::string(100'000, ' ')).error().message(), HasSubstr("longer"));
  std::string nots;
  for (int i = 0; i < 2000; ++i) nots += "NOT ";
  EXPECT_THAT(parse_query(nots + "A=1").error().message(), HasSubstr("nested"));
  std::string order = "ORDER BY StartTime";
  for (int i = 0; i < 600; ++i) order += i % 2 == 0 ? ",CloseTime desc" : ",StartTime";
  EXPECT_THAT(parse_query(order).error().message(), HasSubstr("ordered by more than 8"));
}

TEST(ParseQuery, AndBindsTighterThanOr) {
  const auto query = parse_query("a = 1 or b = 2 and not (c = 3)");
  ASSERT_TRUE(query);
  EXPECT_EQ(query->filter.kind, Expression::Kind::kOr);
  ASSERT_EQ(query->filter.operands.size(), 2u);
  EXPECT_EQ(query->filter.operands[1].kind, Expression::Kind::kAnd);
}

TEST(ParseTime, ReadsWhatTemporalWrites) {
  EXPECT_EQ(parse_time("1970-01-01T00:00:01Z"), 1'000'000'000);
  EXPECT_EQ(parse_time("1970-01-01T01:00:00.5+01:00"), 500'000'000);
  EXPECT_EQ(parse_time("1970-01-02"), 86'400'000'000'000);
  EXPECT_EQ(parse_time("yesterday"), std::nullopt);
}

}  // namespace
}  // namespace holdfast::visibility
