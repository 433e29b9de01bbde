// Goal: code that a model writes calls tools, and each call of it is what a call of the model's would be:
// policy, people, ledger, budget, events; whoever dies or waits in between, each effect is one. Method: whole
// runs whose scripted model sends code, which runs in the real sandbox.

#include <algorithm>
#include <atomic>
#include <latch>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "harness.h"

namespace holdfast::e2e {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kCode = "    - {name: run, type: code}\n";

// The model sends that code, then says "Then: " and what it came to.
std::string script(const std::string& code) {
  return fmt::format(R"(
replies:
  - when: {{turn: 0}}
    tool_calls: [{{name: run, arguments: {}}}]
  - when: {{turn: 1}}
    text: "Then: {{{{last}}}}"
)",
                     Json{{"code", code}}.dump());
}

std::vector<Json> events(Platform& p, const std::string& run, std::string_view type) {
  std::vector<Json> out;
  for (const platform::Event& event : p.events(run)) {
    if (event.type == type) out.push_back(Json::parse(event.data));
  }
  return out;
}

// "tool" of each call that code has made, in the order in which they began.
std::vector<std::string> made(Platform& p, const std::string& run) {
  std::vector<std::string> out;
  for (const Json& event : events(p, run, "step.started")) {
    if (event.contains("within")) out.push_back(event["name"]);
  }
  return out;
}

std::string refunds(Platform& p) {
  return p.query_shop("SELECT count(*) FROM refunds")[0][0];
}

void decide(Platform& p, const WorkflowHandle& run, Json approval, const std::string& decision) {
  approval["decision"] = decision;
  approval["decided_by"] = "ann";
  auto decided = p.decide(run, approval);
  ASSERT_TRUE(decided.has_value()) << decided.error().to_string();
  EXPECT_TRUE(decided->ok()) << decided->error().to_string();
}

