// Goal: however an agent is orchestrated, nothing is done twice and nothing runs on behind an answer. Calls
// of a turn in one activity; sub-agents side by side; a plan that is made, reviewed and carried out. Method:
// whole runs against a receiver that counts; workers are taken away between two calls of one activity.

#include <gmock/gmock.h>

#include <algorithm>

#include "harness.h"

namespace holdfast::e2e {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

int scheduled(const WorkflowHandle& run, const std::string& activity) {
  const auto history = run.history_json();
  if (!history) return -1;
  int count = 0;
  for (const Json& event : Json::parse(*history)["events"]) {
    const auto found = event.find("activityTaskScheduledEventAttributes");
    if (found != event.end() && (*found)["activityType"]["name"] == activity) ++count;
  }
  return count;
}

const char* const kThreeNotes = R"(
replies:
  - when: {turn: 0}
    tool_calls:
      - {name: note, arguments: {text: one}}
      - {name: lookup, arguments: {order_id: 7}}
      - {name: note, arguments: {text: two}}
      - {name: refund, arguments: {order_id: 8, amount: 20}}
  - when: {turn: 1}
    text: Noted.
)";

TEST(Together, TheCallsOfATurnAreOneActivityInTheirOrder) {
  Platform p(kThreeNotes);
  p.deploy("together", "  tool_calls: one_activity");
  auto run = p.start("together", "go");
  EXPECT_EQ(p.finish(run).output, "Noted.");
  EXPECT_EQ(scheduled(run, "agent.tools"), 1);
  EXPECT_EQ(scheduled(run, "agent.tool"), 0);
  EXPECT_THAT(p.receiver->bodies(), ElementsAre(R"({"text":"one"})", R"({"text":"two"})"));
  EXPECT_THAT(p.conversation(run.workflow_id()),
              ElementsAre("user: go", StartsWith("assistant:"), "tool: ok", HasSubstr("Ada"), "tool: ok",
                          HasSubstr("\"changes\":1"), "assistant: Noted."));
  EXPECT_EQ(p.count_events(run.workflow_id(), "step.completed"), 6);
  EXPECT_EQ(p.query_shop("SELECT count(*) FROM refunds"), Json::parse(R"([["1"]])"));
}

// The second of three is refused for now; the attempt behind it makes that one and the third, and no other.
TEST(Together, ARetryGoesOnBehindWhatIsStored) {
  Platform p(kThreeNotes);
  p.deploy("again", "  tool_calls: one_activity");
  p.receiver->answer = [](int nth) { return std::pair<int, std::string>(nth == 2 ? 503 : 200, "ok"); };
  auto run = p.start("again", "go");
  EXPECT_EQ(p.finish(run).output, "Noted.");
  EXPECT_THAT(p.receiver->bodies(),
              ElementsAre(R"({"text":"one"})", R"({"text":"two"})", R"({"text":"two"})"));
  EXPECT_EQ(scheduled(run, "agent.tools"), 1);
  EXPECT_EQ(p.count_events(run.workflow_id(), "step.retrying"), 1);
  EXPECT_EQ(p.query_shop("SELECT count(*) FROM refunds"), Json::parse(R"([["1"]])"));
}

// A call that fails at its last attempt is told to the model; the calls behind it are made.
TEST(Together, ACallThatFailsHoldsUpNoOther) {
  Platform p(kThreeNotes);
  p.deploy("one-fails", "  tool_calls: one_activity");
  p.receiver->answer = [](int nth) { return std::pair<int, std::string>(nth <= 3 ? 502 : 200, "down"); };
  auto run = p.start("one-fails", "go");
  EXPECT_EQ(p.finish(run).output, "Noted.");
  EXPECT_EQ(p.receiver->deliveries(), 4);  // three attempts of the first
  EXPECT_THAT(p.conversation(run.workflow_id()),
              AllOf(Contains("tool: Error: POST answered 502: down"), Contains(HasSubstr("\"changes\":1"))));
  EXPECT_EQ(scheduled(run, "agent.tool"), 0);
}

