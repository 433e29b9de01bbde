// Goal: `flow` and `detached` of a definition are read, kept in its version and nowhere else; a mistake is
// told where it stands; and a run's line follows from what it is given alone. Method: whole definitions, read
// and written again.

#include "activities/flow_place.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "activities/catalog.h"
#include "base/json.h"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string with(const std::string& spec, const std::string& tool = {}) {
  return "apiVersion: holdfast.dev/v1\nkind: Agent\nmetadata: {name: a}\nspec:\n"
         "  model: {provider: openai, name: m}\n  prompt: p\n" +
         spec +
         "  tools:\n    - name: render\n      type: http\n      effect: at_most_once\n"
         "      parameters: {properties: {page: {type: integer}}}\n" +
         tool + "      http: {method: POST, url: \"http://h/x\", body: {page: \"{page}\"}}\n";
}

AgentDefinition read(const std::string& text) {
  auto definition = parse_definition(text, "agent.yaml");
  EXPECT_TRUE(definition) << definition.error().message();
  return definition ? *definition : AgentDefinition();
}

std::string error_of(const std::string& text) {
  auto definition = parse_definition(text, "agent.yaml");
  return definition ? std::string() : std::string(definition.error().message());
}

std::string line_of(const std::string& flow, const Json& input, const Json& context = {}) {
  const auto place =
      flow_place(read(with("  flow: {" + flow + ", concurrency: {limit: 1}}\n")), input, context);
  return place ? place->line : "none";
}

TEST(FlowPlace, FollowsFromWhatTheRunIsGiven) {
  const std::string key = "key: \"{input.customer.id}-{context.tenant}\"";
  EXPECT_EQ(line_of(key, {{"customer", {{"id", 7}}}}, {{"tenant", "x"}}), "a/7-x");
  EXPECT_EQ(line_of(key, R"({"customer": {"id": 7}})", {{"tenant", "x"}}), "a/7-x");  // a text that is JSON
  EXPECT_EQ(line_of(key, "free text"), "a/");
  EXPECT_EQ(line_of("key: all", "free text"), "a/all");
  EXPECT_EQ(line_of("key: \"{input}\"", std::string(500, 'x')).size(), std::string("a/sha256:").size() + 64);
  const std::string when = "when: 'input.tier != \"vip\"'";
  EXPECT_EQ(line_of(when, {{"tier", "vip"}}), "none");
  EXPECT_EQ(line_of(when, {{"tier", "free"}}), "a/");
  EXPECT_EQ(line_of(when, "text"), "a/");  // whoever does not say so is no exception
}

// Also where a number of it, in the key or elsewhere, has no type of 64 bits.
TEST(FlowPlace, KeyIsWhatItNames) {
  const Json input = R"({"c": "k", "n": 9223372036854775808123, "d": {"m": 18446744073709551616}})";
  EXPECT_EQ(line_of("key: \"{input.c}\"", input), "a/k");
  EXPECT_EQ(line_of("key: \"{input.n}\"", input), "a/9223372036854775808123");
  EXPECT_EQ(line_of("key: \"{input.c}-{input.n}\"", input), "a/k-9223372036854775808123");
  EXPECT_EQ(line_of("key: \"{input.d}\"", input), R"(a/{"m":18446744073709551616})");
  EXPECT_EQ(line_of("key: \"{input.d}\"", {{"d", {{"m", 1.5}, {"a", "\xc3\xa9"}}}}),
            "a/{\"a\":\"\xc3\xa9\",\"m\":1.5}");
  EXPECT_EQ(line_of("key: \"{input.c}\", when: input.n > 1", input), "a/k");
}

