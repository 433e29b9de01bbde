// Goal: nothing but the catalog knows the tool types: a type in it is read, described and run on exactly one
// side, one that is not is an error that says what there is. Method: every type of the product's catalog, and
// a catalog of our own.

#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "activities/catalog.h"
#include "agent/workflow_tool.h"
#include "tool/activity_tool.h"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;

TEST(Catalog, EveryTypeRunsOnExactlyOneSide) {
  std::set<std::string_view> names;
  for (const ToolType* type : agent_catalog().tools) {
    EXPECT_TRUE(names.insert(type->name).second) << type->name;
    EXPECT_NE(find_activity_tool(type->name) != nullptr, find_workflow_tool(type->name) != nullptr)
        << type->name;
  }
  EXPECT_EQ(find_activity_tool("wait"), nullptr);
  EXPECT_EQ(find_activity_tool("ftp"), nullptr);
  EXPECT_EQ(find_workflow_tool("http"), nullptr);
}

TEST(Catalog, EveryTypeIsInTheSchemaAndInTheGuide) {
  std::ifstream file(HOLDFAST_GUIDE "/agents.md");
  const std::string guide((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const Json tool = Json::parse(definition_schema())["$defs"]["tool"]["properties"];
  for (const ToolType* type : agent_catalog().tools) {
    EXPECT_TRUE(Json::parse(type->schema, nullptr, false).is_object()) << type->name;
    EXPECT_TRUE(tool.contains(type->name)) << type->name;
    EXPECT_THAT(guide, HasSubstr("`type: " + std::string(type->name) + "`"));
  }
}

// What is read depends on the catalog alone.
TEST(Catalog, ATypeThatIsNotInItIsAnErrorWithItsPlace) {
  Catalog few;
  few.tools = {&find_activity_tool("http")->type, &find_workflow_tool("wait")->type};
  few.providers = {"openai"};
  auto read = parse_definition(few,
                               "apiVersion: holdfast.dev/v1\nkind: Agent\nmetadata: {name: a}\nspec:\n"
                               "  model: {provider: openai, name: m}\n  prompt: p\n  tools:\n"
                               "    - {name: t, type: sql, sql: {database: /d, statement: SELECT 1}}\n",
                               "agent.yaml");
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code(), Code::kInvalidArgument);
  EXPECT_THAT(read.error().message(),
              HasSubstr("agent.yaml:8:23: `spec.tools[0].type`: unknown value `sql`; use one of http, wait"));
  EXPECT_EQ(Json::parse(definition_schema(few))["$defs"]["tool"]["properties"]["type"]["enum"],
            Json::array({"http", "wait"}));
}

}  // namespace
}  // namespace holdfast::agent