// A person is asked about one call; the others do not wait for it.
TEST(Together, ACallThatAPersonMustApproveIsMadeByItself) {
  Platform p(R"(
replies:
  - when: {turn: 0}
    tool_calls:
      - {name: refund, arguments: {order_id: 7, amount: 150}}
      - {name: note, arguments: {text: one}}
      - {name: note, arguments: {text: two}}
  - when: {turn: 1}
    text: Done.
)");
  p.deploy(
      "gated",
      "  tool_calls: one_activity\n  approvals: {rules: [{tool: refund, when: amount > 100, action: ask}]}");
  auto run = p.start("gated", "go");
  Json approval = p.wait_for_approval(run);
  EXPECT_TRUE(eventually([&] { return p.receiver->deliveries() == 2; }));
  EXPECT_EQ(p.query_shop("SELECT count(*) FROM refunds"), Json::parse(R"([["0"]])"));
  Json approve = {{"approval", approval["approval"]}, {"decision", "approve"}, {"decided_by", "ada"}};
  ASSERT_TRUE(p.decide(run, approve)->ok());
  EXPECT_EQ(p.finish(run).output, "Done.");
  EXPECT_EQ(scheduled(run, "agent.tools"), 1);
  EXPECT_EQ(scheduled(run, "agent.tool.approved"), 1);
  EXPECT_EQ(p.query_shop("SELECT count(*) FROM refunds"), Json::parse(R"([["1"]])"));
}

// Whether an interrupted call took effect is for a person, and the calls around it are not repeated.
TEST(Together, AnInterruptedAtMostOnceCallAsksAPerson) {
  Platform p(R"(
replies:
  - when: {turn: 0}
    tool_calls:
      - {name: note, arguments: {text: one}}
      - {name: wire, arguments: {amount: 5}}
      - {name: note, arguments: {text: two}}
  - when: {turn: 1}
    text: Done.
)");
  p.deploy("wired", "  tool_calls: one_activity",
           "    - name: wire\n      type: http\n      effect: at_most_once\n      timeout: 300ms\n"
           "      parameters: {properties: {amount: {type: number}}}\n"
           "      http: {method: POST, url: \"" +
               p.receiver->url("/wire") + "\"}");
  p.receiver->answer = [](int nth) { return std::pair<int, std::string>(nth == 2 ? 0 : 200, "ok"); };
  auto run = p.start("wired", "go");
  Json approval = p.wait_for_approval(run);
  EXPECT_THAT(approval["reason"].get<std::string>(), HasSubstr("EffectUnknown"));
  EXPECT_EQ(p.receiver->deliveries(), 3);
  Json approve = {{"approval", approval["approval"]}, {"decision", "approve"}, {"decided_by", "ada"}};
  ASSERT_TRUE(p.decide(run, approve)->ok());
  EXPECT_EQ(p.finish(run).output, "Done.");
  const auto bodies = p.receiver->bodies();
  EXPECT_EQ(std::ranges::count(bodies, R"({"text":"one"})"), 1);
  EXPECT_EQ(std::ranges::count(bodies, R"({"text":"two"})"), 1);
  EXPECT_EQ(p.receiver->deliveries(), 4);
}

// The workers die between two calls of one activity: the others take up behind the last result.
TEST(Together, WorkersReplacedBetweenTwoCallsRepeatNothing) {
  Platform p(kThreeNotes);
  p.deploy("replaced-between", "  tool_calls: one_activity");
  std::atomic<bool> open = false;
  p.receiver->answer = [&open](int nth) {
    return std::pair<int, std::string>(nth > 1 && !open ? 503 : 200, "ok");
  };
  auto run = p.start("replaced-between", "go");
  ASSERT_TRUE(eventually([&] { return p.receiver->deliveries() >= 2; }));
  p.stop_workers();
  open = true;
  p.start_workers();
  EXPECT_EQ(p.finish(run).output, "Noted.");
  const auto bodies = p.receiver->bodies();
  EXPECT_EQ(std::ranges::count(bodies, R"({"text":"one"})"), 1);
  EXPECT_EQ(p.receiver->effects(), 2);
  EXPECT_EQ(p.query_shop("SELECT count(*) FROM refunds"), Json::parse(R"([["1"]])"));
}

TEST(Together, ABudgetEndsItBetweenTwoCalls) {
  Platform p(kThreeNotes);
  p.deploy("budgeted", "  tool_calls: one_activity\n  budgets: {tool_calls: 2}");
  auto run = p.start("budgeted", "go");
  auto result = run.result<agent::RunResult>(std::chrono::seconds(30));
  p.record(run);
  ASSERT_TRUE(result.has_value() && !result->ok());
  EXPECT_EQ(find_failure<ApplicationFailure>(result->error())->type(), "BudgetExceeded");
  EXPECT_EQ(p.receiver->deliveries(), 1);
}

