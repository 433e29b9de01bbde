// Goal: an agent names models for its roles and others to fall back to; each stands for itself, mistakes are
// told with their place, and a definition that names none keeps its hash (definition_golden_test.cc). Method:
// whole files through parse_definition.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "activities/catalog.h"
#include "definition/model_section.h"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;

std::string file(std::string_view models) {
  return "apiVersion: holdfast.dev/v1\nkind: Agent\nmetadata: {name: a}\nspec:\n  prompt: x\n" +
         std::string(models);
}

constexpr std::string_view kModels = R"(  model:
    provider: openai
    name: gpt-4o
    api_key_env: OPENAI_API_KEY
    temperature: 0.5
    max_tokens: 2000
    fallbacks:
      - {provider: anthropic, name: sonnet, api_key_env: ANTHROPIC_API_KEY, timeout: 20s}
      - {provider: openai, name: llama, base_url: "http://localhost:11434/v1", retry: {attempts: 2}}
  models:
    summarize: {provider: gemini, name: flash, api_key_env: GEMINI_API_KEY}
    reviewer:
      provider: openai
      name: gpt-5
      fallbacks: [{provider: gemini, name: pro}]
)";

AgentDefinition must_parse(std::string_view text) {
  auto parsed = parse_definition(text, "agent.yaml");
  EXPECT_TRUE(parsed.has_value()) << parsed.error().message();
  return parsed.value_or(AgentDefinition{});
}

std::string error_of(std::string_view models) {
  auto parsed = parse_definition(file(models), "agent.yaml");
  return parsed ? "" : parsed.error().message();
}

TEST(Models, AFallbackInheritsNothing) {
  const AgentDefinition agent = must_parse(file(kModels));
  const auto chain = chain_of(agent.model);
  ASSERT_EQ(chain.size(), 3u);
  EXPECT_EQ(chain[0]->name, "gpt-4o");
  EXPECT_EQ(chain[1]->name, "sonnet");
  EXPECT_EQ(chain[1]->api_key_env, "ANTHROPIC_API_KEY");
  EXPECT_FALSE(chain[1]->temperature.has_value());
  EXPECT_EQ(chain[1]->max_tokens, 1024);
  EXPECT_EQ(chain[1]->timeout, Duration(20000));
  EXPECT_EQ(chain[2]->api_key_env, "");
  EXPECT_EQ(chain[2]->retry.attempts, 2);
}

TEST(Models, ARoleWithoutAModelHasTheMainOne) {
  const AgentDefinition agent = must_parse(file(kModels));
  EXPECT_EQ(agent.model_of("summarize").name, "flash");
  EXPECT_EQ(agent.model_of("reviewer").fallbacks.size(), 1u);
  EXPECT_EQ(agent.model_of("planner").name, "gpt-4o");
  EXPECT_EQ(agent.model_of("").name, "gpt-4o");
}

TEST(Models, TheCanonicalFormReadsBackAsItself) {
  const AgentDefinition agent = must_parse(file(kModels));
  const std::string canonical = canonical_json(agent);
  EXPECT_EQ(canonical_json(must_parse(canonical)), canonical);
  const Json spec = Json::parse(canonical)["spec"];
  EXPECT_EQ(spec["model"]["fallbacks"].size(), 2u);
  EXPECT_EQ(spec["models"]["summarize"]["name"], "flash");
  const Json plain = Json::parse(canonical_json(must_parse(file("  model: {provider: openai, name: x}\n"))));
  EXPECT_FALSE(plain["spec"].contains("models"));
  EXPECT_FALSE(plain["spec"]["model"].contains("fallbacks"));
}

TEST(Models, MistakesHaveTheirPlaceAndTheirRemedy) {
  EXPECT_THAT(error_of("  model: {provider: openai, name: x, fallbacks: [{name: y}]}\n"),
              HasSubstr("`spec.model.fallbacks[0].provider` is missing"));
  EXPECT_THAT(error_of("  model: {provider: openai, name: x, fallbacks: [{provider: openai, name: x}]}\n"),
              HasSubstr("agent.yaml:6:75: `spec.model.fallbacks[0].name`: `x` is asked before already"));
  EXPECT_THAT(
      error_of("  model: {provider: openai, name: x, fallbacks: [{provider: openai, name: y, fallbacks: "
               "[]}]}\n"),
      HasSubstr("a fallback has none of its own"));
  EXPECT_THAT(
      error_of("  model: {provider: openai, name: x}\n  models: {Big One: {provider: openai, name: y}}\n"),
      HasSubstr("a role is named in lower-case letters"));
  EXPECT_THAT(error_of("  model: {provider: openai, name: x}\n  models: {summarize: gpt}\n"),
              HasSubstr("`spec.models.summarize` must be a mapping"));
  EXPECT_THAT(error_of("  model: {provider: openai, name: x}\n  models: [a]\n"),
              HasSubstr("a mapping of roles to models"));
  EXPECT_THAT(error_of("  model: {provider: openai, name: x}\n  models: {s: {provider: openia, name: y}}\n"),
              HasSubstr("did you mean `openai`?"));
}

}  // namespace
}  // namespace holdfast::agent
