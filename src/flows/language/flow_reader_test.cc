// Goal: a flow is read whole, or every mistake in it is told with its place, its block and what to do.
// Method: one small flow per mistake.

#include <gmock/gmock.h>

#include "language/flow.h"

namespace holdfast::flows {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string file(const std::string& blocks) {
  return "apiVersion: holdfast.dev/v1\nkind: Flow\nmetadata: {name: f}\nspec:\n  blocks:\n" + blocks;
}
constexpr const char* kStart = "    - {id: begin, type: start}\n";

std::string told(const std::string& text) {
  const auto flow = read_flow(text, "f.yaml");
  return flow ? std::string("nothing") : flow.error().message();
}

TEST(FlowReader, ReadsWhatABlockSays) {
  const auto flow = read_flow(file(std::string(kStart) + R"(
    - id: find
      name: Find the order
      type: sql
      needs: [begin]
      retry: {attempts: 5, initial: 1s}
      timeout: 30s
      takes: 20ms
      with: {statement: SELECT 1}
      x-canvas: {x: 1}
    - id: decide
      type: branch
      needs: [find]
      with: {rules: [{name: large, when: "amount > 100"}]}
    - {id: ask, type: human, needs: [decide.large]}
    - {id: pay, type: http, needs: [ask, decide.otherwise], join: any, async: true}
)"),
                              "f.yaml");
  ASSERT_TRUE(flow) << flow.error().message();
  ASSERT_EQ(flow->blocks.size(), 5u);
  EXPECT_EQ(flow->blocks[1].retry->attempts, 5);
  EXPECT_EQ(flow->blocks[1].with["statement"], "SELECT 1");
  EXPECT_THAT(flow->blocks[2].outlets, ElementsAre("large", "otherwise", "error"));
  const Graph graph = graph_of(*flow);
  EXPECT_EQ(graph[1].why_dedicated, "custom retry policy");
  EXPECT_EQ(graph[1].takes, std::chrono::milliseconds(20));
  EXPECT_FALSE(graph[2].dedicated);
  EXPECT_TRUE(graph[3].human && graph[3].in_workflow && graph[3].dedicated);
  EXPECT_EQ(graph[4].why_dedicated, "completes asynchronously");
  EXPECT_THAT(graph[4].parents, ElementsAre(2, 3));
}

TEST(FlowReader, TellsEveryMistakeWithItsPlace) {
  struct Case {
    std::string blocks;
    std::string expected;
  };
  const std::string start = kStart;
  for (const Case& one : std::vector<Case>{
           {start + "    - {id: a, type: htp, needs: [begin]}\n", "7:21: `spec.blocks[1].type`"},
           {start + "    - {id: a, type: http, needs: [begn]}\n", "did you mean `begin`?"},
           {start + "    - {id: a, type: http, needs: [begin.large]}\n",
            "`begin` has no outlet `large`; its outlets are done, error"},
           {start + "    - {id: begin, type: http, needs: [begin]}\n",
            "block `begin`: there is one of that name in line 6"},
           {start + "    - {id: a, type: http}\n", "block `a`: is not connected"},
           {start + "    - {id: a, type: http, needs: [a]}\n", "block `a`: waits for itself: a -> a"},
           {start + "    - {id: a, type: http, needs: [begin, c]}\n    - {id: b, type: sql, needs: [a]}\n    "
                    "- {id: c, type: sql, needs: [b]}\n",
            "waits for itself: a -> b -> c -> a"},
           {start + "    - {id: a, type: start}\n", "a flow has one start, and `begin` is it"},
           {start + "    - {id: a, type: http, needs: [begin, begin]}\n", "needs `begin` twice"},
           {start + "    - {id: a-b, type: http, needs: [begin]}\n",
            "`spec.blocks[1].id`: begins with a letter"},
           {start + "    - {id: a, type: http, needs: [begin], colour: red}\n", "colour"},
           {start + "    - {id: a, type: branch, needs: [begin]}\n", "needs `rules`"},
           {start + "    - {id: a, type: http, needs: [begin], retry: {attempts: 0}}\n", "attempts"},
           {start +
                "    - {id: a, type: http, needs: [begin]}\n    - {id: b, type: http, needs: [a, a.error]}\n",
            "block `b`: never runs"},
           {start +
                "    - {id: a, type: branch, needs: [begin], with: {rules: [{name: x, when: \"1\"}]}}\n"
                "    - {id: b, type: http, needs: [a.x]}\n    - {id: c, type: http, needs: [a.otherwise]}\n"
                "    - {id: d, type: http, needs: [b]}\n    - {id: e, type: http, needs: [c, d]}\n",
            "11:38: block `e`: never runs: it waits for all of `needs`, and two of them exclude each other "
            "by what `a` comes to"},
           {start + "    - {id: a, type: branch, needs: [begin], with: {rules: [{name: x, when: \"1\"}]}}\n"
                    "    - {id: b, type: http, needs: [a]}\n",
            "`a` decides: name the outlet, such as `a.x`"},
           {"    - {id: a, type: http, needs: [a]}\n", "waits for itself"},
           {"    []\n", "`spec.blocks`"},
       }) {
    EXPECT_THAT(told(file(one.blocks)), HasSubstr(one.expected)) << one.blocks;
  }
  EXPECT_THAT(told(""), HasSubstr("f.yaml:1:1: the file is empty"));
  EXPECT_THAT(told(file(kStart) + "---\n" + file(kStart)), HasSubstr("a second document"));
  EXPECT_THAT(told("a: [\n"), HasSubstr("broken YAML"));
  EXPECT_THAT(told(std::string(kMaxFlowBytes + 1, ' ')), HasSubstr("at most"));
}

TEST(FlowReader, TellsAllAtOnce) {
  const std::string text = told(
      file(std::string(kStart) + "    - {id: a, type: htp, needs: [begn]}\n    - {id: b, type: http}\n"));
  EXPECT_THAT(text, HasSubstr("type"));
  EXPECT_THAT(text, HasSubstr("begn"));
  EXPECT_THAT(text, HasSubstr("block `b`: is not connected"));
}

// What waits for either of two that exclude each other does run; so does what comes behind it.
TEST(FlowReader, AnyOfTwoIsNoContradiction) {
  EXPECT_EQ(
      told(file(std::string(kStart) +
                "    - {id: a, type: branch, needs: [begin], with: {rules: [{name: x, when: \"1\"}]}}\n"
                "    - {id: b, type: http, needs: [a.x]}\n    - {id: c, type: http, needs: [a.otherwise]}\n"
                "    - {id: d, type: join, join: any, needs: [b, c]}\n    - {id: e, type: http, needs: [d, "
                "begin]}\n")),
      "nothing");
}

TEST(FlowReader, TakesTenThousandBlocksAndNoMore) {
  std::string blocks = kStart;
  for (std::size_t i = 1; i < kMaxBlocks; ++i)
    blocks += "    - {id: b" + std::to_string(i) + ", type: http, needs: [" +
              (i == 1 ? "begin" : "b" + std::to_string(i - 1)) + "]}\n";
  const auto flow = read_flow(file(blocks), "f.yaml");
  ASSERT_TRUE(flow) << flow.error().message();
  EXPECT_EQ(graph_of(*flow).size(), kMaxBlocks);
  EXPECT_THAT(told(file(blocks + "    - {id: more, type: http, needs: [begin]}\n")), HasSubstr("10000"));
}

TEST(FlowReader, ReadsABody) {
  const auto flow = read_flow(file(std::string(kStart) + R"(
    - id: each
      type: map
      needs: [begin]
      with: {over: 3}
      blocks:
        - {id: kind, type: switch, with: {value: 1, cases: [{name: one, is: 1}]}}
        - {id: made, type: join, needs: [kind.one]}
)"),
                              "f.yaml");
  ASSERT_TRUE(flow) << flow.error().message();
  ASSERT_TRUE(flow->blocks[1].body);
  EXPECT_TRUE(flow->blocks[1].body->is_body);
  EXPECT_THAT(flow->blocks[1].body->blocks[0].outlets, ElementsAre("one", "otherwise", "error"));
  EXPECT_EQ(graph_of(*flow)[1].why_dedicated, "plans its items itself");
}

// Each alias is a body of its own: what is read of them is bounded, not what the file has.
TEST(FlowReader, ManyBodiesOfFewLinesAreRefused) {
  std::string text =
      std::string(kStart) +
      "    - &m\n      id: m0\n      type: map\n      needs: [begin]\n      with: {over: 3}\n      "
      "blocks: &b [";
  for (int i = 0; i < 100; ++i) text += "{id: a" + std::to_string(i) + ", type: join},";
  text += "]\n";
  for (int i = 1; i < 200; ++i) {
    text +=
        "    - {id: m" + std::to_string(i) + ", type: map, needs: [begin], with: {over: 3}, blocks: *b}\n";
  }
  EXPECT_THAT(told(file(text)), HasSubstr("all bodies together have 10000 blocks at most"));
}

}  // namespace
}  // namespace holdfast::flows
