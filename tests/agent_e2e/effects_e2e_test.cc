// Goal: an effect whose end is not known is asked about before a person is, and a run that does not succeed
// takes its effects back, the last one first, and says what stands. Method: whole runs against a receiver
// that counts.

#include <gmock/gmock.h>

#include <algorithm>

#include "harness.h"

namespace holdfast::e2e {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kWires = R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: wire, arguments: {amount: 5}}]
  - when: {turn: 1}
    text: "Then: {{last}}"
)";

// `wire` must not be called twice; `find` knows whether it took effect.
std::string wire(Platform& p, const std::string& reconcile) {
  return "    - name: wire\n      type: http\n      effect: at_most_once\n      timeout: 300ms\n"
         "      reconcile: {tool: find, after: 0s, arguments: {key: \"{key}\"}" +
         reconcile +
         "}\n"
         "      parameters: {properties: {amount: {type: number}}}\n"
         "      http: {method: POST, url: \"" +
         p.receiver->url("/wire") +
         "\"}\n"
         "    - name: find\n      type: http\n      retry: {initial: 20ms, attempts: 2}\n"
         "      parameters: {properties: {key: {type: string}}, required: [key]}\n"
         "      http: {url: \"" +
         p.receiver->url("/find") + "\"}";
}

TEST(Reconcile, WhatTookEffectIsSettledWithoutAPerson) {
  Platform p(kWires);
  p.deploy("happened", "", wire(p, ""));
  p.receiver->answer = [](int nth) {
    return nth == 1 ? std::pair<int, std::string>(0, "")
                    : std::pair<int, std::string>(200, R"({"happened":true,"id":9})");
  };
  auto run = p.start("happened", "go");
  EXPECT_EQ(p.finish(run).output, R"(Then: {"happened":true,"id":9})");
  EXPECT_EQ(p.receiver->deliveries(), 2);
  EXPECT_EQ(p.count_events(run.workflow_id(), "approval.requested"), 0);
  EXPECT_EQ(p.count_events(run.workflow_id(), "effect.reconciled"), 1);
}

TEST(Reconcile, WhatTookNoEffectIsToldAndNotRepeated) {
  Platform p(kWires);
  p.deploy("not-happened", "", wire(p, ", happened: status == \"paid\""));
  p.receiver->answer = [](int nth) {
    return nth == 1 ? std::pair<int, std::string>(0, "")
                    : std::pair<int, std::string>(200, R"({"status":"none"})");
  };
  auto run = p.start("not-happened", "go");
  EXPECT_THAT(p.finish(run).output, HasSubstr("took no effect"));
  EXPECT_EQ(p.receiver->deliveries(), 2);
}

TEST(Reconcile, WhoDoesNotKnowLeavesItToAPerson) {
  Platform p(kWires);
  p.deploy("unclear", "", wire(p, ""));
  p.receiver->answer = [](int nth) {
    return nth == 1 ? std::pair<int, std::string>(0, "") : std::pair<int, std::string>(200, "maintenance");
  };
  auto run = p.start("unclear", "go");
  Json approval = p.wait_for_approval(run);
  EXPECT_THAT(approval["reason"].get<std::string>(), HasSubstr("maintenance"));
  Json reject = {{"approval", approval["approval"]}, {"decision", "reject"}, {"decided_by", "ada"}};
  ASSERT_TRUE(p.decide(run, reject)->ok());
  EXPECT_THAT(p.finish(run).output, HasSubstr("rejected by ada"));
}

// Two payments, then the end that `last` gives.
std::string pays_twice(const std::string& last) {
  return R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: pay, arguments: {to: ann}}]
  - when: {turn: 1}
    tool_calls: [{name: pay, arguments: {to: bob}}]
  - when: {turn: 2}
)" + last;
}

std::string pay(Platform& p, const std::string& tools = {}) {
  return "    - name: pay\n      type: http\n      effect: idempotent\n"
         "      compensate: {tool: unpay, arguments: {id: \"{result.id}\", to: \"{arguments.to}\"}}\n"
         "      parameters: {properties: {to: {type: string}}, required: [to]}\n"
         "      http: {method: POST, url: \"" +
         p.receiver->url("/pay") +
         "\", body: {pay: \"{to}\"}}\n"
         "    - name: unpay\n      type: http\n      effect: idempotent\n      retry: {initial: 50ms, "
         "backoff: 1, attempts: 200}\n"
         "      parameters: {properties: {id: {type: integer}, to: {type: string}}, required: [id]}\n"
         "      http: {method: POST, url: \"" +
         p.receiver->url("/unpay") + "\", body: {unpay: \"{to}\", id: \"{id}\"}}\n" + tools;
}

// Each delivery gets its number as an id.
std::pair<int, std::string> numbered(int nth) {
  return {200, "{\"id\":" + std::to_string(nth) + "}"};
}