TEST(FlowPlace, IsThatOfTheStart) {
  platform::Definition stored;
  stored.name = "a";
  stored.text =
      canonical_json(read(with("  flow: {key: \"{input.c}\", batch: {max_size: 5, timeout: 1m}}\n")));
  platform::StartIntent intent;
  intent.input = R"({"c":"ann"})";
  const auto place = flow_of(stored, intent);
  ASSERT_TRUE(place && *place);
  EXPECT_EQ((*place)->line, "a/ann");
  EXPECT_EQ((*place)->input, R"({"c":"ann"})");
  stored.text = canonical_json(read(with("")));
  EXPECT_FALSE(flow_of(stored, intent)->has_value());
}

TEST(Flow, IsReadAndKeptInTheCanonicalForm) {
  const AgentDefinition definition =
      read(with("  flow: {key: k, when: input.a == 1, concurrency: {limit: 2}, throttle: {limit: 3, period: "
                "1m}, rate_limit: "
                "{limit: 4, period: 1h}, debounce: {period: 5s, timeout: 1m}, max_waiting: 6}\n"));
  const protocol::FlowRules& rules = definition.flow->rules;
  EXPECT_EQ(protocol::flow_rules_of(protocol::to_text(rules)), rules);
  EXPECT_EQ(rules.throttle_ms, 60'000);
  EXPECT_EQ(rules.debounce_timeout_ms, 60'000);
  const std::string canonical = canonical_json(definition);
  EXPECT_EQ(canonical_json(read(canonical)), canonical);
  EXPECT_THAT(canonical_json(read(with(""))), Not(HasSubstr("flow")));
}

TEST(Flow, MistakesAreToldWhereTheyStand) {
  EXPECT_THAT(error_of(with("  flow: {key: k}\n")), HasSubstr("says nothing"));
  EXPECT_THAT(error_of(with("  flow: {key: \"{inputs.x}\", concurrency: {limit: 1}}\n")),
              HasSubstr("inputs"));
  for (const char* key : {"{input.c", "input.c}", "{input.c}-{", "{input c}", "{}"}) {
    EXPECT_THAT(error_of(with("  flow: {key: \"" + std::string(key) + "\", concurrency: {limit: 1}}\n")),
                HasSubstr("brace"))
        << key;
  }
  EXPECT_THAT(error_of(with("  flow: {concurrency: {limit: 0}}\n")), HasSubstr("agent.yaml:7:"));
  EXPECT_THAT(error_of(with("  flow: {throttle: {period: 1s}}\n")), HasSubstr("limit"));
  EXPECT_THAT(error_of(with("  flow: {debounce: {period: 1m, timeout: 1s}}\n")), HasSubstr("shorter"));
  EXPECT_THAT(error_of(with("  flow: {rate_limits: {limit: 1}}\n")), HasSubstr("rate_limit"));
}

TEST(Detached, IsReadAndKeptInTheCanonicalForm) {
  for (const char* detached : {"true", "{completion: token, deadline: 2h}", "{completion: token}"}) {
    const AgentDefinition definition = read(with("", std::string("      detached: ") + detached + "\n"));
    ASSERT_TRUE(definition.tools[0].detached) << detached;
    const std::string canonical = canonical_json(definition);
    EXPECT_EQ(canonical_json(read(canonical)), canonical);
  }
  EXPECT_FALSE(read(with("", "      detached: false\n")).tools[0].detached);
  EXPECT_THAT(canonical_json(read(with(""))), Not(HasSubstr("detached")));
}

TEST(Detached, MistakesAreToldWhereTheyStand) {
  EXPECT_THAT(error_of(with("", "      detached: {deadline: 1h}\n")), HasSubstr("completion: token"));
  EXPECT_THAT(error_of(with("", "      detached: {completion: later}\n")), HasSubstr("call"));
  EXPECT_THAT(error_of(with("", "      detached: {completion: token}\n      retry: {attempts: 100}\n")),
              HasSubstr("32 at most"));
  EXPECT_THAT(error_of(with("",
                            "      detached: {completion: token}\n    - {name: w, type: wait, detached: "
                            "{completion: token}}\n    - name: y\n      type: http\n")),
              HasSubstr("no way to hand out a token"));
}

}  // namespace
}  // namespace holdfast::agent
