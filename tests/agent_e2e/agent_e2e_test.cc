// Goal: an agent run does what its definition says through everything that models and tools do wrong. Method:
// whole runs on a real engine, real stores and the real model client against a scripted model; what the model
// was told is read from the conversation, what happened from database and receiver.

#include <gmock/gmock.h>

#include "harness.h"

namespace holdfast::e2e {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

TEST(AgentRun, CallsToolsInParallelAndFinishes) {
  Platform p(R"(
replies:
  - when: {turn: 0}
    text: Let me look.
    tool_calls:
      - {name: lookup, arguments: {order_id: 7}}
      - {name: lookup, arguments: {order_id: 8}}
      - {name: note, arguments: {text: looking}}
  - when: {turn: 1}
    tool_calls: [{name: refund, arguments: {order_id: 8, amount: 20}}]
  - when: {turn: 2}
    text: Refunded 20.
)");
  p.deploy("plain");
  auto run = p.start("plain", "Refund order 8");
  agent::RunResult result = p.finish(run);
  EXPECT_EQ(result.output, "Refunded 20.");
  EXPECT_EQ(result.iterations, 3);
  EXPECT_GT(result.usage.output_tokens, 0);
  EXPECT_EQ(p.query_shop("SELECT order_id, amount FROM refunds"), Json::parse(R"([["8","20.0"]])"));
  EXPECT_EQ(p.receiver->deliveries(), 1);
  EXPECT_THAT(p.receiver->bodies(), ElementsAre(R"({"text":"looking"})"));
  EXPECT_THAT(p.conversation(run.workflow_id()),
              ElementsAre("user: Refund order 8", StartsWith("assistant: Let me look. [lookup"),
                          HasSubstr("Ada"), HasSubstr("Ben"), "tool: ok", HasSubstr("[refund"),
                          HasSubstr("\"changes\":1"), "assistant: Refunded 20."));
  EXPECT_EQ(p.count_events(run.workflow_id(), "step.completed"), 7);
  EXPECT_EQ(p.count_events(run.workflow_id(), "step.started"), 7);
  EXPECT_EQ(p.count_events(run.workflow_id(), "run.completed"), 1);
  EXPECT_EQ(p.status(run)["phase"], "done");
}

// The conversation is outside of history: text of any size leaves it as it is.
TEST(AgentRun, HistoryHoldsReferencesOnly) {
  const std::string long_text(50'000, 'x');
  Platform p(
      "replies:\n  - when: {turn: 0}\n    text: " + long_text +
      "\n    tool_calls: [{name: lookup, arguments: {order_id: 7}}]\n  - when: {turn: 1}\n    text: done\n");
  p.deploy("long");
  auto run = p.start("long", "go");
  EXPECT_EQ(p.finish(run).output, "done");
  auto history = run.history_json();
  ASSERT_TRUE(history.has_value());
  EXPECT_LT(history->size(), 40'000u);
}

// What a pure call came to needs no write of its own; the step behind it keeps it, counts it and tells it.
TEST(AgentRun, APureCallIsKeptWithTheStepBehindIt) {
  Platform p(R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: lookup, arguments: {order_id: 7}}]
  - when: {turn: 1}
    text: done
)");
  p.deploy("kept");
  auto run = p.start("kept", "go");
  EXPECT_EQ(p.finish(run).output, "done");
  std::string key;
  int told = 0;
  for (const platform::Event& event : p.events(run.workflow_id())) {
    const Json data = Json::parse(event.data);
    if (data.value("name", "") != "lookup") continue;
    if (event.type == "step.started") key = data.at("key");
    if (event.type != "step.completed") continue;
    ++told;
    EXPECT_THAT(data.at("result").get<std::string>(), HasSubstr("Ada"));
  }
  EXPECT_EQ(told, 1);
  const auto record = p.store().lookup_step("tool:" + key);
  ASSERT_TRUE(record && *record);
  EXPECT_THAT((*record)->result, HasSubstr("Ada"));
  EXPECT_EQ(p.store().usage_of_run(run.workflow_id())->tool_calls, 1);
}

TEST(AgentRun, ModelMistakesGoBackToTheModel) {
  const std::string deep = R"({"order_id": )" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  Platform p(
      R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: lookup, arguments: '{"order_id": 7'}, {name: lokup, arguments: {order_id: 7}}, {name: lookup, arguments: {order_id: seven}}, {name: lookup, arguments: {order_id: 7, all: true}}, {name: lookup, arguments: ')" +
      deep +
      R"('}, {name: lookup, arguments: '{"order_id": 18446744073709551616}'}, {name: lookup, arguments: '{"order_id": 7, "order_id": 8}'}]
  - when: {turn: 1}
    text: I see.
)");
  p.deploy("mistakes");
  auto run = p.start("mistakes", "go");
  EXPECT_EQ(p.finish(run).output, "I see.");
  EXPECT_THAT(
      p.conversation(run.workflow_id()),
      ElementsAre("user: go", StartsWith("assistant:"),
                  "tool: Error: the arguments are not valid JSON; send one JSON object",
                  "tool: Error: there is no tool `lokup`; the tools are: lookup, refund, note",
                  "tool: Error: wrong arguments: `order_id` must be an integer, not a string",
                  "tool: Error: wrong arguments: `all` is not an argument of this tool",
                  "tool: Error: the arguments nest deeper than 100 levels",
                  "tool: Error: wrong arguments: the integer 18446744073709551616 has more than 64 bits",
                  "tool: Error: wrong arguments: an object has the member \"order_id\" twice",
                  "assistant: I see."));
}

TEST(AgentRun, ToolFailuresGoBackToTheModel) {
  Platform p(R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: note, arguments: {text: first}}]
  - when: {turn: 1}
    tool_calls: [{name: note, arguments: {text: second}}]
  - when: {turn: 2}
    text: Gave up on notes.
)");
  p.deploy("failures");
  // The first note is refused for good, the second fails three times: all attempts there are.
  p.receiver->answer = [](int nth) {
    return nth == 1 ? std::pair<int, std::string>(404, "no such hook")
                    : std::pair<int, std::string>(502, "down");
  };
  auto run = p.start("failures", "go");
  EXPECT_EQ(p.finish(run).output, "Gave up on notes.");
  EXPECT_EQ(p.receiver->deliveries(), 4);
  EXPECT_THAT(p.conversation(run.workflow_id()),
              AllOf(Contains("tool: Error: POST answered 404: no such hook"),
                    Contains("tool: Error: POST answered 502: down")));
}

