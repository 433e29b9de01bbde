// Goal: a trial runs what a server would, calls nothing, and says what is not as a case expects. Method: a
// sandbox that knows a few expressions.

#include "trial/trial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "trial/cases.h"

namespace holdfast::flows {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kRefund = R"(
apiVersion: holdfast.dev/v1
kind: Flow
metadata: {name: refund}
spec:
  input: {type: object, required: [order]}
  blocks:
    - {id: begin, type: start}
    - {id: find, type: sql, needs: [begin], with: {sql: {database: /s.db, statement: "SELECT :id"}, arguments: {id: "{{ input.order }}"}}}
    - {id: decide, type: branch, needs: [find], with: {rules: [{name: large, when: "input.amount > 100"}]}}
    - {id: cool_off, type: wait, needs: [decide.large], with: {duration: 24h}}
    - id: pay
      type: http
      needs: [cool_off, decide.otherwise]
      join: any
      with: {http: {method: POST, url: "https://p.example/"}, effect: idempotent, arguments: {order: "{{ blocks.find.id }}"}}
    - {id: sorry, type: transform, needs: [pay.error], with: {value: "sorry"}}
    - {id: reply, type: respond, needs: [pay], with: {value: {paid: "{{ blocks.pay.id }}"}}}
)";

Program refund() {
  auto out = read_program(kRefund, "refund.yaml");
  EXPECT_TRUE(out) << out.error().message();
  return out ? *std::move(out) : Program();
}

Result<sandbox::Reply> evaluate(const sandbox::Request& request) {
  sandbox::Reply out;
  const Json in = Json::parse(request.inputs);
  if (request.code == "{{ input.order }}") out.result = in["input"]["order"].dump();
  if (request.code == "{{ blocks.find.id }}") out.result = in["blocks"]["find"]["id"].dump();
  if (request.code == "{{ blocks.pay.id }}") out.result = in["blocks"]["pay"]["id"].dump();
  return out;
}

const std::string kCases = R"(
tests:
  - name: small
    input: {order: 7, amount: 5}
    pinned: {find: {value: {id: 70}}, pay: {value: {id: 9007199254740993}}}
    expect:
      outlets: {decide: otherwise, cool_off: skipped, pay: done}
      arguments: {find: {id: 7}, pay: {order: 70}}
      results: {find: {id: 70}}
      output: {paid: 9007199254740993}
  - name: refused
    input: {order: 7, amount: 500}
    pinned: {find: {value: {id: 70}}, pay: {error: {type: ToolError, message: no}}}
    expect: {outlets: {cool_off: done, pay: error, reply: skipped}, output: sorry}
  - name: not found
    input: {order: 7}
    pinned: {find: {error: {message: gone}}}
    expect: {error: {block: find, type: ToolError, says: gon}}
)";

TEST(Trial, RunsTheCasesOfAFlow) {
  const Program program = refund();
  const auto cases = read_cases(kCases, "refund.test.yaml", program);
  ASSERT_TRUE(cases) << cases.error().message();
  ASSERT_EQ(cases->size(), 3U);
  for (const TrialCase& one : *cases) {
    const auto trial = run_trial(program, one.in, evaluate);
    ASSERT_TRUE(trial) << trial.error().message();
    EXPECT_THAT(judge(program, one.expect, *trial), IsEmpty()) << one.name;
  }
}

TEST(Trial, SaysWhatIsNotAsExpected) {
  const Program program = refund();
  const auto cases = read_cases(R"(
tests:
  - name: all wrong
    input: {order: 7, amount: 5}
    pinned: {find: {value: {id: 70}}, pay: {value: {id: 1}}}
    expect:
      outlets: {decide: large, cool_off: done}
      arguments: {pay: {order: 71}}
      output: {paid: 2}
)",
                                "t", program);
  ASSERT_TRUE(cases) << cases.error().message();
  const auto trial = run_trial(program, cases->front().in, evaluate);
  ASSERT_TRUE(trial) << trial.error().message();
  EXPECT_THAT(judge(program, cases->front().expect, *trial),
              ElementsAre("output at paid: expected 2, it was 1", "decide: expected large, it was otherwise",
                          "cool_off: expected done, it was skipped",
                          "arguments of pay at order: expected 71, it was 70"));
}

TEST(Trial, CallsNothing) {
  const Program program = refund();
  TrialInput in;
  in.input = R"({"order": 7})";
  EXPECT_THAT(std::string(run_trial(program, in, evaluate).error().message()),
              HasSubstr("block `find` (sql) is not run here: give it a result under `pinned`"));
  in.input = "[]";
  EXPECT_THAT(std::string(run_trial(program, in, evaluate).error().message()), HasSubstr("the input"));
}

TEST(Trial, RunsAPart) {
  const Program program = refund();
  TrialInput in;
  in.input = R"({"order": 7, "amount": 500})";
  in.pinned["find"].value = R"({"id": 70})";
  in.only = leading_to(program, 3);
  auto trial = run_trial(program, in, evaluate);
  ASSERT_TRUE(trial) << trial.error().message();
  EXPECT_EQ(trial->find(3)->outlet, "done");
  EXPECT_EQ(trial->find(4)->outlet, protocol::kFlowSkipped);
  in.only = {6};
  EXPECT_THAT(std::string(run_trial(program, in, evaluate).error().message()), HasSubstr("block `pay`"));
  in.pinned["pay"].value = R"({"id": 3})";
  trial = run_trial(program, in, evaluate);
  ASSERT_TRUE(trial) << trial.error().message();
  EXPECT_EQ(trial->find(6)->value, R"({"paid":3})");
}

TEST(Cases, TellEveryMistakeWithItsPlace) {
  const Program program = refund();
  const auto told = [&](const std::string& text) {
    const auto cases = read_cases(text, "t.yaml", program);
    return cases ? std::string("nothing") : std::string(cases.error().message());
  };
  EXPECT_THAT(told(""), HasSubstr("t.yaml"));
  EXPECT_THAT(told("tests: []\n"), HasSubstr("holds no case"));
  EXPECT_THAT(told("tests: [{name: a, colour: red}]\n"),
              HasSubstr("t.yaml:1:19: unknown key `tests[0].colour`"));
  EXPECT_THAT(told("tests: [{name: a, pinned: {fnd: {}}}]\n"),
              HasSubstr("`fnd` is no block of the flow; did you mean `find`?"));
  EXPECT_THAT(told("tests: [{name: a, pinned: {decide: {outlet: huge}}}]\n"), HasSubstr("no outlet `huge`"));
  EXPECT_THAT(told("tests: [{name: a, pinned: {decide: {}}}]\n"), HasSubstr("one that it decides between"));
  EXPECT_THAT(told("tests: [{name: a, expect: {outlets: {find: large}}}]\n"),
              HasSubstr("it has done, error, or is skipped"));
  EXPECT_THAT(told("tests: [{name: a, expect: {arguments: {sorry: {}}}}]\n"), HasSubstr("calls nothing"));
  EXPECT_THAT(told("tests: [{name: a}, {name: a}]\n"), HasSubstr("there are two cases `a`"));
  EXPECT_THAT(told("tests: [\n"), HasSubstr("broken YAML"));
}

}  // namespace
}  // namespace holdfast::flows
