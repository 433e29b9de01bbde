// Goal: what decides between values, and what is done again and again, is read whole with its mistakes at
// their places; its canonical form is the same program; and which blocks of a version are those of another.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block/iteration.h"
#include "block/program.h"
#include "block/values.h"

namespace holdfast::flows {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string flow(std::string_view blocks) {
  return fmt::format(
      "apiVersion: holdfast.dev/v1\nkind: Flow\nmetadata: {{name: order}}\nspec:\n  blocks:\n"
      "    - {{id: begin, type: start}}\n{}",
      blocks);
}

std::string mistakes(std::string_view blocks) {
  auto read = read_program(flow(blocks), "f.yaml");
  return read ? "" : std::string(read.error().message());
}

Program program(std::string_view blocks) {
  auto read = read_program(flow(blocks), "f.yaml");
  EXPECT_TRUE(read) << read.error().message();
  return read ? *std::move(read) : Program();
}

constexpr std::string_view kBodies = R"(
    - {id: rate, type: http, needs: [begin], with: {http: {url: "https://rate.example"}, effect: pure}}
    - {id: other, type: join, needs: [begin]}
    - id: each
      type: map
      needs: [rate]
      with: {over: "{{ input.items }}", parallel: 4, errors: collect}
      blocks:
        - {id: price, type: transform, with: {value: "{{ item.price * blocks.rate.eur }}"}}
        - {id: kind, type: switch, needs: [price], with: {value: "{{ item.kind }}", cases: [{name: book, is: book}, {name: film, is: [dvd, 7]}]}}
        - id: pay
          type: http
          needs: [kind.book]
          retry: {attempts: 5}
          x-place: {x: 1}
          with: {http: {method: POST, url: "https://pay.example"}, effect: idempotent, arguments: {amount: "{{ blocks.price }}", n: "{{ index }}"}}
    - id: poll
      type: loop
      needs: [each]
      with: {times: 20, until: "last.ready == true", first: {n: 1}, pause: 5s}
      blocks:
        - {id: ask, type: code, with: {code: "return {ready: last.n > 3, n: last.n + 1}"}}
    - {id: reply, type: respond, needs: [poll], with: {value: "{{ blocks.each }}"}}
)";

TEST(Body, IsReadAndItsCanonicalFormIsTheSame) {
  const Program read = program(kBodies);
  ASSERT_EQ(read.blocks.size(), 6U);
  const BoundBlock& each = read.blocks[3];
  ASSERT_TRUE(each.body);
  EXPECT_TRUE(iteration_of(each).collects);
  EXPECT_EQ(iteration_of(each).parallel, 4U);
  EXPECT_THAT(each.body->blocks[0].reads_around, ElementsAre(1U)) << "the block around it that it names";
  EXPECT_THAT(each.body->blocks[2].reads, ElementsAre(0U));
  EXPECT_EQ(each.body->rules[2].needs[0].outlet, "book");
  EXPECT_EQ(iteration_of(read.blocks[4]).times, 20U);
  const std::string canonical = canonical_json(read);
  EXPECT_THAT(canonical, ::testing::Not(HasSubstr("x-place")));
  const auto again = read_program(canonical, "stored");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(canonical_json(*again), canonical);
  const auto needs = needs_of(read);
  ASSERT_EQ(needs.size(), 2U);
  EXPECT_EQ(needs[1].block, "pay") << "what a body uses of the machine";
  const protocol::FlowPlan plan = plan_of(read, "v");
  std::vector<std::pair<std::uint32_t, std::int64_t>> iterating;
  for (const protocol::FlowStep& step : plan.steps) {
    if (step.each) iterating.emplace_back(step.each->parallel, step.each->pause_ms);
  }
  EXPECT_THAT(iterating, ElementsAre(std::pair(4U, 0), std::pair(1U, 5000)));
}