TEST(AgentRun, ARetriedToolCallIsOneEffect) {
  Platform p(R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: note, arguments: {text: once}}]
  - when: {turn: 1}
    text: Noted.
)");
  p.deploy("retried");
  p.receiver->answer = [](int nth) { return std::pair<int, std::string>(nth == 1 ? 503 : 200, "ok"); };
  auto run = p.start("retried", "go");
  EXPECT_EQ(p.finish(run).output, "Noted.");
  EXPECT_EQ(p.receiver->deliveries(), 2);
  EXPECT_EQ(p.receiver->effects(), 1);
  EXPECT_EQ(p.count_events(run.workflow_id(), "step.retrying"), 1);
}

TEST(AgentRun, RetryAfterIsHonoured) {
  Platform p(R"(
replies:
  - text: Patience.
    faults: [{status: 429, retry_after: "1", first: 1}]
)");
  p.deploy("limited");
  const auto begun = std::chrono::steady_clock::now();
  auto run = p.start("limited", "go");
  EXPECT_EQ(p.finish(run).output, "Patience.");
  const auto took = std::chrono::steady_clock::now() - begun;
  EXPECT_GE(took, std::chrono::milliseconds(1000));
  EXPECT_LT(took, std::chrono::milliseconds(3000));
  EXPECT_EQ(p.scripted->requests(), 2u);
}

TEST(AgentRun, ACutStreamIsRepeatedNotDoubled) {
  Platform p(R"(
replies:
  - text: one two three four five
    faults: [{cut_after: 2, first: 1}]
)");
  p.deploy("cut");
  auto run = p.start("cut", "go");
  EXPECT_EQ(p.finish(run).output, "one two three four five");
  EXPECT_THAT(p.conversation(run.workflow_id()),
              ElementsAre("user: go", "assistant: one two three four five"));
  bool reset = false;
  for (const platform::Event& event : p.events(run.workflow_id())) {
    if (event.type == platform::kDeltaEvent && Json::parse(event.data).value("attempt", 0) == 2) reset = true;
  }
  EXPECT_TRUE(reset) << "the second attempt has a stream of its own";
}

TEST(AgentRun, AHungModelIsCalledAgain) {
  Platform p(R"(
replies:
  - text: Awake.
    faults: [{hang_after: 0, first: 1}]
)");
  p.deploy("hung", "", "", "    timeout: 2s\n    idle_timeout: 300ms");
  EXPECT_EQ(p.finish(p.start("hung", "go")).output, "Awake.");
  EXPECT_EQ(p.scripted->requests(), 2u);
}

