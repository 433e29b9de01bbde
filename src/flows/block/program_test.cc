// Goal: what can be run is read whole, everything else is refused with its place; the canonical form is the
// same program; the plan says what the workflow must know.

#include "block/program.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block/code_block.h"

namespace holdfast::flows {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string flow(std::string_view blocks, std::string_view more = "") {
  return fmt::format(
      "apiVersion: holdfast.dev/v1\nkind: Flow\nmetadata: {{name: order}}\nspec:\n{}  blocks:\n"
      "    - {{id: begin, type: start}}\n{}",
      more, blocks);
}

std::string mistakes(std::string_view blocks) {
  auto read = read_program(flow(blocks), "f.yaml");
  return read ? "" : std::string(read.error().message());
}

const std::string kOrder = flow(R"(    - id: find
      type: sql
      needs: [begin]
      with: {sql: {database: shop.db, statement: "SELECT * FROM orders WHERE id = :id"}, arguments: {id: "{{ input.id }}"}}
    - {id: big, type: branch, needs: [find], with: {rules: [{name: large, when: "input.amount > 100"}, {name: odd, when: "{{ blocks.find.rows.length > 1 }}"}]}}
    - {id: pause, type: wait, needs: [big.large], with: {duration: 90s}}
    - id: pay
      type: http
      needs: [pause, big.otherwise]
      join: any
      retry: {attempts: 8, initial: 2s}
      timeout: 3s
      x-place: {x: 1}
      with: {http: {method: POST, url: "https://pay.example/refunds"}, effect: idempotent, arguments: {order: "{{ blocks.find.rows[0].id }}"}}
    - {id: odd, type: code, needs: [big.odd], with: {code: "return blocks.find.rows"}}
    - {id: both, type: join, join: any, needs: [pay, odd]}
    - {id: reply, type: respond, needs: [both], with: {value: {paid: "{{ blocks.pay }}", of: "{{ input.id }}"}}}
)",
                                "  planner: V3\n  input: {type: object, required: [id]}\n");

TEST(Program, IsReadAndItsCanonicalFormIsTheSame) {
  const auto read = read_program(kOrder, "f.yaml", "/shop");
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->flow.planner, "V3");
  const std::string canonical = canonical_json(*read);
  EXPECT_THAT(canonical, HasSubstr(R"("database":"/shop/shop.db")"));
  EXPECT_THAT(canonical, ::testing::Not(HasSubstr("x-place")));
  const auto again = read_program(canonical, "stored");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(canonical_json(*again), canonical);
  const auto needs = needs_of(*again);
  ASSERT_EQ(needs.size(), 2U);
  EXPECT_EQ(needs[0].needs[0].name, "/shop/shop.db");
  EXPECT_EQ(needs[1].block, "pay");
}