TEST(Body, MistakesHaveTheirPlace) {
  const auto in_map = [](std::string_view body) {
    return mistakes(
        fmt::format("    - id: each\n      type: map\n      needs: [begin]\n      with: {{over: 3}}\n"
                    "      blocks:\n{}",
                    body));
  };
  EXPECT_EQ(in_map("        - {id: a, type: join}\n"), "");
  EXPECT_THAT(mistakes("    - {id: each, type: map, needs: [begin], with: {over: 3}}\n"),
              HasSubstr("`spec.blocks[1].blocks` is missing"));
  EXPECT_THAT(in_map("        - {id: a, type: respond, with: {value: 1}}\n"),
              HasSubstr("f.yaml:12:25: `spec.blocks[1].blocks[0].type`: block `a`: a body has no `respond`"));
  EXPECT_THAT(in_map("        - {id: a, type: map, with: {over: 1}, blocks: [{id: b, type: join}]}\n"),
              HasSubstr("a body has no `map`: put it into a flow of its own"));
  EXPECT_THAT(in_map("        - {id: a, type: start}\n"), HasSubstr("a body has no `start`"));
  EXPECT_THAT(
      in_map("        - {id: a, type: join, needs: [b]}\n        - {id: b, type: join, needs: [a]}\n"),
      HasSubstr("waits for itself"));
  EXPECT_THAT(in_map("        - {id: begin, type: join}\n"), HasSubstr("is called so already"));
  EXPECT_THAT(in_map("        - {id: a, type: join, needs: [begin]}\n"), HasSubstr("which is no block"));
  EXPECT_THAT(in_map("        - {id: a, type: transform, with: {value: '{{ blocks.fnd }}'}}\n"),
              HasSubstr("no block `fnd` leads to `a`"));
  EXPECT_THAT(in_map("        - {id: a, type: branch, with: {rules: [{name: x, when: itm > 1}]}}\n"),
              HasSubstr("there is no `itm`"));
  EXPECT_EQ(in_map("        - {id: a, type: branch, with: {rules: [{name: x, when: item > 1}]}}\n"), "");
  EXPECT_THAT(
      mistakes("    - {id: a, type: branch, needs: [begin], with: {rules: [{name: x, when: item > 1}]}}\n"),
      HasSubstr("there is no `item`"))
      << "outside of a body";
  EXPECT_THAT(mistakes("    - {id: a, type: join, needs: [begin], blocks: [{id: b, type: join}]}\n"),
              HasSubstr("unknown key `spec.blocks[1].blocks`"));
  EXPECT_THAT(
      mistakes("    - {id: a, type: loop, needs: [begin], retry: {attempts: 2}, with: {}, blocks: [{id: b, "
               "type: join}]}\n"),
      ::testing::AllOf(HasSubstr("`spec.blocks[1].with.times` is missing"), HasSubstr("say it there")));
}

TEST(Body, WhoseBlocksAreStepsOfAWorkflowIsOfRuns) {
  const auto looped = [](std::string_view times, std::string_view block) {
    return fmt::format(
        "    - {{id: again, type: loop, needs: [begin], with: {{times: {}}}, blocks: [{{id: a, {}}}]}}\n",
        times, block);
  };
  const auto are_runs = [&](std::string_view block) {
    const Program read = program(looped("10000", block));
    EXPECT_EQ(canonical_json(*read_program(canonical_json(read), "stored")), canonical_json(read));
    return plan_of(read, "v").steps.back().each->runs;
  };
  EXPECT_FALSE(are_runs("type: join"));
  EXPECT_TRUE(are_runs("type: wait, with: {duration: 1s}"));
  EXPECT_TRUE(are_runs("type: agent, with: {agent: helper, arguments: {input: '{{ last }}'}}"));
  EXPECT_TRUE(are_runs("type: flow, with: {flow: other, arguments: {n: '{{ index }}'}}"));
  EXPECT_TRUE(are_runs("type: human, with: {human: {question: 'Yes?'}}"));
  EXPECT_TRUE(
      are_runs("type: http, async: true, with: {http: {method: POST, url: 'https://a.example', body: {to: "
               "'{completion_url}'}}, effect: idempotent}"));
  EXPECT_EQ(mistakes(looped("10001", "type: join")), "");
  EXPECT_THAT(mistakes(looped("10001", "type: wait, with: {duration: 1s}")),
              HasSubstr("10001 rounds, at most 10000 are allowed where each is a run of its own"));
  EXPECT_THAT(mistakes(looped("2", "type: wait, retry: {attempts: 2}, with: {duration: 1s}")),
              HasSubstr("a wait makes no attempts"));
}

TEST(Body, OfRunsIsPlannedAsAFlowOfItsOwn) {
  const Program read = program(
      "    - {id: rate, type: join, needs: [begin]}\n    - id: each\n      type: map\n      needs: [rate]\n"
      "      with: {over: 2}\n      blocks:\n        - {id: made, type: transform, with: {value: '{{ item "
      "}}'}}\n"
      "        - {id: ask, type: human, needs: [made], with: {human: {question: 'Yes?'}}}\n"
      "        - {id: said, type: transform, needs: [ask], with: {value: '{{ blocks.rate }}'}}\n");
  const protocol::FlowPlan plan = plan_of(*read.blocks[2].body, "v");
  EXPECT_EQ(plan.flow, "flow:order");
  ASSERT_EQ(plan.steps.size(), 3U);
  EXPECT_EQ(plan.steps[1].calls, "human");
  EXPECT_THAT(plan.steps[1].after, ElementsAre(0U));
  EXPECT_TRUE(graph_of(read.flow)[2].human) << "nobody knows when it ends";
  EXPECT_EQ(block_named(read, "each"), 2U);
  EXPECT_FALSE(block_named(read, "ask")) << "it stands in a body";
}

