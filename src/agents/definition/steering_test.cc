// Goal: what a definition says of steering, failures and effects is read, kept in its version and nowhere
// else, and a mistake in it is told where it stands. Method: whole definitions, read and written again.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "activities/catalog.h"

namespace holdfast::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string with(const std::string& spec, const std::string& tool_keys = {}) {
  return "apiVersion: holdfast.dev/v1\nkind: Agent\nmetadata: {name: a}\nspec:\n"
         "  model: {provider: openai, name: m}\n  prompt: p\n" +
         spec +
         "  tools:\n"
         "    - name: pay\n      type: http\n      effect: at_most_once\n"
         "      parameters: {properties: {order: {type: integer}}}\n      http: {method: POST, url: "
         "\"http://h/pay\"}\n" +
         tool_keys +
         "    - name: find\n      type: http\n"
         "      parameters: {properties: {key: {type: string}, order: {type: integer}}, required: [key]}\n"
         "      http: {url: \"http://h/find\"}\n"
         "    - name: unpay\n      type: http\n      effect: idempotent\n"
         "      parameters: {properties: {id: {type: string}}, required: [id]}\n"
         "      http: {method: POST, url: \"http://h/unpay\"}\n"
         "    - {name: rest, type: wait, wait: {max: 1h}}\n";
}

std::string error_of(const std::string& text) {
  auto read = parse_definition(text, "agent.yaml");
  return read ? std::string() : std::string(read.error().message());
}

constexpr const char* kHooks =
    "      on_failure: park\n"
    "      reconcile: {tool: find, arguments: {key: \"{key}\", order: \"{arguments.order}\"}, happened: paid "
    "== true, after: 5s}\n"
    "      compensate: {tool: unpay, arguments: {id: \"{result.id}\"}}\n";

TEST(Steering, IsReadAndKeptInTheCanonicalForm) {
  auto read = parse_definition(
      with("  steering: interrupt\n  on_failure: park\n  approvals: {on_reject: stop}\n", kHooks),
      "agent.yaml");
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(read->steering.policy, protocol::SteeringPolicy::kInterrupt);
  EXPECT_TRUE(read->steering.park_on_failure);
  EXPECT_TRUE(read->steering.stop_on_reject);
  const ToolHooks& hooks = read->tools[0].hooks;
  ASSERT_TRUE(hooks.reconcile && hooks.compensate);
  EXPECT_TRUE(hooks.park_on_failure);
  EXPECT_EQ(hooks.reconcile->after, std::chrono::seconds(5));
  const std::string canonical = canonical_json(*read);
  auto again = parse_definition(canonical, "stored");
  ASSERT_TRUE(again.has_value()) << again.error().message();
  EXPECT_EQ(canonical_json(*again), canonical);
}

TEST(Steering, WhatIsNotSaidIsNotInTheVersion) {
  auto read = parse_definition(with(""), "agent.yaml");
  ASSERT_TRUE(read.has_value()) << read.error().message();
  for (const char* key : {"steering", "on_failure", "on_reject", "reconcile", "compensate"})
    EXPECT_THAT(canonical_json(*read), Not(HasSubstr(key)));
}

TEST(Steering, MistakesAreToldWhereTheyStand) {
  EXPECT_THAT(error_of(with("  steering: shout\n")), HasSubstr("agent.yaml:7:"));
  EXPECT_THAT(error_of(with("", "      compensate: {tool: unpaid}\n")), HasSubstr("did you mean `unpay`?"));
  EXPECT_THAT(error_of(with("", "      compensate: {tool: find, arguments: {key: a}}\n")),
              HasSubstr("is pure"));
  EXPECT_THAT(error_of(with("", "      compensate: {tool: unpay}\n")), HasSubstr("needs the argument `id`"));
  EXPECT_THAT(error_of(with("", "      compensate: {tool: pay}\n")), HasSubstr("its own hook"));
  EXPECT_THAT(error_of(with("", "      compensate: {tool: rest}\n")), HasSubstr("cannot be called here"));
  EXPECT_THAT(error_of(with("", "      compensate: {tool: unpay, arguments: {id: \"{answer.id}\"}}\n")),
              HasSubstr("placeholders begin with result, arguments, key"));
  EXPECT_THAT(error_of(with("", "      reconcile: {tool: unpay, arguments: {id: a}}\n")),
              HasSubstr("must be `effect: pure`"));
  EXPECT_THAT(
      error_of(with("", "      reconcile: {tool: find, arguments: {key: a}, happened: \"paid ==\"}\n")),
      HasSubstr("happened"));
}

}  // namespace
}  // namespace holdfast::agent
