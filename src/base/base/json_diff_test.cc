// Two versions of a definition are compared by what they say: names, not places, and texts by their lines.

#include "base/json_diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/line_diff.h"

namespace holdfast {
namespace {

using Json = nlohmann::json;
using testing::ElementsAre;

std::vector<std::string> changes(const char* before, const char* after) {
  std::vector<std::string> out;
  for (const JsonChange& change : json_diff(Json::parse(before), Json::parse(after)))
    out.push_back(std::string(to_string(change.kind)) + " " + change.path);
  return out;
}

TEST(JsonDiff, MembersHaveTheirPaths) {
  EXPECT_THAT(changes(R"({"a":1,"b":{"c":1,"d":2}})", R"({"a":1,"b":{"c":2,"e":3}})"),
              ElementsAre("changed b.c", "removed b.d", "added b.e"));
  EXPECT_TRUE(json_diff(Json::parse(R"({"a":[1,{"b":2}]})"), Json::parse(R"({"a":[1,{"b":2}]})")).empty());
  EXPECT_THAT(changes("1", "\"1\""), ElementsAre("changed "));
}

TEST(JsonDiff, ElementsWithNamesAreTheSameWhereverTheyStand) {
  EXPECT_THAT(changes(R"({"tools":[{"name":"x","t":1},{"name":"y"},{"name":"z"}]})",
                      R"({"tools":[{"name":"y"},{"name":"x","t":2},{"name":"w"}]})"),
              ElementsAre("changed tools[x].t", "removed tools[z]", "added tools[w]", "reordered tools"));
  EXPECT_THAT(changes(R"({"tools":[]})", R"({"tools":[{"name":"x"}]})"), ElementsAre("added tools[x]"));
}

TEST(JsonDiff, OtherElementsAreComparedBetweenWhatIsAlike) {
  EXPECT_THAT(changes("[1,2,3,9]", "[1,4,9]"), ElementsAre("changed [1]", "removed [2]"));
  EXPECT_THAT(changes("[1,9]", "[1,4,5,9]"), ElementsAre("added [1]", "added [2]"));
  // Two of one name are no names.
  EXPECT_THAT(changes(R"([{"name":"x"},{"name":"x"}])", R"([{"name":"x"}])"), ElementsAre("removed [1]"));
}

TEST(JsonDiff, ATextOfLinesSaysWhichChanged) {
  const auto all = json_diff(Json{{"prompt", "a\nb\nc\n"}}, Json{{"prompt", "a\nB\nc\n"}});
  ASSERT_EQ(all.size(), 1u);
  EXPECT_THAT(all[0].lines, ElementsAre(" a", "-b", "+B", " c"));
  EXPECT_TRUE(json_diff(Json{{"name", "a"}}, Json{{"name", "b"}})[0].lines.empty());
  EXPECT_EQ(to_json(all[0])["kind"], "changed");
}

TEST(LineDiff, ShowsAFewLinesAroundAChange) {
  EXPECT_THAT(line_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n"),
              ElementsAre("...", " 2", " 3", " 4", "-5", "+x", " 6", " 7", " 8", "..."));
  EXPECT_THAT(line_diff("", "a\nb"), ElementsAre("+a", "+b"));
  EXPECT_TRUE(line_diff("a\nb", "a\nb").empty());
}

TEST(LineDiff, ALongTextWithoutAnythingInCommonIsReplaced) {
  std::string before;
  std::string after;
  for (int i = 0; i < 5000; ++i) {
    before += "a" + std::to_string(i) + "\n";
    after += "b" + std::to_string(i) + "\n";
  }
  EXPECT_EQ(line_diff(before, after).size(), 10'000u);
}

}  // namespace
}  // namespace holdfast
