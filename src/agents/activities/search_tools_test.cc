// Goal: of hundreds of tools a model finds the one it needs, and is told of no more than it found. Method: a
// definition of many tools, as it is read.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "activities/builtin_tools.h"
#include "activities/catalog.h"
#include "activities/search_tools.h"

namespace holdfast::agent {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string tool(std::string_view name, std::string_view description, std::string_view argument = "id") {
  return "    - {name: " + std::string(name) + ", type: http, description: \"" + std::string(description) +
         "\", parameters: {properties: {" + std::string(argument) +
         ": {type: string}}}, http: {url: \"http://127.0.0.1:1/x\"}}\n";
}

AgentDefinition many(std::size_t count, std::string_view loading) {
  std::string text =
      "apiVersion: holdfast.dev/v1\nkind: Agent\nmetadata: {name: many}\nspec:\n  model: {provider: openai, "
      "name: m}\n  prompt: p\n  tools:\n";
  text += tool("issue_refund", "Pays money back to a customer", "order_number");
  text += tool("lookupOrder", "Finds an order by its number");
  text += tool("cancel_shipment", "Stops a parcel that is on its way");
  for (std::size_t i = 3; i < count; ++i)
    text += tool("report_" + std::to_string(i), "Reads report number " + std::to_string(i));
  auto read = parse_definition(text + "  " + std::string(loading) + "\n", "agent.yaml");
  EXPECT_TRUE(read) << read.error().message();
  return read ? *std::move(read) : AgentDefinition();
}

std::vector<std::string> names(const std::vector<const ToolSpec*>& tools) {
  std::vector<std::string> out;
  for (const ToolSpec* one : tools) out.push_back(one->name);
  return out;
}

TEST(SearchTools, FindsNothingThatIsNotGranted) {
  const AgentDefinition agent = many(10, "tools_loading: search");
  platform::ToolGrant row;
  row.tools = {"issue_*"};
  row.mode = platform::GrantMode::kDeny;
  const grant::ToolPermits permits({row}, {});
  EXPECT_EQ(names(find_tools(agent, "refunds", 3)).front(), "issue_refund");
  EXPECT_THAT(names(find_tools(agent, "refunds", 3, &permits)), Not(Contains("issue_refund")));
  EXPECT_THAT(names(find_tools(agent, "order", 3, &permits)), Contains("lookupOrder"));
}

TEST(SearchTools, FindsByWhatAToolIsCalledDoesAndTakes) {
  const AgentDefinition agent = many(1000, "tools_loading: search");
  EXPECT_EQ(names(find_tools(agent, "refunds", 3)).front(), "issue_refund");
  EXPECT_EQ(names(find_tools(agent, "give the money back", 3)).front(), "issue_refund");
  EXPECT_EQ(names(find_tools(agent, "stop the parcel", 3)).front(), "cancel_shipment");
  EXPECT_EQ(names(find_tools(agent, "lookup order", 3)).front(), "lookupOrder");
  EXPECT_THAT(names(find_tools(agent, "report_777", 1)), ElementsAre("report_777"));
  EXPECT_EQ(find_tools(agent, "report", 100).size(), kMaxToolsFound);
  EXPECT_TRUE(find_tools(agent, "zzz", 5).empty());
  EXPECT_TRUE(find_tools(agent, " ... ", 5).empty());
}

TEST(SearchTools, AModelIsToldOfWhatIsPinnedAndWhatItFound) {
  const AgentDefinition agent = many(1000, "tools_loading: {mode: search, pinned: [lookupOrder]}");
  EXPECT_THAT(names(offered_tools(agent, {})), ElementsAre("lookupOrder", "search_tools", "read_output"));
  EXPECT_THAT(names(offered_tools(agent, {"report_5", "issue_refund", "lookupOrder", "gone"})),
              ElementsAre("lookupOrder", "search_tools", "read_output", "report_5", "issue_refund"));
  std::vector<std::string> loaded;
  for (std::size_t i = 0; i < 2 * kMaxLoadedTools; ++i) add_loaded(loaded, {"report_" + std::to_string(i)});
  add_loaded(loaded, {"report_100", "report_127"});
  EXPECT_EQ(loaded.size(), kMaxLoadedTools);
  EXPECT_EQ(loaded.back(), "report_127");
}

TEST(SearchTools, ManyToolsAreSearchedForUnlessTheDefinitionSaysOtherwise) {
  EXPECT_FALSE(searches_tools(many(kMaxToolsAtOnce, "")));
  EXPECT_TRUE(searches_tools(many(kMaxToolsAtOnce + 1, "")));
  EXPECT_FALSE(searches_tools(many(kMaxToolsAtOnce + 1, "tools_loading: all")));
  EXPECT_TRUE(searches_tools(many(3, "tools_loading: search")));
  EXPECT_THAT(names(offered_tools(many(3, ""), {})), Not(Contains("search_tools")));
  EXPECT_THAT(no_such_tool(many(3, "tools_loading: search"), "x"), HasSubstr("search_tools"));
}

TEST(SearchTools, WhatItSaysIsChecked) {
  const std::string head =
      "apiVersion: holdfast.dev/v1\nkind: Agent\nmetadata: {name: a}\nspec:\n  model: {provider: openai, "
      "name: "
      "m}\n  prompt: p\n  tools:\n" +
      tool("a", "b");
  const auto error = [&](const std::string& loading) {
    auto read = parse_definition(head + "  tools_loading: " + loading + "\n", "agent.yaml");
    return read ? std::string() : read.error().message();
  };
  EXPECT_THAT(error("nothing"), HasSubstr("search"));
  EXPECT_THAT(error("{pinned: [b]}"),
              HasSubstr("agent.yaml:9:28: `spec.tools_loading.pinned`: there is no tool"));
  EXPECT_THAT(error("{pined: [a]}"), HasSubstr("pinned"));
  EXPECT_EQ(error("{mode: auto, pinned: [a]}"), "");
}

TEST(SearchTools, AnAnswerNamesWhatItLoaded) {
  EXPECT_THAT(names_found(R"({"loaded":[{"name":"a"},{"name":"b"}]})"), ElementsAre("a", "b"));
  EXPECT_TRUE(names_found("no tool fits").empty());
  EXPECT_TRUE(names_found(R"({"loaded":["a",{"name":5}]})").empty());
}

TEST(BuiltinTools, AToolOfTheDefinitionTakesTheNameOfABuiltInOne) {
  auto read = parse_definition(
      "apiVersion: holdfast.dev/v1\nkind: Agent\nmetadata: {name: a}\nspec:\n  model: {provider: openai, "
      "name: "
      "m}\n  prompt: p\n  tools:\n" +
          tool("read_output", "my own"),
      "agent.yaml");
  ASSERT_TRUE(read);
  EXPECT_THAT(names(offered_tools(*read, {})), ElementsAre("read_output"));
  EXPECT_EQ(builtin_of(*tool_named(*read, "read_output")), nullptr);
}

}  // namespace
}  // namespace holdfast::agent