// ---- sub-agents side by side

std::string agents_tool(const std::string& section, const std::string& more = {}) {
  return "    - {name: ask_all, type: agents, agents: " + section + more + "}";
}

TEST(Agents, AllAreAskedAtOnceAndEachSaysWhatItCameTo) {
  Platform p(R"(
replies:
  - when: {model: boss, turn: 0}
    tool_calls: [{name: ask_all, arguments: {input: What is it worth}}]
  - when: {model: boss, turn: 1}
    text: "{{last}}"
  - when: {model: cheap}
    text: ten
  - when: {model: dear}
    text: twenty
  - when: {model: broken}
    faults: [{status: 400, code: content_filter, message: filtered}]
)");
  for (const char* one : {"cheap", "dear", "broken"}) p.deploy(one);
  p.deploy("boss", "", agents_tool("{run: [cheap, dear, broken]}"));
  auto run = p.start("boss", "go");
  const Json told = Json::parse(p.finish(run).output);
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[0], Json::parse(R"({"agent":"cheap","status":"completed","output":"ten"})"));
  EXPECT_EQ(told[1], Json::parse(R"({"agent":"dear","status":"completed","output":"twenty"})"));
  EXPECT_EQ(told[2]["status"], "failed");
  EXPECT_THAT(told[2]["error"].get<std::string>(), HasSubstr("filtered"));
  EXPECT_EQ(p.count_events(run.workflow_id(), "step.failed"), 1);
  // boss twice, the call, two agents
  EXPECT_EQ(p.count_events(run.workflow_id(), "step.completed"), 5);
}

TEST(Agents, OneIsRunForEachItemOfAList) {
  Platform p(R"(
replies:
  - when: {model: editor, turn: 0}
    tool_calls: [{name: ask_all, arguments: {topics: [tea, coffee, water]}}]
  - when: {model: editor, turn: 1}
    text: "{{last}}"
  - when: {model: writer, last: '(.*)'}
    text: "On {{last.1}}."
)");
  p.deploy("writer");
  p.deploy("editor", "", agents_tool("{run: [writer], for_each: topics, max: 3}"));
  const Json told = Json::parse(p.finish(p.start("editor", "go")).output);
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[0]["output"], "On tea.");
  EXPECT_EQ(told[2]["output"], "On water.");
}

// A fast one that fails is not first; the one that hangs is cancelled, and has ended when the call is
// answered.
TEST(Agents, TheFirstThatCompletesIsTheAnswerAndTheOthersAreCancelled) {
  Platform p(R"(
replies:
  - when: {model: racer, turn: 0}
    tool_calls: [{name: ask_all, arguments: {input: go}}]
  - when: {model: racer, turn: 1}
    text: "{{last}}"
  - when: {model: crashes}
    faults: [{status: 400, code: content_filter, message: filtered}]
  - when: {model: quick}
    text: won
  - when: {model: hangs}
    text: late
    faults: [{hang_after: 0}]
)");
  for (const char* one : {"crashes", "quick"}) p.deploy(one);
  p.deploy("hangs", "", "", "    timeout: 5m\n    idle_timeout: 4m");
  p.deploy("racer", "", agents_tool("{run: [crashes, hangs, quick], join: first}"));
  auto run = p.start("racer", "go");
  EXPECT_EQ(Json::parse(p.finish(run).output), Json::parse(R"({"agent":"quick","output":"won"})"));
  std::string loser;
  for (const platform::Event& event : p.events(run.workflow_id())) {
    const Json data = Json::parse(event.data);
    if (event.type == "step.started" && data.value("run", "").ends_with(".2")) loser = data["run"];
  }
  ASSERT_FALSE(loser.empty());
  const auto described = p.client().workflow(loser).describe();
  ASSERT_TRUE(described.has_value());
  EXPECT_EQ(described->status, WorkflowStatus::kCanceled);
  EXPECT_EQ(p.count_events(loser, "run.canceled"), 1);
}