TEST(Switch, CasesNameItsOutlets) {
  const auto with = [](std::string_view cases) {
    return mistakes(
        fmt::format("    - {{id: a, type: switch, needs: [begin], with: {{value: '{{{{ input }}}}', "
                    "cases: [{}]}}}}\n    - {{id: b, type: join, needs: [a.x]}}\n",
                    cases));
  };
  EXPECT_EQ(with("{name: x, is: 1}"), "");
  EXPECT_THAT(with("{name: y, is: 1}"), HasSubstr("its outlets are y, otherwise, error"));
  EXPECT_THAT(with("{name: x, is: 1}, {name: x, is: 2}"), HasSubstr("there are two cases `x`"));
  EXPECT_THAT(with("{name: x, is: 1}, {name: y, is: [2, 1]}"), HasSubstr("1 is in a case before it already"));
  EXPECT_THAT(with("{name: x}"), HasSubstr("`spec.blocks[1].with.cases[0].is` is missing"));
  EXPECT_THAT(with("{name: x, is: []}"), HasSubstr("is an empty list"));
  EXPECT_THAT(with("{name: x, is: '{{ input }}'}"), HasSubstr("is a plain value"));
}

std::string outlet_for(const Program& from, std::string_view input) {
  ValueSources sources;
  sources.input = [input] { return std::string(input); };
  Values values(from.flow, from.flow.blocks[1], from.blocks[1], std::move(sources));
  const BlockResult result = from.blocks[1].type->run(from.blocks[1], values);
  return result ? result->outlet : "error: " + result.error().message;
}

TEST(Switch, TheCaseThatItIsNamesTheOutlet) {
  const Program from = program(
      "    - {id: a, type: switch, needs: [begin], with: {value: '{{ input }}', cases: [{name: one, is: 1}, "
      "{name: words, is: [a, b]}, {name: nothing, is: null}, {name: thing, is: {x: [1]}}, "
      "{name: large, is: 9007199254740993}]}}\n");
  EXPECT_EQ(outlet_for(from, "1"), "one");
  EXPECT_EQ(outlet_for(from, "1.0"), "one");
  EXPECT_EQ(outlet_for(from, "\"1\""), "otherwise");
  EXPECT_EQ(outlet_for(from, "\"b\""), "words");
  EXPECT_EQ(outlet_for(from, "null"), "nothing");
  EXPECT_EQ(outlet_for(from, R"({"x":[1]})"), "thing");
  EXPECT_EQ(outlet_for(from, "9007199254740993"), "large");
  EXPECT_EQ(outlet_for(from, "9007199254740992"), "otherwise");
  EXPECT_EQ(outlet_for(from, "9007199254740992.0"), "otherwise");
  EXPECT_EQ(outlet_for(from, "123456789012345678901234567890"), "otherwise");
}

TEST(Sameness, ABlockIsTheSameIfItAndAllBeforeItAre) {
  const Program before = program(kBodies);
  const auto same_in = [&](std::string from, std::string to) {
    std::string text(kBodies);
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    std::string out;
    for (const auto& one : same_blocks(before, program(text))) out += one ? 's' : '-';
    return out;
  };
  EXPECT_EQ(same_in("parallel: 4", "parallel: 4"), "ssssss");
  EXPECT_EQ(same_in("attempts: 5", "attempts: 6"), "ssssss") << "how often it is tried is not what it does";
  EXPECT_EQ(same_in("{id: other,", "{id: other, name: Other, takes: 3s,"), "ssssss");
  EXPECT_EQ(same_in("item.price *", "item.price +"), "sss---") << "in a body";
  EXPECT_EQ(same_in("rate.example", "rates.example"), "s-s---") << "and all behind it";
  EXPECT_EQ(same_in("id: other", "id: another"), "ss-sss");
  EXPECT_EQ(same_in("blocks.each", "blocks.poll"), "sssss-");
}

TEST(Async, IsOfCallsThatHandOutATokenAndChangeSomething) {
  const auto call = [](std::string_view more, std::string_view async = "true") {
    return fmt::format(
        "    - {{id: a, type: http, needs: [begin], async: {}, with: {{http: {{method: POST, url: "
        "'https://a.example', body: {{to: '{{completion_url}}'}}}}, {}}}}}\n",
        async, more);
  };
  const Program read = program(call("effect: idempotent", "{deadline: 2h}"));
  EXPECT_EQ(read.flow.blocks[1].deadline, std::chrono::hours(2));
  EXPECT_EQ(canonical_json(*read_program(canonical_json(read), "stored")), canonical_json(read));
  EXPECT_EQ(program(call("effect: idempotent")).flow.blocks[1].deadline, std::chrono::hours(24));
  EXPECT_THAT(mistakes(call("effect: pure")), HasSubstr("is not completed from outside"));
  EXPECT_THAT(mistakes("    - {id: a, type: sql, needs: [begin], async: true, with: {sql: {database: /x.db, "
                       "statement: 'SELECT 1'}}}\n"),
              HasSubstr("hands out no token"));
}

}  // namespace
}  // namespace holdfast::flows
