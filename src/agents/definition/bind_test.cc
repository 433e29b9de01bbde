// Goal: what an operator or a run binds is out of the model's hands: not in the schema, not in its calls, and
// a mistake is told with its place before anything runs. Method: definitions with a tool that binds, and
// contexts.

#include "definition/bind.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "activities/catalog.h"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;

std::string definition_with(std::string_view bind) {
  return "apiVersion: holdfast.dev/v1\nkind: Agent\nmetadata: {name: a}\nspec:\n"
         "  model: {provider: openai, name: m}\n  prompt: p\n  tools:\n"
         "    - name: look\n      type: http\n"
         "      parameters: {properties: {order: {type: integer}, customer: {type: integer}, tenant: {type: "
         "string}},\n"
         "        required: [order, customer]}\n"
         "      http: {url: \"https://shop.example/{tenant}/{customer}/{order}\"}\n"
         "      bind: " +
         std::string(bind) + "\n";
}

constexpr std::string_view kBind = "{tenant: {value: acme}, customer: {run: customer_id}}";

AgentDefinition read(std::string_view bind = kBind) {
  auto agent = parse_definition(definition_with(bind), "agent.yaml");
  EXPECT_TRUE(agent) << agent.error().message();
  return agent ? *agent : AgentDefinition();
}

std::string error_of(std::string_view bind) {
  const auto agent = parse_definition(definition_with(bind), "agent.yaml");
  return agent ? "" : std::string(agent.error().message());
}

TEST(Bind, TheModelSeesNothingOfWhatIsBound) {
  const AgentDefinition agent = read();
  const Json seen = visible_parameters(agent.tools.at(0));
  EXPECT_EQ(seen["properties"], Json::parse(R"({"order":{"type":"integer"}})"));
  EXPECT_EQ(seen["required"], Json::parse(R"(["order"])"));
}

TEST(Bind, ValuesComeFromTheDefinitionAndTheRun) {
  const AgentDefinition agent = read();
  EXPECT_TRUE(binds_context(agent));
  const auto bound = bound_values(agent.tools.at(0), {{"customer_id", 42}});
  ASSERT_TRUE(bound);
  Json arguments = {{"order", 7}};
  EXPECT_EQ(bind_arguments(arguments, *bound), std::nullopt);
  EXPECT_EQ(arguments, Json::parse(R"({"order":7,"customer":42,"tenant":"acme"})"));
  Json own = {{"order", 7}, {"customer", 42}};
  EXPECT_EQ(bind_arguments(own, *bound), "there is no argument `customer`");
}

TEST(Bind, APersonSendsThemBackAsTheyWere) {
  const AgentDefinition agent = read();
  const Json bound = bound_values_of(agent.tools.at(0), {{"order", 7}, {"customer", 42}, {"tenant", "acme"}});
  Json same = {{"order", 8}, {"customer", 42.0}};
  EXPECT_EQ(rebind_arguments(same, bound), std::nullopt);
  EXPECT_EQ(same, Json::parse(R"({"order":8,"customer":42,"tenant":"acme"})"));
  Json other = {{"customer", 43}};
  EXPECT_EQ(rebind_arguments(other, bound), "`customer` is bound and cannot be edited");
}

TEST(Bind, ARunThatLacksSomethingIsToldWhat) {
  const AgentDefinition agent = read();
  EXPECT_TRUE(check_context(agent, {{"customer_id", 42}, {"more", true}}).ok());
  const Status lacks = check_context(agent, Json());
  EXPECT_EQ(lacks.code(), Code::kFailedPrecondition);
  EXPECT_THAT(std::string(lacks.message()),
              HasSubstr("`customer_id`, which the tool `look` binds to `customer`"));
  const Status wrong = check_context(agent, {{"customer_id", "42"}});
  EXPECT_EQ(wrong.code(), Code::kInvalidArgument);
  EXPECT_THAT(std::string(wrong.message()), HasSubstr("`customer` must be an integer, not a string"));
  EXPECT_EQ(check_context(agent, Json::array()).code(), Code::kInvalidArgument);
  EXPECT_EQ(check_context(agent, {{"customer_id", 1}, {"large", std::string(kMaxContextBytes, 'x')}}).code(),
            Code::kInvalidArgument);
}

TEST(Bind, MistakesHaveTheirPlace) {
  EXPECT_THAT(error_of("{who: {value: 1}}"),
              HasSubstr("agent.yaml:13:19: `spec.tools[0].bind.who`: is no argument"));
  EXPECT_THAT(error_of("{customer: {value: x}}"), HasSubstr("`customer` must be an integer"));
  EXPECT_THAT(error_of("{customer: {value: 1, run: c}}"), HasSubstr("one of them"));
  EXPECT_THAT(error_of("{customer: {}}"), HasSubstr("one of them"));
  EXPECT_THAT(error_of("{customer: {run: \"a b\"}}"), HasSubstr("may hold letters"));
  EXPECT_THAT(error_of("[1]"), HasSubstr("must map arguments"));
}

TEST(Bind, IsPartOfTheVersionAndOfNoOther) {
  const AgentDefinition agent = read();
  const Json tool = Json::parse(canonical_json(agent))["spec"]["tools"][0];
  EXPECT_EQ(tool["bind"], Json::parse(R"({"customer":{"run":"customer_id"},"tenant":{"value":"acme"}})"));
  const auto again = parse_definition(canonical_json(agent), "a");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(version_of(*again), version_of(agent));
  EXPECT_FALSE(Json::parse(canonical_json(read("{}")))["spec"]["tools"][0].contains("bind"));
}

}  // namespace
}  // namespace holdfast::agent