TEST(Compensation, AFailedRunUndoesTheLastEffectFirst) {
  Platform p(pays_twice("    faults: [{status: 400, code: content_filter, message: filtered}]"));
  p.deploy("failed", "", pay(p));
  p.receiver->answer = numbered;
  auto run = p.start("failed", "go");
  auto result = run.result<agent::RunResult>(std::chrono::seconds(30));
  p.record(run);
  ASSERT_TRUE(result.has_value() && !result->ok());
  EXPECT_EQ(find_failure<ApplicationFailure>(result->error())->type(), "ContentFilterError");
  EXPECT_THAT(p.receiver->bodies(), ElementsAre(R"({"pay":"ann"})", R"({"pay":"bob"})",
                                                R"({"id":2,"unpay":"bob"})", R"({"id":1,"unpay":"ann"})"));
  EXPECT_EQ(p.receiver->effects(), 4);  // each under a key of its own
  EXPECT_EQ(p.count_events(run.workflow_id(), "effect.undone"), 2);
}

TEST(Compensation, WhatStandsIsNamedAndTheOthersAreUndone) {
  Platform p(pays_twice("    faults: [{status: 400, code: content_filter, message: filtered}]"));
  p.deploy("stands", "", pay(p));
  p.receiver->answer = [](int nth) {
    return nth == 3 ? std::pair<int, std::string>(409, "shipped already") : numbered(nth);
  };
  auto run = p.start("stands", "go");
  auto result = run.result<agent::RunResult>(std::chrono::seconds(30));
  p.record(run);
  ASSERT_TRUE(result.has_value() && !result->ok());
  EXPECT_THAT(result->error().to_string(), HasSubstr("not undone: pay (step 4): `unpay` failed"));
  EXPECT_THAT(p.receiver->bodies(), Contains(R"({"id":1,"unpay":"ann"})"));
  EXPECT_EQ(p.count_events(run.workflow_id(), "effect.undone"), 1);
  EXPECT_EQ(p.count_events(run.workflow_id(), "effect.not_undone"), 1);
}

constexpr const char* kAsks = "    tool_calls: [{name: refund, arguments: {order_id: 7, amount: 150}}]";

TEST(Compensation, ACancelledRunUndoesWhatItDid) {
  Platform p(pays_twice(kAsks));
  p.deploy("cancelled", "", pay(p));
  p.receiver->answer = numbered;
  auto run = p.start("cancelled", "go");
  (void)p.wait_for_approval(run);
  ASSERT_TRUE(run.cancel("changed my mind").ok());
  auto result = run.result<agent::RunResult>(std::chrono::seconds(30));
  p.record(run);
  ASSERT_TRUE(result.has_value() && !result->ok());
  EXPECT_TRUE(is_canceled(result->error()));
  EXPECT_EQ(p.receiver->effects(), 4);
  EXPECT_EQ(p.count_events(run.workflow_id(), "run.canceled"), 1);
}

TEST(Compensation, ADenialMayEndTheRun) {
  Platform p(pays_twice(kAsks));
  p.deploy("denied", "  approvals: {on_reject: stop, rules: [{tool: refund, action: ask}]}", pay(p));
  p.receiver->answer = numbered;
  auto run = p.start("denied", "go");
  Json approval = p.wait_for_approval(run);
  Json reject = {{"approval", approval["approval"]}, {"decision", "reject"}, {"decided_by", "ada"}};
  ASSERT_TRUE(p.decide(run, reject)->ok());
  auto result = run.result<agent::RunResult>(std::chrono::seconds(30));
  p.record(run);
  ASSERT_TRUE(result.has_value() && !result->ok());
  EXPECT_EQ(find_failure<ApplicationFailure>(result->error())->type(), "ApprovalRejectedError");
  EXPECT_EQ(p.receiver->effects(), 4);
}

// Workers are replaced between the two undoings: nothing is undone twice, and nothing is left.
TEST(Compensation, GoesOnWhereItWasWithOtherWorkers) {
  Platform p(pays_twice("    faults: [{status: 400, code: content_filter, message: filtered}]"));
  p.deploy("replaced", "", pay(p));
  std::atomic<bool> open = false;
  p.receiver->answer = [&open](int nth) {
    return nth > 3 && !open ? std::pair<int, std::string>(503, "later") : numbered(nth);
  };
  auto run = p.start("replaced", "go");
  ASSERT_TRUE(eventually([&] { return p.receiver->deliveries() >= 4; }));
  p.stop_workers();
  open = true;
  p.start_workers();
  auto result = run.result<agent::RunResult>(std::chrono::seconds(30));
  p.record(run);
  ASSERT_TRUE(result.has_value() && !result->ok());
  const auto bodies = p.receiver->bodies();
  EXPECT_EQ(std::ranges::count(bodies, R"({"id":2,"unpay":"bob"})"), 1);
  EXPECT_EQ(p.receiver->effects(), 4);
}

}  // namespace
}  // namespace holdfast::e2e