TEST(Program, ItsPlanHasWhatTheWorkflowMustKnow) {
  const auto read = read_program(kOrder, "f.yaml", "/shop");
  ASSERT_TRUE(read);
  const protocol::FlowPlan plan = plan_of(*read, "v");
  EXPECT_EQ(plan.flow, "flow:order");
  EXPECT_EQ(plan.planner, "V3");
  std::vector<std::int64_t> waits;
  std::size_t own = 0;
  std::vector<bool> seen(read->blocks.size());
  for (const protocol::FlowStep& step : plan.steps) {
    if (step.wait_ms) waits.push_back(*step.wait_ms);
    EXPECT_EQ(step.pure, std::ranges::find(step.blocks, 4U) == step.blocks.end())
        << "`pay` alone changes something";
    if (step.retry.is_object()) {
      ++own;
      EXPECT_EQ(step.retry["initial_ms"], 2000);
      EXPECT_THAT(step.blocks, ElementsAre(4U));
    }
    for (const std::uint32_t block : step.blocks) {
      EXPECT_FALSE(seen[block]);
      seen[block] = true;
    }
  }
  EXPECT_THAT(waits, ElementsAre(90'000));
  EXPECT_EQ(own, 1U);
  EXPECT_THAT(seen, ::testing::Each(true));
  EXPECT_TRUE(plan.rules[4].any);
  EXPECT_EQ(plan.rules[4].needs[1].outlet, "otherwise");
  EXPECT_THAT(read->blocks[5].reads, ElementsAre(1U)) << "the block that the code names";
}

TEST(Program, EveryTypeThatIsKnownRuns) {
  for (const BlockType& type : block_types()) EXPECT_NE(find_runnable_block(type.name), nullptr) << type.name;
  EXPECT_EQ(runnable_blocks().size(), block_types().size());
}

TEST(Program, WhatCannotBeRunIsRefused) {
  EXPECT_THAT(mistakes("    - {id: a, type: code, needs: [begin], async: true, with: {code: 'return 1'}}\n"),
              HasSubstr("hands out no token; use `http`"));
  EXPECT_THAT(mistakes("    - {id: a, type: join, needs: [begin], timeout: 3s}\n"), HasSubstr("has none"));
  EXPECT_THAT(mistakes("    - {id: a, type: code, needs: [begin], timeout: 1m, with: {code: 'return 1'}}\n"),
              HasSubstr("5s at most"));
  EXPECT_THAT(
      mistakes("    - {id: a, type: wait, needs: [begin], retry: {attempts: 2}, with: {duration: 1s}}\n"),
      HasSubstr("makes no attempts"));
}

TEST(Program, WhatWithSaysIsCheckedWithItsPlace) {
  EXPECT_THAT(mistakes("    - {id: a, type: code, needs: [begin], with: {cod: 'return 1'}}\n"),
              HasSubstr("did you mean `code`?"));
  EXPECT_THAT(mistakes("    - {id: a, type: transform, needs: [begin]}\n"),
              HasSubstr("`spec.blocks[1].with.value` is missing"));
  EXPECT_THAT(mistakes("    - {id: a, type: http, needs: [begin], with: {http: {url: 'ftp://x'}}}\n"),
              HasSubstr("f.yaml:7:62: `spec.blocks[1].with.http.url`: must start with http"));
  EXPECT_THAT(
      mistakes(
          "    - {id: a, type: sql, needs: [begin], with: {sql: {database: x.db, statement: 'SELECT 1'}}}\n"),
      HasSubstr("is relative"));
  EXPECT_THAT(mistakes("    - {id: a, type: sql, needs: [begin], with: {sql: {database: /x.db, statement: "
                       "'SELECT :id'}}}\n"),
              HasSubstr("id"));
  EXPECT_THAT(
      mistakes("    - {id: a, type: branch, needs: [begin], with: {rules: [{name: x, when: amount > 1}]}}\n"
               "    - {id: b, type: join, needs: [a.x]}\n"),
      HasSubstr("write input.amount"));
}

TEST(Program, APublishBlockIsOneToolThatSends) {
  const std::string_view event =
      "    - {id: tell, type: publish, needs: [begin], with: {webhook: {url: 'https://a.example/x', "
      "secret_env: S}, "
      "arguments: {id: 1}}}\n";
  const auto read = read_program(flow(event), "f.yaml");
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->blocks[1].tool->effect, agent::Effect::kIdempotent);
  EXPECT_EQ(canonical_json(*read_program(canonical_json(*read), "stored")), canonical_json(*read));
  EXPECT_THAT(
      mistakes("    - {id: tell, type: publish, needs: [begin], with: {http: {url: 'https://a.example'}}}\n"),
      HasSubstr("one tool that sends messages: email, slack or webhook"));
}

const std::string kCalls = R"(    - id: ask
      type: human
      needs: [begin]
      with: {human: {question: "Pay {amount}?", deadline: 2d, people: [ada]}, arguments: {amount: "{{ input.amount }}"}}
    - {id: help, type: agent, needs: [ask], timeout: 2h, with: {agent: "helper@production", arguments: {input: "{{ blocks.ask.answer }}"}}}
    - {id: inner, type: flow, needs: [ask], with: {flow: other, arguments: {id: 1}}}
    - id: sum
      type: model
      needs: [help, inner]
      with: {model: {provider: openai, name: m, api_key_env: KEY}, system: Be brief., prompt: "Of {{ blocks.help }}", output_schema: {type: object}}
)";