TEST(Code, CallsToolsInALoopWhereAPersonApprovesOne) {
  Platform p(script(R"(
    let paid = 0;
    for (const order_id of [7, 8]) {
      const {rows: [order]} = await tools.lookup({order_id});
      await tools.refund({order_id, amount: order.total});
      console.log(order.customer);
      paid += order.total;
    }
    await tools.note({text: 'paid ' + paid});
    return {paid};)"));
  p.deploy("loop", {}, kCode);
  auto run = p.start("loop", "go");
  const Json approval = p.wait_for_approval(run);
  EXPECT_EQ(approval["tool"], "refund");
  EXPECT_EQ(approval["arguments"], Json::parse(R"({"order_id":7,"amount":180})"));
  EXPECT_EQ(refunds(p), "0");
  p.stop_workers();  // while it waits; the code is run again from its beginning by others
  p.start_workers();
  decide(p, run, approval, "approve");
  EXPECT_EQ(p.finish(run).output, "Then: {\"paid\":200}\nconsole:\nAda\nBen\n");
  EXPECT_EQ(p.query_shop("SELECT order_id, amount FROM refunds ORDER BY id"),
            Json::parse(R"([["7","180.0"],["8","20.0"]])"));
  EXPECT_EQ(p.receiver->deliveries(), 1);
  EXPECT_THAT(made(p, run.workflow_id()), ElementsAre("lookup", "refund", "lookup", "refund", "note"));
  EXPECT_EQ(p.scripted->requests(), 2u);
}

TEST(Code, WhatIsAskedForTogetherIsMadeTogetherAndAnswersInOrder) {
  Platform p(
      script("return (await Promise.all([8, 7].map(order_id => tools.lookup({order_id})))).map(o => "
             "o.rows[0].customer)"));
  p.deploy("together", {}, kCode);
  auto run = p.start("together", "go");
  EXPECT_EQ(p.finish(run).output, R"(Then: ["Ben","Ada"])");
  EXPECT_THAT(made(p, run.workflow_id()), ElementsAre("lookup", "lookup"));
}

TEST(Code, TheSameCallTwiceIsTwoEffects) {
  Platform p(script("for (let i = 0; i < 2; ++i) await tools.note({text: 'again'}); return 'sent'"));
  p.deploy("twice", {}, kCode);
  auto run = p.start("twice", "go");
  EXPECT_EQ(p.finish(run).output, "Then: sent");
  EXPECT_EQ(p.receiver->effects(), 2);
}

TEST(Code, ARejectionIsAnErrorThatItMayCatch) {
  Platform p(
      script("try { await tools.refund({order_id: 7, amount: 180}) } catch (e) { return 'no: ' + "
             "e.message }"));
  p.deploy("rejected", {}, kCode);
  auto run = p.start("rejected", "go");
  decide(p, run, p.wait_for_approval(run), "reject");
  EXPECT_EQ(p.finish(run).output, "Then: no: rejected by ann");
  EXPECT_EQ(refunds(p), "0");
}

TEST(Code, EditedArgumentsAreWhatIsDone) {
  Platform p(script("await tools.refund({order_id: 7, amount: 180}); return 'paid'"));
  p.deploy("edited", {}, kCode);
  auto run = p.start("edited", "go");
  Json approval = p.wait_for_approval(run);
  approval["edited_arguments"] = {{"order_id", 7}, {"amount", 50}};
  decide(p, run, approval, "edit");
  EXPECT_EQ(p.finish(run).output, "Then: paid");
  EXPECT_EQ(p.query_shop("SELECT amount FROM refunds"), Json::parse(R"([["50.0"]])"));
}

TEST(Code, MayCallWhatItIsGivenAndPolicyAllows) {
  Platform p(script(
      "const said = [];"
      "for (const call of [() => tools.refund({order_id: 7, amount: 1}), () => tools.note({text: 'x'}),"
      " () => tools.lookup({order_id: 'x'})])"
      "  try { await call() } catch (e) { said.push(e.message) }"
      "return said"));
  p.deploy("denied", "  approvals: {rules: [{tool: note, action: deny, reason: quiet}]}",
           "    - {name: run, type: code, code: {tools: [note, lookup]}}\n");
  auto run = p.start("denied", "go");
  const std::string output = p.finish(run).output;
  EXPECT_THAT(output, HasSubstr("there is no tool `refund` for code; the tools are: lookup, note"));
  EXPECT_THAT(output, HasSubstr("denied: quiet"));
  EXPECT_THAT(output, HasSubstr("wrong arguments"));
  EXPECT_EQ(refunds(p), "0");
  EXPECT_EQ(p.receiver->deliveries(), 0);
  EXPECT_EQ(events(p, run.workflow_id(), "policy.ruled").size(), 1u);
}

TEST(Code, ARuleThatLooksBackSeesItsCalls) {
  Platform p(script("for (let i = 1; i < 4; ++i) await tools.refund({order_id: 8, amount: i})"));
  p.deploy(
      "past",
      "  approvals:\n    language: cel\n    rules:\n"
      "      - {tool: refund, when: 'calls(\"refund\").filter(c, c.args.amount > 1).size() >= 1', action: "
      "deny, reason: enough}",
      kCode);
  auto run = p.start("past", "go");
  EXPECT_THAT(p.finish(run).output, HasSubstr("denied: enough"));
  EXPECT_EQ(refunds(p), "2");
}

TEST(Code, ItsCallsCountAgainstTheBudget) {
  Platform p(script("for (let i = 0; i < 9; ++i) await tools.note({text: String(i)})"));
  p.deploy("budget", "  budgets: {tool_calls: 3}", kCode);
  auto run = p.start("budget", "go");
  auto result = run.result<agent::RunResult>(std::chrono::seconds(60));
  ASSERT_TRUE(result.has_value()) << result.error().to_string();
  ASSERT_FALSE(result->ok());
  EXPECT_EQ(find_failure<ApplicationFailure>(result->error())->type(), "BudgetExceeded");
  EXPECT_EQ(p.receiver->effects(), 3);
}

TEST(Code, WhatGoesWrongInItIsTold) {
  Platform p(script("await tools.note({text: 'first'}); console.log('here'); while (true) {}"));
  p.deploy("wrong", {}, "    - {name: run, type: code, code: {time_limit: 50ms}}\n");
  auto run = p.start("wrong", "go");
  const std::string output = p.finish(run).output;
  EXPECT_THAT(output, HasSubstr("Error: the code failed (time_limit)"));
  EXPECT_THAT(output, HasSubstr("The calls that it made before stand: note (1)."));
  EXPECT_THAT(output, HasSubstr("console:\nhere"));
  EXPECT_EQ(p.receiver->effects(), 1);
}

TEST(Code, ThereAreOnlySoManyCalls) {
  Platform p(script("for (let i = 0; ; ++i) await tools.note({text: String(i)})"));
  p.deploy("many", {}, "    - {name: run, type: code, code: {max_calls: 3}}\n");
  auto run = p.start("many", "go");
  EXPECT_THAT(p.finish(run).output, HasSubstr("more than 3 calls"));
  EXPECT_EQ(p.receiver->effects(), 3);
}

// What is under way ends, and is an effect; what the code had in mind behind it is not.
TEST(Code, AMessageEndsItBehindTheCallThatIsUnderWay) {
  Platform p(script("await tools.note({text: 'under way'}); await tools.note({text: 'never'})"));
  std::latch said(1);
  std::atomic<bool> arrived = false;
  p.receiver->answer = [&](int) {
    arrived = true;
    said.wait();
    return std::pair(200, std::string("ok"));
  };
  p.deploy("cut-short", "  steering: interrupt", kCode);
  auto run = p.start("cut-short", "go");
  ASSERT_TRUE(eventually([&] { return arrived.load(); }));
  ASSERT_TRUE(p.send(run, "enough", "m1")->ok());
  said.count_down();
  EXPECT_EQ(p.finish(run).output, "Then: enough");
  EXPECT_THAT(p.conversation(run.workflow_id()),
              Contains(HasSubstr("Error: ended early: a message came first, from ada. 1 calls of the code")));
  EXPECT_EQ(p.receiver->bodies(), std::vector<std::string>{R"({"text":"under way"})"});
}

TEST(Code, AMessageEndsItWhileItsCallsWaitForAPersonAndForATime) {
  Platform p(
      script("await tools.note({text: 'made'});"
             "await Promise.all([tools.rest({duration: '1h'}), tools.refund({order_id: 7, amount: 180})]);"
             "await tools.note({text: 'never'})"));
  p.deploy("waits", "  steering: interrupt\n  approvals: {rules: [{tool: refund, action: ask}]}",
           std::string(kCode) + "    - {name: rest, type: wait, wait: {max: 2h}}\n");
  auto run = p.start("waits", "go");
  const Json approval = p.wait_for_approval(run);
  p.stop_workers();
  p.start_workers();
  ASSERT_TRUE(p.send(run, "enough", "m1")->ok());
  EXPECT_EQ(p.finish(run).output, "Then: enough");
  EXPECT_THAT(p.conversation(run.workflow_id()),
              Contains(HasSubstr("Error: ended early: a message came first, from ada. 3 calls of the code")));
  EXPECT_EQ(p.receiver->bodies(), std::vector<std::string>{R"({"text":"made"})"});
  EXPECT_EQ(refunds(p), "0");
  const auto row = p.store().approval(approval["approval"].get<std::string>());
  ASSERT_TRUE(row.has_value());
  EXPECT_EQ(row->status, platform::ApprovalStatus::kRejected);
}

// It is given results whole, though the model would see a part of each.
TEST(Code, ReadsResultsThatAreTooLargeForItsModel) {
  Platform p(script("const text = await tools.note({text: 'x'}); return text.length"));
  p.receiver->answer = [](int) { return std::pair(200, std::string(9000, 'a')); };
  p.deploy("large", "  limits: {max_tool_output_bytes: 1024}", kCode);
  auto run = p.start("large", "go");
  EXPECT_EQ(p.finish(run).output, "Then: 9000");
}

}  // namespace
}  // namespace holdfast::e2e