TEST(AgentRun, ContentFilterIsFinal) {
  Platform p(R"(
replies:
  - text: no
    faults: [{status: 400, code: content_filter, message: filtered}]
)");
  p.deploy("filtered");
  auto run = p.start("filtered", "go");
  auto result = run.result<agent::RunResult>(std::chrono::seconds(20));
  ASSERT_TRUE(result.has_value()) << result.error().to_string();
  ASSERT_FALSE(result->ok());
  const auto* failure = find_failure<ApplicationFailure>(result->error());
  ASSERT_NE(failure, nullptr);
  EXPECT_EQ(failure->type(), "ContentFilterError");
  EXPECT_EQ(p.scripted->requests(), 1u);
  EXPECT_EQ(p.count_events(run.workflow_id(), "run.failed"), 1);
}

// Half an answer is told as such: nobody mistakes it for the result, and what there is stays readable.
TEST(AgentRun, AFinalAnswerCutOffAtMaxTokensFailsTheRun) {
  Platform p(R"(
replies:
  - {text: You must nev, stop: max_tokens}
)");
  p.deploy("half");
  auto run = p.start("half", "go");
  auto result = run.result<agent::RunResult>(std::chrono::seconds(20));
  p.record(run);
  ASSERT_TRUE(result.has_value()) << result.error().to_string();
  ASSERT_FALSE(result->ok());
  const auto* failure = find_failure<ApplicationFailure>(result->error());
  ASSERT_NE(failure, nullptr);
  EXPECT_EQ(failure->type(), "MaxTokensError");
  EXPECT_THAT(failure->message(), HasSubstr("raise `max_tokens`"));
  EXPECT_EQ(p.count_events(run.workflow_id(), "run.failed"), 1);
  EXPECT_THAT(p.conversation(run.workflow_id()), Contains("assistant: You must nev"));
}

TEST(AgentRun, CallsOfAnAnswerCutOffAtMaxTokensAreNotMade) {
  Platform p(R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: note, arguments: {text: whole}}, {name: note, arguments: '{"text": "ha'}]
    stop: max_tokens
  - when: {turn: 1}
    text: "{{last}}"
)");
  p.deploy("cut-calls", "", "", "    max_tokens: 77");
  auto run = p.start("cut-calls", "go");
  EXPECT_EQ(p.finish(run).output,
            "Error: the answer was cut off at max_tokens (77), so no call of it was made; say less at once");
  EXPECT_EQ(p.receiver->deliveries(), 0);
  EXPECT_THAT(p.conversation(run.workflow_id()), SizeIs(5));
}

TEST(AgentRun, IterationCapAnswers) {
  Platform p(R"(
replies:
  - tool_calls: [{name: lookup, arguments: {order_id: 7}}]
)");
  p.deploy("endless", "  limits: {max_iterations: 3}");
  auto run = p.start("endless", "go");
  agent::RunResult result = p.finish(run);
  EXPECT_EQ(result.output, "max iterations reached");
  EXPECT_TRUE(result.max_iterations_reached);
  EXPECT_EQ(p.scripted->requests(), 3u);
  EXPECT_THAT(p.conversation(run.workflow_id()), SizeIs(7));  // the last tool's answer is not lost
}

// A run of any length has a bounded history: it continues as new and keeps iteration, usage and conversation.
TEST(AgentRun, LongRunsContinueAsNew) {
  Platform p(R"(
replies:
  - when: {turn: 102}
    text: At last.
  - tool_calls: [{name: lookup, arguments: {order_id: 7}}]
)");
  p.deploy("long-run", "  limits: {max_iterations: 200}");
  auto run = p.start("long-run", "go");
  agent::RunResult result = p.finish(run);
  EXPECT_EQ(result.output, "At last.");
  EXPECT_EQ(result.iterations, 103);
  EXPECT_THAT(p.conversation(run.workflow_id()), SizeIs(1 + 2 * 102 + 1));
  auto last = p.client().workflow(run.workflow_id()).describe();
  ASSERT_TRUE(last.has_value());
  EXPECT_NE(last->run_id, run.run_id());
  EXPECT_LT(last->history_length, 60);
}

TEST(AgentRun, RunTimeoutEndsIt) {
  Platform p(R"(
replies:
  - text: too late
    delay: 2s
)");
  p.deploy("slow", "  limits: {run_timeout: 500ms}");
  auto run = p.start("slow", "go");
  auto result = run.result<agent::RunResult>(std::chrono::seconds(20));
  ASSERT_TRUE(result.has_value()) << result.error().to_string();
  ASSERT_FALSE(result->ok());
  EXPECT_THAT(result->error().to_string(), HasSubstr("limits.run_timeout"));
}