TEST(Program, WhatTheWorkflowCallsIsAToolOfAgents) {
  const auto read = read_program(flow(kCalls), "f.yaml");
  ASSERT_TRUE(read) << read.error().message();
  const std::string canonical = canonical_json(*read);
  const auto again = read_program(canonical, "stored");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(canonical_json(*again), canonical);
  std::vector<std::string> calls;
  for (const protocol::FlowStep& step : plan_of(*again, "v").steps) {
    calls.push_back(step.calls);
    if (!step.calls.empty()) EXPECT_EQ(step.blocks.size(), 1U);
  }
  EXPECT_THAT(calls, ::testing::UnorderedElementsAre("", "human", "agent", "flow", "agent"));
  EXPECT_EQ(read->blocks[2].tool->timeout, std::chrono::hours(2));
  const auto needs = needs_of(*again);
  EXPECT_EQ(needs.back().block, "sum");
  EXPECT_EQ(needs.back().needs.back().name, "KEY");
}

TEST(Program, WhatTheWorkflowCallsIsCheckedWithItsPlace) {
  EXPECT_THAT(mistakes("    - {id: a, type: human, needs: [begin], with: {human: {people: ada}}}\n"),
              HasSubstr("`spec.blocks[1].with.human.people`"));
  EXPECT_THAT(
      mistakes("    - {id: a, type: human, needs: [begin], timeout: 3s, with: {arguments: {question: x}}}\n"),
      HasSubstr("has none"));
  EXPECT_THAT(mistakes("    - {id: a, type: agent, needs: [begin], with: {arguments: {input: x}}}\n"),
              HasSubstr("`spec.blocks[1].with.agent` is missing"));
  EXPECT_THAT(
      mistakes("    - {id: a, type: agent, needs: [begin], retry: {attempts: 2}, with: {agent: b}}\n"),
      HasSubstr("makes no attempts"));
  EXPECT_THAT(mistakes("    - {id: a, type: flow, needs: [begin], with: {flow: 'Not a name'}}\n"),
              HasSubstr("must be a flow's name"));
  EXPECT_THAT(
      mistakes("    - {id: a, type: model, needs: [begin], with: {model: {provider: openai, name: m}}}\n"),
      HasSubstr("`spec.blocks[1].with.prompt` is missing"));
  EXPECT_THAT(mistakes("    - {id: a, type: model, needs: [begin], with: {prompt: x, model: {provider: "
                       "opnai, name: m}}}\n"),
              HasSubstr("openai"));
  EXPECT_THAT(mistakes("    - {id: a, type: model, needs: [begin], with: {prompt: x, system: '{{ 1 }}', "
                       "model: {provider: openai, "
                       "name: m}}}\n"),
              HasSubstr("belong into `prompt`"));
}

TEST(Program, ExpressionsNameBlocksThatAreThere) {
  EXPECT_THAT(
      mistakes("    - {id: find, type: join, needs: [begin]}\n"
               "    - {id: a, type: transform, needs: [find], with: {value: '{{ blocks.fnd.x }}'}}\n"),
      HasSubstr("`blocks.fnd`: no block `fnd` leads to `a`; did you mean `find`?"));
  EXPECT_THAT(
      mistakes("    - {id: other, type: join, needs: [begin]}\n"
               "    - {id: a, type: transform, needs: [begin], with: {value: '{{ blocks.other }}'}}\n"),
      HasSubstr("no block `other` leads to `a`"));
  EXPECT_EQ(
      mistakes("    - {id: a, type: transform, needs: [begin], with: {value: '{{ input.blocks.other }}'}}\n"),
      "");
}

