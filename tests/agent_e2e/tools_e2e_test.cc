// Goal: arguments that a run binds are out of the model's hands, an activity of somebody else's worker is a
// tool like any other, and who is to be told of a run is told. Method: whole runs; what a tool got is read
// from its worker, its receiver or its database.

#include <cstdlib>
#include <mutex>

#include <gmock/gmock.h>

#include "harness.h"
#include "holdfast/activity.h"

namespace holdfast::e2e {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

// ---- bound arguments

std::string bound_pay(const Platform& p) {
  return R"(    - name: pay
      type: http
      effect: idempotent
      parameters:
        properties: {amount: {type: number}, customer: {type: integer}, tenant: {type: string}}
        required: [amount, customer]
      bind: {customer: {run: customer_id}, tenant: {value: acme}}
      http: {method: POST, url: ")" +
         p.receiver->url("/pay") + "\"}";
}

agent::RunInput input_of(const std::string& agent, Json context) {
  agent::RunInput in;
  in.agent = agent;
  in.input = "go";
  in.context = std::move(context);
  return in;
}

WorkflowHandle start(Platform& p, const agent::RunInput& in) {
  auto run = p.client().start(agent::kWorkflowType, StartOptions(p.run_id(in.agent), agent::kAgentQueue), in);
  EXPECT_TRUE(run) << run.error().to_string();
  return *run;
}

TEST(Bound, TheModelNeitherSeesNorSetsWhatAPersonDoesSee) {
  Platform p(R"(
replies:
  - when: {turn: 0}
    tool_calls:
      - {name: pay, arguments: {amount: 250, customer: 1}}
      - {name: pay, arguments: {amount: 250}}
  - when: {turn: 1}
    text: done
)");
  p.deploy("bound", "  approvals: {rules: [{tool: pay, when: customer == 42, action: ask}]}", bound_pay(p));
  auto run = start(p, input_of("bound", {{"customer_id", 42}}));
  Json question = p.wait_for_approval(run);
  EXPECT_EQ(question["arguments"], Json::parse(R"({"amount":250,"customer":42,"tenant":"acme"})"));
  question["decision"] = "edit";
  question["edited_arguments"] = {{"amount", 200}};
  auto decided = p.decide(run, question);
  ASSERT_TRUE(decided.has_value() && decided->ok());
  EXPECT_EQ(p.finish(run).output, "done");
  ASSERT_THAT(p.receiver->bodies(), SizeIs(1));
  EXPECT_EQ(Json::parse(p.receiver->bodies()[0]),
            Json::parse(R"({"amount":200,"customer":42,"tenant":"acme"})"));
  EXPECT_THAT(p.conversation(run.workflow_id()), Contains(HasSubstr("there is no argument `customer`")));
}

TEST(Bound, ARunThatLacksItIsRefusedAtTheStart) {
  Platform p("replies: [{text: never}]");
  p.deploy("lacks", "", bound_pay(p));
  auto run = start(p, input_of("lacks", Json()));
  auto result = run.result<agent::RunResult>(std::chrono::seconds(20));
  ASSERT_TRUE(result.has_value());
  ASSERT_FALSE(result->ok());
  const auto* failure = dynamic_cast<const ApplicationFailure*>(&result->error());
  ASSERT_NE(failure, nullptr) << result->error().to_string();
  EXPECT_EQ(failure->type(), "RunContextError");
  EXPECT_THAT(failure->message(), HasSubstr("`customer_id`, which the tool `pay` binds to `customer`"));
}

// ---- activities

constexpr const char* kTranslate = R"(    - name: translate
      type: activity
      effect: idempotent
      retry: {initial: 20ms, attempts: 3}
      parameters: {properties: {text: {type: string}}, required: [text]}
      activity: {name: translate, task_queue: team-words, heartbeat: 10s})";

TEST(ActivityTool, AWorkerOfSomebodyElsesIsATool) {
  Platform p(R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: translate, arguments: {text: hallo}}]
  - when: {turn: 1}
    text: "{{last}}"
)");
  p.deploy("words", "", kTranslate);
  std::mutex mutex;
  std::vector<std::string> ids;
  auto worker = p.new_worker("team-words");
  worker->register_activity("translate", [&](activity::Context& ctx, Json arguments) {
    std::lock_guard lock(mutex);
    ids.push_back(ctx.info().activity_id);
    ctx.heartbeat();
    if (ids.size() == 1) throw ApplicationFailure("the dictionary is away", "Away");
    return Json{{"text", arguments["text"].get<std::string>() == "hallo" ? "hello" : "?"}};
  });
  ASSERT_TRUE(worker->start().ok());
  auto run = p.start("words", "go");
  EXPECT_EQ(p.finish(run).output, R"({"text":"hello"})");
  worker->stop();
  ASSERT_EQ(ids.size(), 2u);
  EXPECT_EQ(ids[0], ids[1]);  // the call's key
  EXPECT_EQ(ids[0].size(), 64u);
}

TEST(ActivityTool, ItsFailureGoesToTheModel) {
  Platform p(R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: translate, arguments: {text: hallo}}]
  - when: {turn: 1}
    text: "{{last}}"
)");
  p.deploy("refusing", "", kTranslate);
  auto worker = p.new_worker("team-words");
  worker->register_activity("translate", [](activity::Context&, Json) -> Json {
    throw ApplicationFailure::non_retryable("no such word", "Unknown");
  });
  ASSERT_TRUE(worker->start().ok());
  auto run = p.start("refusing", "go");
  EXPECT_EQ(p.finish(run).output, "Error: no such word");
  worker->stop();
}

