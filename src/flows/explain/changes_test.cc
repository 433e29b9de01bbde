// Goal: what changed of a flow is told by block, with what it means for who shares an activity.

#include "explain/changes.h"

#include <gmock/gmock.h>

namespace holdfast::flows {
namespace {

using Json = nlohmann::ordered_json;

FlowVersion version(const std::string& blocks, const std::string& planner = "V3") {
  FlowVersion out;
  out.document = nlohmann::json::parse(
      R"({"apiVersion": "holdfast.dev/v1", "kind": "Flow", "metadata": {"name": "f"}, "spec": {"planner": ")" +
      planner + R"(", "blocks": [{"id": "begin", "type": "start"}, )" + blocks + "]}}");
  auto flow = read_flow(out.document.dump(), "f");
  EXPECT_TRUE(flow) << flow.error().message();
  if (flow) out.flow = *std::move(flow);
  return out;
}

const char* kTwo =
    R"({"id": "a", "type": "sql", "needs": ["begin"]}, {"id": "b", "type": "http", "needs": ["a"]})";

const Json* row(const Json& told, const std::string& block) {
  for (const Json& one : told["blocks"]) {
    if (one["block"] == block) return &one;
  }
  return nullptr;
}

TEST(FlowChanges, TheSameIsNoChange) {
  const Json told = flow_changes(version(kTwo), version(kTwo), {});
  EXPECT_EQ(told["flow"], Json::array());
  EXPECT_EQ(told["blocks"], Json::array());
  EXPECT_EQ(told["plan"]["before"], told["plan"]["after"]);
}

TEST(FlowChanges, APolicyOfItsOwnParts) {
  const Json told = flow_changes(
      version(kTwo),
      version(
          R"({"id": "a", "type": "sql", "needs": ["begin"]}, {"id": "b", "type": "http", "needs": ["a"], "retry": {"attempts": 5}})"),
      {});
  const Json* b = row(told, "b");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ((*b)["what"], "changed");
  EXPECT_EQ((*b)["changes"][0]["path"], "retry");
  EXPECT_EQ((*b)["before"]["with"], Json::array({"a"}));
  EXPECT_EQ((*b)["after"]["with"], Json::array());
  EXPECT_EQ((*b)["after"]["why"], "needs its own: custom retry policy");
  const Json* a = row(told, "a");
  ASSERT_NE(a, nullptr) << "it says the same, and shares its activity with nobody any more";
  EXPECT_EQ((*a)["what"], "placed");
  EXPECT_EQ(told["plan"]["before"]["activities"], 2);
  EXPECT_EQ(told["plan"]["after"]["activities"], 3);
}

TEST(FlowChanges, BlocksComeAndGo) {
  const Json told = flow_changes(
      version(kTwo),
      version(
          R"({"id": "a", "type": "sql", "needs": ["begin"]}, {"id": "c", "type": "code", "needs": ["a"]})",
          "V1"),
      {});
  EXPECT_EQ((*row(told, "c"))["what"], "added");
  EXPECT_EQ((*row(told, "b"))["what"], "removed");
  EXPECT_EQ(told["flow"][0]["path"], "spec.planner");
  EXPECT_EQ(told["plan"]["after"]["planner"], "V1");
}

TEST(FlowChanges, AnotherOrderIsTold) {
  const Json told = flow_changes(
      version(kTwo),
      version(
          R"({"id": "b", "type": "http", "needs": ["a"]}, {"id": "a", "type": "sql", "needs": ["begin"]})"),
      {});
  EXPECT_EQ(told["flow"][0]["kind"], "reordered");
}

}  // namespace
}  // namespace holdfast::flows