TEST(Program, ValuesKeepTheOrderOfTheFile) {
  const auto read = [](const std::string& blocks) { return read_program(flow(blocks), "f.yaml"); };
  const std::string value =
      R"({"zeta":1,"alpha":{"b":["x",{"d":null,"c":true}],"a":2.5},"mid":"{{ input }}"})";
  const auto program = read("    - {id: a, type: transform, needs: [begin], with: {value: " + value +
                            "}}\n"
                            "    - {id: l, type: loop, needs: [a], with: {times: 2, first: " +
                            value +
                            "}, blocks: "
                            "[{id: in, type: transform, with: {value: " +
                            value +
                            "}}]}\n"
                            "    - {id: f, type: flow, needs: [l], with: {flow: other, arguments: " +
                            value +
                            "}}\n"
                            "    - {id: r, type: respond, needs: [f], with: {value: [" +
                            value + "]}}\n");
  ASSERT_TRUE(program) << program.error().message();
  const std::string canonical = canonical_json(*program);
  std::size_t found = 0;
  for (std::size_t at = canonical.find(value); at != std::string::npos; at = canonical.find(value, at + 1))
    ++found;
  EXPECT_EQ(found, 5U) << canonical;
  const auto again = read_program(canonical, "stored");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(canonical_json(*again), canonical);
}

// Versions that were stored before the order was kept are sorted, and stay what they are.
TEST(Program, WhatIsSortedHasTheVersionThatItHad) {
  const auto sorted = read_program(
      flow("    - {id: a, type: transform, needs: [begin], with: {value: {alpha: {a: 1, b: 2}, zeta: 3}}}\n"),
      "f.yaml");
  ASSERT_TRUE(sorted);
  const std::string canonical = canonical_json(*sorted);
  EXPECT_EQ(canonical, nlohmann::json::parse(canonical).dump());
}

// What is sent, a person reads or an agent is given stands as it was written.
TEST(Program, ArgumentsKeepTheOrderOfTheFile) {
  for (const char* with :
       {"type: human, needs: [begin], with: {human: {question: 'Well?'}, ",
        "type: agent, needs: [begin], with: {agent: helper, ",
        "type: http, needs: [begin], with: {http: {url: 'https://x.example/'}, ",
        "type: sql, needs: [begin], with: {sql: {database: /shop.db, statement: 'SELECT :a, :b'}, ",
        "type: publish, needs: [begin], with: {webhook: {url: 'https://x.example/', secret_env: HOOK}, "}) {
    const auto read = read_program(
        flow(fmt::format("    - {{id: a, {}arguments: {{b: 1, a: {{d: 1, c: 2}}}}}}}}\n", with)), "f.yaml");
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_THAT(canonical_json(*read), HasSubstr(R"("arguments":{"b":1,"a":{"d":1,"c":2}})"));
  }
}

TEST(Program, CodeHasALanguage) {
  const auto code = [](std::string_view with) {
    return read_program(
        flow(fmt::format("    - {{id: a, type: code, needs: [begin], with: {{{}}}}}\n", with)), "f.yaml");
  };
  const auto python = code("language: python, code: 'return 1'");
  ASSERT_TRUE(python) << python.error().message();
  EXPECT_EQ(language_of(python->blocks[1]), CodeLanguage::kPython);
  EXPECT_EQ(language_of(python->blocks[0]), CodeLanguage::kJavaScript);
  EXPECT_THAT(canonical_json(*python), HasSubstr(R"("language":"python")"));
  const auto again = read_program(canonical_json(*python), "stored");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(canonical_json(*again), canonical_json(*python));
  const auto monty = code("language: monty, code: 'return 1'");
  ASSERT_TRUE(monty) << monty.error().message();
  EXPECT_EQ(language_of(monty->blocks[1]), CodeLanguage::kMonty);
  EXPECT_THAT(canonical_json(*monty), HasSubstr(R"("language":"monty")"));
  const auto named = code("language: javascript, code: 'return 1'");
  ASSERT_TRUE(named);
  EXPECT_EQ(canonical_json(*named), canonical_json(*code("code: 'return 1'"))) << "its version stays";
  EXPECT_THAT(
      mistakes("    - {id: a, type: code, needs: [begin], with: {language: pythn, code: 'return 1'}}\n"),
      HasSubstr("python"));
}

}  // namespace
}  // namespace holdfast::flows