TEST(ActivityTool, WhetherOneThatBrokeOffIsMadeAgainIsForAPerson) {
  Platform p(R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: send, arguments: {}}]
  - when: {turn: 1}
    text: "{{last}}"
)");
  p.deploy("once", "", R"(    - name: send
      type: activity
      effect: at_most_once
      activity: {name: send, task_queue: team-words})");
  std::atomic<int> calls = 0;
  auto worker = p.new_worker("team-words");
  worker->register_activity("send", [&](activity::Context&, Json) -> Json {
    if (++calls == 1) throw ApplicationFailure("broke off", "Broken");
    return "sent";
  });
  ASSERT_TRUE(worker->start().ok());
  auto run = p.start("once", "go");
  Json question = p.wait_for_approval(run);
  EXPECT_THAT(question["reason"].get<std::string>(), HasSubstr("EffectUnknown"));
  EXPECT_EQ(calls, 1);
  question["decision"] = "approve";
  ASSERT_TRUE(p.decide(run, question).has_value());
  EXPECT_EQ(p.finish(run).output, "sent");
  worker->stop();
}

TEST(ActivityTool, NobodyTakesItAndTheModelIsTold) {
  Platform p(R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: send, arguments: {}}]
  - when: {turn: 1}
    text: "{{last}}"
)");
  p.deploy("alone", "", R"(    - name: send
      type: activity
      effect: at_most_once
      activity: {name: send, task_queue: nobody-polls, start_within: 200ms})");
  auto run = p.start("alone", "go");
  EXPECT_THAT(p.finish(run).output, HasSubstr("no worker on the task queue nobody-polls"));
}

// ---- notify

TEST(Notify, OthersAreToldUntilTheyHaveHeard) {
  ::setenv("HOLDFAST_E2E_HOOK", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1);
  Platform p(R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: refund, arguments: {order_id: 7, amount: 150}}]
  - when: {turn: 1}
    text: Refunded.
)");
  p.allow("env:HOLDFAST_E2E_HOOK@" + p.receiver->url("").substr(7));
  p.receiver->answer = [](int nth) { return std::pair(nth == 1 ? 503 : 200, std::string("ok")); };
  const std::string notify =
      "  notify:\n    - {on: [completed, failed, approval], type: webhook, webhook: {url: \"" +
      p.receiver->url("/hook") + "\", secret_env: HOLDFAST_E2E_HOOK}}\n";
  p.deploy("told",
           "  approvals: {rules: [{tool: refund, action: ask, reason: Above the limit.}]}\n" + notify);
  auto run = p.start("told", "go");
  Json question = p.wait_for_approval(run);
  question["decision"] = "approve";
  ASSERT_TRUE(p.decide(run, question).has_value());
  EXPECT_EQ(p.finish(run).output, "Refunded.");
  ASSERT_TRUE(eventually([&] { return p.receiver->deliveries() == 3; }));
  std::vector<Json> told;
  for (const std::string& body : p.receiver->bodies()) told.push_back(Json::parse(body));
  EXPECT_EQ(told[0]["type"], "approval.requested");
  Json approval;
  Json completed;
  for (const Json& one : told) (one["type"] == "run.completed" ? completed : approval) = one;
  EXPECT_EQ(approval["data"]["tool"], "refund");
  EXPECT_EQ(approval["data"]["reason"], "Above the limit.");
  EXPECT_EQ(approval["data"]["arguments"], R"({"amount":150,"order_id":7})");
  EXPECT_EQ(completed["data"]["output"], "Refunded.");
  EXPECT_EQ(completed["data"]["run"], run.workflow_id());
}

TEST(Notify, AReceiverThatIsAwayHoldsUpNobody) {
  ::setenv("HOLDFAST_E2E_HOOK", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1);
  Platform p("replies: [{faults: [{status: 400, code: invalid_prompt, message: no}]}]");
  p.allow("env:HOLDFAST_E2E_HOOK@" + p.receiver->url("").substr(7));
  std::atomic<bool> away = true;
  p.receiver->answer = [&](int) { return std::pair(away ? 500 : 200, std::string("x")); };
  p.deploy("away");
  agent::RunInput in = input_of("away", Json());
  in.notify =
      Json::array({{{"on", {"failed"}},
                    {"type", "webhook"},
                    {"webhook", {{"url", p.receiver->url("/hook")}, {"secret_env", "HOLDFAST_E2E_HOOK"}}}}});
  auto run = start(p, in);
  auto result = run.result<agent::RunResult>(std::chrono::seconds(20));
  ASSERT_TRUE(result.has_value());
  EXPECT_FALSE(result->ok());  // over, though nobody has heard yet
  p.record(run);
  away = false;
  ASSERT_TRUE(eventually([&] { return p.receiver->effects() == 1; }));
  const Json told = Json::parse(p.receiver->bodies().back());
  EXPECT_EQ(told["type"], "run.failed");
  EXPECT_EQ(told["data"]["error_type"], "InvalidPromptError");
}

}  // namespace
}  // namespace holdfast::e2e
