// Goal: the explanation says of the published graphs what was published of them. Method: the files of
// examples/flows, read as a user's.

#include "explain/explain.h"

#include "explain/happened.h"

#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <sstream>

namespace holdfast::flows {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::ordered_json;

Flow example(const std::string& name) {
  std::ifstream in(HOLDFAST_EXAMPLES "/flows/" + name);
  std::stringstream text;
  text << in.rdbuf();
  auto flow = read_flow(text.str(), name);
  EXPECT_TRUE(flow) << flow.error().message();
  return flow ? *std::move(flow) : Flow();
}

Json explained(const Flow& flow, const Costs& costs = {}) {
  const Graph graph = graph_of(flow);
  return explain(flow, graph, all_plans(graph, costs), costs);
}

TEST(Explain, EightBlocksAreEightFourAndFour) {
  const Json told = explained(example("eight.yaml"));
  EXPECT_EQ(told["planners"]["V1"]["count"], 8);
  EXPECT_EQ(told["planners"]["V2"]["count"], 4);
  EXPECT_EQ(told["planners"]["V3"]["count"], 4);
  EXPECT_LE(told["planners"]["V4"]["count"], 4);
  EXPECT_EQ(told["planners"]["V2"]["held_up_by_people"], Json::array({"note", "tell"}));
  EXPECT_EQ(told["planners"]["V3"]["held_up_by_people"], Json::array());
  EXPECT_EQ(told["planners"]["V3"]["activities"][1]["blocks"],
            Json::array({"find", "score", "note", "tell"}));
  EXPECT_EQ(told["planners"]["V3"]["activities"][2]["kind"], "step");
  EXPECT_EQ(told["planners"]["V3"]["activities"][3]["after"], Json::array({"a3"}));
}

// Thirty blocks that do nothing, where an activity costs a tenth of a second: what was published as about
// eight times as fast and five times cheaper.
TEST(Explain, ThirtyBlocksAreSixActivities) {
  const Costs costs{std::chrono::milliseconds(100), std::chrono::milliseconds(100)};
  Flow flow = example("thirty.yaml");
  for (FlowBlock& block : flow.blocks) block.takes = Micros(0);
  const Json told = explained(flow, costs);
  EXPECT_EQ(told["planners"]["V1"]["count"], 30);
  EXPECT_EQ(told["planners"]["V3"]["count"], 6);
  EXPECT_LE(told["planners"]["V4"]["count"], 6);
  const double faster =
      told["planners"]["V1"]["latency_ms"].get<double>() / told["planners"]["V3"]["latency_ms"].get<double>();
  EXPECT_GE(faster, 7);
  EXPECT_LE(faster, 9);
  EXPECT_EQ(told["planners"]["V1"]["temporal_actions"], 31);
  EXPECT_EQ(told["planners"]["V3"]["temporal_actions"], 7);
}

TEST(Explain, EveryBlockHasAReason) {
  const Json told = explained(example("thirty.yaml"));
  for (const auto& [planner, plan] : told["planners"].items()) {
    std::size_t blocks = 0;
    for (const Json& activity : plan["activities"]) {
      for (const Json& block : activity["blocks"]) {
        ++blocks;
        EXPECT_FALSE(activity["why"][block.get<std::string>()].get<std::string>().empty()) << planner;
      }
    }
    EXPECT_EQ(blocks, 30u);
  }
}

TEST(Explain, OfABodyItSaysHowManyActivitiesItsItemsAre) {
  const Json told = explained(example("prices.yaml"));
  const Json& price = told["bodies"]["price"];
  EXPECT_EQ(price["parallel"], 4);
  EXPECT_EQ(price["takes_ms"], 8);
  EXPECT_EQ(price["planned"][0]["items"], 10);
  EXPECT_EQ(price["planned"][0]["items_each"], 3);
  EXPECT_EQ(price["planned"][0]["activities"], 4);
  EXPECT_LE(price["planned"][2]["items_each"], 1000);
  EXPECT_EQ(told["bodies"]["divide"]["parallel"], 1);
}

TEST(Explain, OfABodyWhoseItemsAreRunsItSaysHowMany) {
  const auto flow = read_flow(
      "apiVersion: holdfast.dev/v1\nkind: Flow\nmetadata: {name: f}\nspec:\n  blocks:\n"
      "    - {id: begin, type: start}\n"
      "    - {id: each, type: map, needs: [begin], with: {over: 3, parallel: 2}, blocks: [{id: ask, type: "
      "agent, "
      "takes: 2s}]}\n",
      "f.yaml");
  ASSERT_TRUE(flow) << flow.error().message();
  const Graph graph = graph_of(*flow);
  const Costs costs;
  const Json told = explain(*flow, graph, all_plans(graph, costs), costs);
  const Json& each = told["bodies"]["each"];
  ASSERT_EQ(each["planned"].size(), 2U) << "a hundred thousand are too many";
  EXPECT_EQ(each["planned"][0]["runs"], 10);
  EXPECT_EQ(each["takes_ms"], 2003.5) << "a step, the agent's step, and the activity that records it";
  EXPECT_EQ(each["planned"][0]["latency_ms"], 2003.5 * 5);
  const Json& step = told["planners"]["V4"]["activities"][1];
  EXPECT_EQ(step["kind"], "step");
  EXPECT_EQ(step["why"]["each"], "needs its own: each item is a run of its own");
}

TEST(Explain, ThePictureHasEveryBlockAndNoForeignMarkup) {
  Flow flow = example("eight.yaml");
  flow.name = "<script>";
  const Graph graph = graph_of(flow);
  const std::string svg = picture(flow, graph, all_plans(graph, {})[2]);
  for (const Block& block : graph) EXPECT_THAT(svg, HasSubstr(">" + block.id + "<"));
  EXPECT_EQ(svg.find("<script>"), std::string::npos);
  EXPECT_THAT(svg, HasSubstr("class=\"step critical\""));
}

TEST(Explain, ThePredictionStandsBesideWhatHappened) {
  const Flow flow = example("eight.yaml");
  const Json told = plan_and_run(flow, {}, {{"find", 5, 20, "ok"}}, 100);
  ASSERT_EQ(told["blocks"].size(), 8U);
  for (const Json& row : told["blocks"]) {
    if (row["block"] != "find") {
      EXPECT_EQ(row["was"], nullptr);
      continue;
    }
    EXPECT_EQ(row["was"]["took_ms"], 20);
    EXPECT_EQ(row["error_percent"], std::round((20 - row["predicted"]["takes_ms"].get<double>()) /
                                               row["predicted"]["takes_ms"].get<double>() * 100));
  }
  EXPECT_EQ(told["took_ms"], 100);
}

}  // namespace
}  // namespace holdfast::flows