// What a sub-agent did before it was cancelled is undone before its caller goes on.
TEST(Agents, WhoIsLateIsCancelledAndUndoesWhatItDid) {
  Platform p(R"(
replies:
  - when: {model: hurried, turn: 0}
    tool_calls: [{name: ask_all, arguments: {input: go}}]
  - when: {model: hurried, turn: 1}
    text: "{{last}}"
  - when: {model: prompt}
    text: here
  - when: {model: slow-payer, turn: 0}
    tool_calls: [{name: pay, arguments: {to: ann}}]
  - when: {model: slow-payer, turn: 1}
    text: too late
    faults: [{hang_after: 0}]
)");
  p.deploy("prompt");
  p.deploy("slow-payer", "",
           "    - name: pay\n      type: http\n      effect: idempotent\n"
           "      compensate: {tool: unpay, arguments: {to: \"{arguments.to}\"}}\n"
           "      parameters: {properties: {to: {type: string}}, required: [to]}\n"
           "      http: {method: POST, url: \"" +
               p.receiver->url("/pay") +
               "\", body: {pay: \"{to}\"}}\n"
               "    - name: unpay\n      type: http\n      effect: idempotent\n"
               "      parameters: {properties: {to: {type: string}}, required: [to]}\n"
               "      http: {method: POST, url: \"" +
               p.receiver->url("/unpay") + "\", body: {unpay: \"{to}\"}}",
           "    timeout: 5m\n    idle_timeout: 4m");
  p.deploy("hurried", "", agents_tool("{run: [slow-payer, prompt]}", ", timeout: 4s"));
  auto run = p.start("hurried", "go");
  ASSERT_TRUE(eventually([&] { return p.receiver->deliveries() == 1; }));
  const Json told = Json::parse(p.finish(run).output);
  EXPECT_EQ(told[0]["status"], "canceled");
  EXPECT_THAT(told[0]["error"].get<std::string>(), HasSubstr("took longer than 4s"));
  EXPECT_EQ(told[1]["output"], "here");
  EXPECT_THAT(p.receiver->bodies(), ElementsAre(R"({"pay":"ann"})", R"({"unpay":"ann"})"));
}

TEST(Agents, OneThatIsLateIsCancelledToo) {
  Platform p(R"(
replies:
  - when: {model: waits, turn: 0}
    tool_calls: [{name: ask, arguments: {input: go}}]
  - when: {model: waits, turn: 1}
    text: "{{last}}"
  - when: {model: dawdles}
    text: too late
    faults: [{hang_after: 0}]
)");
  p.deploy("dawdles", "", "", "    timeout: 5m\n    idle_timeout: 4m");
  p.deploy("waits", "", "    - {name: ask, type: agent, agent: dawdles, timeout: 1s}");
  auto run = p.start("waits", "go");
  EXPECT_THAT(p.finish(run).output, HasSubstr("took longer than 1s"));
  EXPECT_EQ(p.count_events(run.workflow_id(), "step.failed"), 1);
}

// Cancelling the caller cancels all; workers that are replaced meanwhile change nothing.
TEST(Agents, ACancelledCallerCancelsThemAll) {
  Platform p(R"(
replies:
  - when: {model: leader, turn: 0}
    tool_calls: [{name: ask_all, arguments: {input: go}}]
  - text: too late
    faults: [{hang_after: 0}]
)");
  for (const char* one : {"left", "right"}) p.deploy(one, "", "", "    timeout: 5m\n    idle_timeout: 4m");
  p.deploy("leader", "", agents_tool("{run: [left, right]}"));
  auto run = p.start("leader", "go");
  std::vector<std::string> children;
  ASSERT_TRUE(eventually([&] {
    children.clear();
    for (const platform::Event& event : p.events(run.workflow_id())) {
      const Json data = Json::parse(event.data);
      if (event.type == "step.started" && data.contains("run")) children.push_back(data["run"]);
    }
    return children.size() == 2;
  }));
  p.stop_workers();
  p.start_workers();
  ASSERT_TRUE(run.cancel("enough").ok());
  auto result = run.result<agent::RunResult>(std::chrono::seconds(60));
  p.record(run);
  ASSERT_TRUE(result.has_value() && !result->ok());
  EXPECT_TRUE(is_canceled(result->error()));
  for (const std::string& child : children)
    EXPECT_EQ(p.client().workflow(child).describe()->status, WorkflowStatus::kCanceled) << child;
}

// ---- a single model call