TEST(AgentRun, SubAgentIsAToolWithAHistoryOfItsOwn) {
  Platform p(R"(
replies:
  - when: {model: chief, turn: 0}
    tool_calls: [{name: ask_clerk, arguments: {input: Who ordered 7}}]
  - when: {model: chief, turn: 1}
    text: "The clerk says: {{last}}"
  - when: {model: clerk, turn: 0}
    tool_calls: [{name: lookup, arguments: {order_id: 7}}]
  - when: {model: clerk, turn: 1}
    text: Ada did.
)");
  p.deploy("clerk");
  p.deploy("chief", "", "    - {name: ask_clerk, type: agent, agent: clerk}");
  auto run = p.start("chief", "go");
  EXPECT_EQ(p.finish(run).output, "The clerk says: Ada did.");
  EXPECT_THAT(p.conversation(run.workflow_id()), SizeIs(4));
  EXPECT_EQ(p.count_events(run.workflow_id(), "step.completed"), 3);
}

// The version of a label is looked up in the first activity, whoever starts the run.
TEST(AgentRun, ARunIsTheVersionThatItsLabelNames) {
  Platform p(R"(
replies:
  - when: {model: chief3, turn: 0}
    tool_calls: [{name: ask_clerk, arguments: {input: Who}}]
  - when: {model: chief3}
    text: "{{last}}"
  - when: {model: clerk3}
    text: Ada.
)");
  p.deploy("clerk3");
  platform::LabelMove move;
  move.agent = "clerk3";
  move.label = "production";
  move.hash = p.store().current_definition("clerk3")->hash;
  ASSERT_TRUE(p.store().move_label(move));
  p.deploy("clerk3", "  limits: {max_iterations: 3}");
  p.deploy("chief3", "", "    - {name: ask_clerk, type: agent, agent: clerk3@production}");
  const auto begun = [&](const std::string& run) {
    for (const platform::Event& event : p.events(run)) {
      if (event.type == "run.started") return Json::parse(event.data);
    }
    return Json::object();
  };
  auto run = p.start("chief3", "go");
  EXPECT_EQ(p.finish(run).output, "Ada.");
  Json child;
  for (const platform::Event& event : p.events(run.workflow_id())) {
    const Json data = event.type == "step.started" ? Json::parse(event.data) : Json::object();
    if (data.value("kind", "") == "agent") child = data;
  }
  ASSERT_TRUE(child.is_object());
  EXPECT_EQ(child["version"], move.hash);
  EXPECT_EQ(begun(child["run"])["version"], move.hash);
  EXPECT_EQ(begun(child["run"])["asked_for"], "clerk3@production");
  EXPECT_NE(p.store().current_definition("clerk3")->hash, move.hash);

  auto named = p.start("clerk3@" + move.hash.substr(0, 8), "go");
  EXPECT_EQ(p.finish(named).output, "Ada.");
  EXPECT_EQ(begun(named.workflow_id())["version"], move.hash);
}

TEST(AgentRun, AFailingSubAgentIsAToolFailure) {
  Platform p(R"(
replies:
  - when: {model: chief2, turn: 0}
    tool_calls: [{name: ask_nobody, arguments: {input: hello}}]
  - when: {model: chief2, turn: 1}
    text: Nobody there.
)");
  p.deploy("chief2", "", "    - {name: ask_nobody, type: agent, agent: nobody}");
  auto run = p.start("chief2", "go");
  EXPECT_EQ(p.finish(run).output, "Nobody there.");
  EXPECT_THAT(p.conversation(run.workflow_id()), Contains(HasSubstr("there is no agent `nobody`")));
}

TEST(AgentRun, AnUnknownAgentFailsWithARemedy) {
  Platform p("replies: [{text: x}]");
  auto run = p.start("ghost", "go");
  auto result = run.result<agent::RunResult>(std::chrono::seconds(20));
  ASSERT_TRUE(result.has_value()) << result.error().to_string();
  ASSERT_FALSE(result->ok());
  EXPECT_THAT(result->error().to_string(), HasSubstr("there is no agent `ghost`; deploy it first"));
}

TEST(AgentRun, WorkersReplacedInMidRunRepeatNothing) {
  Platform p(R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: note, arguments: {text: before}}, {name: refund, arguments: {order_id: 7, amount: 180}}]
  - when: {turn: 1}
    text: Done.
)");
  p.deploy("moved");
  auto run = p.start("moved", "go");
  Json approval = p.wait_for_approval(run);
  ASSERT_TRUE(eventually([&] { return p.receiver->deliveries() == 1; }));
  p.stop_workers();
  p.start_workers();
  approval["decision"] = "approve";
  auto decided = p.decide(run, approval);
  ASSERT_TRUE(decided.has_value()) << decided.error().to_string();
  EXPECT_TRUE(decided->ok()) << decided->error().to_string();
  EXPECT_EQ(p.finish(run).output, "Done.");
  EXPECT_EQ(p.receiver->effects(), 1);
  EXPECT_EQ(p.query_shop("SELECT count(*) FROM refunds"), Json::parse(R"([["1"]])"));
  EXPECT_EQ(p.scripted->requests(), 2u);
}

}  // namespace
}  // namespace holdfast::e2e
