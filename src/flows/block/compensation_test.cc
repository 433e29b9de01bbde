// Goal: `compensate` is read whole, has one canonical form, is granted what it uses, and is refused with its
// place where nothing could be taken back; what takes effects back sees the calls as tools of a definition.

#include "block/compensation.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "definition/agent_in_flow.h"
#include "definition/model_section.h"
#include "definition/written_arguments.h"
#include "tool/activity_tool.h"

namespace holdfast::flows {
namespace {

using ::testing::HasSubstr;

std::string flow(std::string_view block, std::string_view before = "") {
  return fmt::format(
      "apiVersion: holdfast.dev/v1\nkind: Flow\nmetadata: {{name: order, team: shop}}\nspec:\n  blocks:\n"
      "    - {{id: begin, type: start}}\n{}{}",
      before, block);
}

std::string pay(std::string_view compensate, std::string_view more = "",
                std::string_view effect = "idempotent") {
  return flow(
      fmt::format("    - id: pay\n      type: http\n      needs: [begin]\n{}"
                  "      with: {{http: {{method: POST, url: \"https://pay.example/pay\"}}, effect: {}, "
                  "arguments: {{amount: 3}}}}\n"
                  "      compensate: {}\n",
                  more, effect, compensate));
}

std::string mistakes(const std::string& text) {
  const auto read = read_program(text, "f.yaml");
  return read ? "" : std::string(read.error().message());
}

// As the server has it, without tools of the workflow.
const agent::Catalog& catalog() {
  static const agent::Catalog kCatalog = [] {
    agent::Catalog out;
    for (const agent::ActivityTool* tool : agent::activity_tools()) out.tools.push_back(&tool->type);
    out.providers = {"openai"};
    return out;
  }();
  return kCatalog;
}

constexpr std::string_view kUnpay =
    R"({http: {method: POST, url: "https://back.example/unpay/{id}"}, effect: idempotent, retry: {attempts: 9}, arguments: {id: "{result.id}", sum: "{arguments.amount}"}})";

TEST(Compensation, IsReadAndItsCanonicalFormIsTheSame) {
  const auto read = read_program(pay(kUnpay), "f.yaml");
  ASSERT_TRUE(read) << read.error().message();
  ASSERT_TRUE(read->blocks[1].undo);
  EXPECT_EQ(read->blocks[1].undo->retry.attempts, 9);
  const std::string canonical = canonical_json(*read);
  EXPECT_THAT(canonical,
              HasSubstr(R"("compensate":{"arguments":{"id":"{result.id}","sum":"{arguments.amount}"})"));
  const auto again = read_program(canonical, "stored");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(canonical_json(*again), canonical);
  const auto needs = needs_of(*again);
  ASSERT_EQ(needs.size(), 1U);
  ASSERT_EQ(needs[0].needs.size(), 2U) << "what takes it back is granted, too";
  EXPECT_THAT(needs[0].needs[1].url, HasSubstr("back.example"));
}

TEST(Compensation, ChangesNothingThatTheBlockComesTo) {
  const auto with = read_program(pay(kUnpay), "f.yaml");
  const auto without = read_program(pay(kUnpay).substr(0, pay(kUnpay).find("      compensate")), "f.yaml");
  ASSERT_TRUE(with && without);
  EXPECT_NE(canonical_json(*with), canonical_json(*without));
  EXPECT_EQ(meaning_of(*with, 1), meaning_of(*without, 1));
}

TEST(Compensation, IsAToolOfADefinitionToWhoeverTakesBack) {
  const auto read = read_program(pay(kUnpay), "f.yaml");
  ASSERT_TRUE(read);
  const auto calls = agent::calls_of_flow(catalog(), canonical_json(*read), "flow:order");
  ASSERT_TRUE(calls) << calls.error().message();
  EXPECT_EQ(calls->name, "flow:order");
  const agent::ToolSpec* tool = calls->find_tool("pay");
  ASSERT_TRUE(tool && tool->hooks.compensate);
  EXPECT_EQ(tool->hooks.compensate->tool, "pay-undo");
  const agent::ToolSpec* undo = calls->find_tool("pay-undo");
  ASSERT_TRUE(undo);
  EXPECT_EQ(undo->retry.attempts, 9);
  // A run plans with what its program holds, and never reads that definition.
  const agent::ToolSpec& bound = *read->blocks[1].undo;
  EXPECT_EQ(bound.timeout, undo->timeout);
  EXPECT_EQ(agent::retry_json(bound.retry), agent::retry_json(undo->retry));
  EXPECT_EQ(bound.effect, undo->effect);
}

TEST(Compensation, OfEachTypeIsATool) {
  for (
      const std::string_view with :
      {R"(email: {server: m.example, from: a@b.example, to: [c@d.example]}, arguments: {subject: s, text: t})",
       R"(webhook: {url: "https://w.example/", secret_env: W}, arguments: {a: "{result}"})",
       R"(slack: {webhook_env: W}, arguments: {text: t})",
       R"(sql: {database: /shop.db, read_only: false, statement: "DELETE FROM a WHERE id = :id"}, arguments: {id: "{key}"})"}) {
    const auto read = read_program(pay(fmt::format("{{{}}}", with)), "f.yaml");
    ASSERT_TRUE(read) << read.error().message() << with;
    const auto calls = agent::calls_of_flow(catalog(), canonical_json(*read), "flow:order");
    ASSERT_TRUE(calls) << calls.error().message() << with;
    EXPECT_TRUE(calls->find_tool("pay-undo"));
  }
}

TEST(Compensation, IsRefusedWithItsPlaceWhereItWouldDoNothing) {
  EXPECT_THAT(mistakes(pay("{}")),
              HasSubstr("f.yaml:11:19: `spec.blocks[1].compensate`: needs the section of the one "
                        "tool that does it: email, http, slack, sql or webhook"));
  EXPECT_THAT(mistakes(pay("{htp: {url: x}}")), HasSubstr("needs the section"));
  EXPECT_THAT(mistakes(pay(R"({http: {url: "https://x.example/"}})")), HasSubstr("has one itself"));
  std::string long_id = pay(kUnpay);
  long_id.replace(long_id.find("id: pay"), 7, "id: " + std::string(60, 'a'));
  EXPECT_THAT(mistakes(long_id), HasSubstr("has 59 characters at most"));
  EXPECT_THAT(mistakes(pay(kUnpay, "", "pure")), HasSubstr("no effect of its own"));
  EXPECT_THAT(
      mistakes(pay(R"({http: {method: POST, url: "https://x.example/"}, effect: idempotent, colour: red})")),
      HasSubstr("unknown key `spec.blocks[1].compensate.colour`"));
  const auto arguments = [](std::string_view value) {
    return pay(fmt::format(
        R"({{http: {{method: POST, url: "https://x.example/"}}, effect: idempotent, arguments: {{id: "{}"}}}})",
        value));
  };
  EXPECT_EQ(mistakes(arguments("{key}")), "");
  EXPECT_THAT(mistakes(arguments("{{ blocks.pay.id }}")), HasSubstr("{{ }} is not filled in here"));
  EXPECT_THAT(mistakes(arguments("{results.id}")),
              HasSubstr("placeholders begin with result, arguments, key"));
  EXPECT_THAT(mistakes(arguments("{arguments.amont}")),
              HasSubstr("the block gives no argument `amont`; did you mean `amount`?"));
}

TEST(Compensation, BelongsToBlocksWithAnEffectOfTheirOwn) {
  const std::string undo = fmt::format(", compensate: {}}}\n", kUnpay);
  EXPECT_THAT(mistakes(flow("    - {id: a, type: code, needs: [begin], with: {code: 'return 1'}" + undo)),
              HasSubstr("no effect of its own"));
  EXPECT_THAT(
      mistakes(
          flow("    - {id: a, type: agent, needs: [begin], with: {agent: b, arguments: {input: x}}" + undo)),
      HasSubstr("say it there"));
  EXPECT_THAT(
      mistakes(
          flow("    - {id: a, type: publish, needs: [begin], with: {webhook: {url: \"https://w.example/\", "
               "secret_env: W}, arguments: {a: 1}}" +
               undo)),
      HasSubstr("cannot be taken back"));
}

std::string paying(std::string_view id, std::string_view needs = "") {
  return fmt::format(
      "{{id: {}, type: http{}, with: {{http: {{method: POST, url: \"https://x.example/\"}}, effect: "
      "idempotent, arguments: {{amount: \"{{{{ item }}}}\"}}}}, compensate: {}}}",
      id, needs, kUnpay);
}

// In the order in which a round runs them, whatever the order of the file.
TEST(Compensation, IsOfABodyToo) {
  const auto read = read_program(
      flow(fmt::format(
          "    - {{id: each, type: map, needs: [begin], with: {{over: 3}}, blocks: [{}, {}, {{id: "
          "free, type: transform, with: {{value: 1}}}}]}}\n",
          paying("ship", ", needs: [pay]"), paying("pay"))),
      "f.yaml");
  ASSERT_TRUE(read) << read.error().message();
  const Program& body = *read->blocks[1].body;
  EXPECT_EQ(compensated_in(body), (std::vector<std::string>{"pay", "ship"}));
  EXPECT_TRUE(compensated_in(*read).empty()) << "of that list alone";
  const std::string canonical = canonical_json(*read);
  EXPECT_EQ(canonical_json(*read_program(canonical, "stored")), canonical);
  const auto calls = agent::calls_of_flow(catalog(), canonical, "flow:order");
  ASSERT_TRUE(calls) << calls.error().message();
  for (const char* name : {"pay", "pay-undo", "ship", "ship-undo"})
    EXPECT_TRUE(calls->find_tool(name)) << name;
  EXPECT_THAT(mistakes(flow("    - {id: each, type: map, needs: [begin], with: {over: 3}, blocks: [{id: a, "
                            "type: code, with: {code: 'return 1'}, compensate: " +
                            std::string(kUnpay) + "}]}\n")),
              HasSubstr("no effect of its own"));
}

// Templates and arguments are sent as the file has them; so they stand in the canonical form.
TEST(Compensation, KeepsTheOrderOfTheFile) {
  const auto read = read_program(
      pay(R"({http: {method: POST, url: "https://back.example/", body: {z: "{id}", a: {y: 1, b: "{sum}"}}}, effect: idempotent, arguments: {sum: {to: "{result.id}", by: "{key}"}, id: "{key}"}})"),
      "f.yaml");
  ASSERT_TRUE(read) << read.error().message();
  const std::string canonical = canonical_json(*read);
  EXPECT_THAT(canonical, HasSubstr(R"("body":{"z":"{id}","a":{"y":1,"b":"{sum}"}})"));
  EXPECT_THAT(canonical, HasSubstr(R"("arguments":{"sum":{"to":"{result.id}","by":"{key}"},"id":"{key}"})"));
  EXPECT_EQ(canonical_json(*read_program(canonical, "stored")), canonical);
  const auto calls = agent::calls_of_flow(catalog(), canonical, "flow:order");
  ASSERT_TRUE(calls) << calls.error().message();
  const agent::ToolSpec* undo = calls->find_tool("pay-undo");
  EXPECT_EQ(agent::in_order_of(undo->parameters, Json::parse(R"({"id":7,"sum":{"by":8,"to":[9]}})")).dump(),
            R"({"sum":{"to":[9],"by":8},"id":7})");
}

TEST(Compensation, HasABoundForEachFlow) {
  std::string many;
  for (std::size_t i = 0; i <= kMaxCompensated; ++i) {
    many += fmt::format(
        "    - {{id: a{}, type: http, needs: [begin], with: {{http: {{method: POST, url: "
        "\"https://x.example/\"}}, effect: "
        "idempotent}}, compensate: {}}}\n",
        i, R"({http: {method: POST, url: "https://x.example/"}, effect: idempotent})");
  }
  EXPECT_THAT(mistakes(flow(many)), HasSubstr("more than 500 blocks have a `compensate`"));
  many.resize(many.rfind("    - {id: a500"));
  EXPECT_EQ(mistakes(flow(many)), "");
  many += "    - {id: each, type: map, needs: [begin], with: {over: 3}, blocks: [" + paying("pay") + "]}\n";
  EXPECT_THAT(mistakes(flow(many)), HasSubstr("more than 500 blocks have a `compensate`"))
      << "bodies included";
}

}  // namespace
}  // namespace holdfast::flows