// As the API starts one.
WorkflowHandle start_single(Platform& p, const std::string& agent, const std::string& input) {
  agent::RunInput in;
  in.agent = agent;
  in.input = input;
  in.single = true;
  auto started =
      p.client().start(agent::kWorkflowType, StartOptions(p.run_id(agent), agent::kAgentQueue), in);
  EXPECT_TRUE(started.has_value());
  return *started;
}

void deploy_single(Platform& p, const std::string& name, const std::string& extra = {}) {
  const std::string yaml =
      "apiVersion: holdfast.dev/v1\nkind: Agent\nmetadata: {name: " + name +
      "}\nspec:\n  model: {provider: openai, base_url: " + p.scripted->base_url() +
      ", name: m, retry: {initial: 50ms, attempts: 3}}\n  prompt: You answer.\n  mode: single\n" + extra;
  const auto deployed = agent::deploy(p.store(), {.text = yaml, .source = name});
  ASSERT_TRUE(deployed.has_value()) << deployed.error().message();
}

TEST(Single, IsOneActivity) {
  Platform p("replies: [{text: Hello.}]");
  deploy_single(p, "single");
  auto run = start_single(p, "single", "hi");
  const agent::RunResult result = p.finish(run);
  EXPECT_EQ(result.output, "Hello.");
  EXPECT_EQ(result.iterations, 1);
  EXPECT_GT(result.usage.output_tokens, 0);
  EXPECT_EQ(scheduled(run, "agent.single"), 1);
  EXPECT_EQ(scheduled(run, "agent.begin") + scheduled(run, "agent.model") + scheduled(run, "agent.finish"),
            0);
  EXPECT_EQ(p.count_events(run.workflow_id(), "run.completed"), 1);
  EXPECT_THAT(p.conversation(run.workflow_id()), ElementsAre("user: hi", "assistant: Hello."));
}

// The workers go while the model is being asked: the next attempt asks again, and there is one answer.
TEST(Single, OtherWorkersFinishIt) {
  Platform p("replies: [{text: Hello., faults: [{hang_after: 0, first: 1}]}]");
  deploy_single(p, "single-moved");
  auto run = start_single(p, "single-moved", "hi");
  ASSERT_TRUE(eventually([&] { return p.scripted->requests() == 1; }));
  p.stop_workers();
  p.start_workers();
  EXPECT_EQ(p.finish(run).output, "Hello.");
  EXPECT_THAT(p.conversation(run.workflow_id()), ElementsAre("user: hi", "assistant: Hello."));
}

// What passes is tried as often as the model's `retry` says; what does not ends the run by its name.
TEST(Single, FailsByItsNameBehindItsLastAttempt) {
  Platform p(R"(
replies:
  - when: {last: never}
    faults: [{status: 503, message: overloaded}]
  - text: no
    faults: [{status: 400, code: content_filter, message: filtered}]
)");
  deploy_single(p, "single-fails");
  auto run = start_single(p, "single-fails", "never");
  auto result = run.result<agent::RunResult>(std::chrono::seconds(30));
  p.record(run);
  ASSERT_TRUE(result.has_value() && !result->ok());
  EXPECT_EQ(p.scripted->requests(), 3u);
  EXPECT_EQ(p.count_events(run.workflow_id(), "run.failed"), 1);
  deploy_single(p, "single-filtered");
  auto filtered = start_single(p, "single-filtered", "hi").result<agent::RunResult>(std::chrono::seconds(30));
  ASSERT_TRUE(filtered.has_value() && !filtered->ok());
  EXPECT_EQ(find_failure<ApplicationFailure>(filtered->error())->type(), "ContentFilterError");
  EXPECT_EQ(p.scripted->requests(), 4u);
}

// An answer that is not the last word goes on in the loop.
TEST(Single, AnAnswerOfAnotherFormIsMendedInTheLoop) {
  Platform p(R"(
replies:
  - when: {turn: 0}
    text: yes
  - when: {turn: 1, last: "could not be used"}
    text: '{"ok": true}'
)");
  deploy_single(
      p, "single-mended",
      "  limits: {max_iterations: 1}\n  output_schema: {type: object, properties: {ok: {type: boolean}}, "
      "required: [ok]}\n");
  EXPECT_EQ(p.finish(start_single(p, "single-mended", "hi")).output, R"({"ok": true})");
}

}  // namespace
}  // namespace holdfast::e2e
