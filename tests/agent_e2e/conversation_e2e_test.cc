// Goal: what a caller got as the answer of a run is in the conversation that the next run sees, however many
// run at a time, and whatever becomes of them. Method: whole runs on one conversation; the model answers with
// what it was asked, and hangs where a run is to be held up.

#include <gmock/gmock.h>

#include "harness.h"

namespace holdfast::e2e {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr const char* kEcho = R"(
replies:
  - when: {last: "^hang"}
    text: never
    faults: [{hang_after: 0}]
  - when: {last: '(.*)'}
    text: "answer to {{last}}"
    delay: 20ms
)";

// Who was asked what, in the order of the conversation.
std::vector<std::string> said(Platform& p, const std::string& conversation) {
  std::vector<std::string> out;
  for (const std::string& line : p.conversation(conversation)) out.push_back(line.substr(line.find(' ') + 1));
  return out;
}

bool waits(Platform& p, const WorkflowHandle& run) {
  return eventually([&] { return p.count_events(run.workflow_id(), "run.waiting") > 0; });
}

TEST(Conversation, RunsAreOneBehindTheOther) {
  Platform p(kEcho);
  p.deploy("talk");
  auto one = p.start("talk", "one");
  const std::string conversation = one.workflow_id();
  p.finish(one);
  std::vector<WorkflowHandle> runs;
  for (const char* name : {"two", "three", "four"}) {
    runs.push_back(p.go_on("talk", name, conversation, name));
  }
  for (const WorkflowHandle& run : runs) p.finish(run);
  const std::vector<std::string> all = said(p, conversation);
  ASSERT_THAT(all, SizeIs(8));
  std::vector<std::string> answers;
  for (std::size_t i = 0; i < all.size(); i += 2) {
    EXPECT_EQ(all[i + 1], "answer to " + all[i]);  // no two of them were at it at once
    answers.push_back(all[i]);
  }
  EXPECT_THAT(answers, UnorderedElementsAre("one", "two", "three", "four"));
  EXPECT_EQ(p.store().head(conversation, 1).error().code(), Code::kNotFound);  // no branch
}

TEST(Conversation, WhoCameFirstIsFirstAlsoBehindTheRunThatBeganIt) {
  Platform p(kEcho);
  p.deploy("talk");
  auto one = p.start("talk", "hang");
  const std::string conversation = one.workflow_id();
  ASSERT_TRUE(eventually([&] { return p.status(one)["phase"] == "model"; }));
  auto two = p.go_on("talk", "two", conversation, "two");
  ASSERT_TRUE(waits(p, two));
  auto three = p.go_on("talk", "three", conversation, "three");
  ASSERT_TRUE(waits(p, three));
  EXPECT_TRUE((*p.store().turn(two.workflow_id()))->behind_owner);
  EXPECT_EQ((*p.store().turn(three.workflow_id()))->ahead, 1u);
  ASSERT_TRUE(one.cancel().ok());
  p.finish(two);
  p.finish(three);
  EXPECT_THAT(said(p, conversation), ElementsAre("hang", "two", "answer to two", "three", "answer to three"));
}

TEST(Conversation, ARunThatWasTerminatedHoldsUpNobody) {
  Platform p(kEcho);
  p.deploy("talk");
  auto one = p.go_on("talk", "hang", "", "one");
  const std::string conversation = one.workflow_id();
  ASSERT_TRUE(eventually([&] { return p.status(one)["phase"] == "model"; }));
  auto two = p.go_on("talk", "two", conversation, "two");
  ASSERT_TRUE(waits(p, two));
  auto three = p.go_on("talk", "three", conversation, "three");
  ASSERT_TRUE(waits(p, three));
  // By others' tools, which tell nobody: the one at its turn, and one that stands in the line.
  ASSERT_TRUE(two.terminate("test").ok());
  ASSERT_TRUE(one.terminate("test").ok());
  p.finish(three);
  EXPECT_THAT(said(p, conversation), ElementsAre("hang", "three", "answer to three"));
  EXPECT_TRUE((*p.store().turn(two.workflow_id()))->over);
  EXPECT_TRUE((*p.store().turn(three.workflow_id()))->over);
}

TEST(Conversation, ACancelledRunGivesItsPlaceUp) {
  Platform p(kEcho);
  p.deploy("talk");
  auto one = p.go_on("talk", "hang", "c-" + p.run_id("x"), "one");
  const std::string conversation = "c-" + p.run_id("x");
  ASSERT_TRUE(eventually([&] { return p.status(one)["phase"] == "model"; }));
  auto two = p.go_on("talk", "two", conversation, "two");
  ASSERT_TRUE(waits(p, two));
  ASSERT_TRUE(two.cancel().ok());
  ASSERT_TRUE(eventually([&] { return (*p.store().turn(two.workflow_id()))->over; }));
  EXPECT_EQ(p.count_events(two.workflow_id(), "run.canceled"), 1);
  auto three = p.go_on("talk", "three", conversation, "three");
  ASSERT_TRUE(waits(p, three));
  EXPECT_EQ((*p.store().turn(three.workflow_id()))->ahead, 1u);
  ASSERT_TRUE(one.cancel().ok());
  p.finish(three);
  EXPECT_THAT(said(p, conversation), ElementsAre("hang", "three", "answer to three"));
}

TEST(Conversation, TheLineSurvivesItsWorkersAndCostsNoHistory) {
  Platform p(kEcho);
  p.deploy("talk");
  const std::string conversation = "c-" + p.run_id("x");
  auto one = p.go_on("talk", "hang", conversation, "one");
  ASSERT_TRUE(eventually([&] { return p.status(one)["phase"] == "model"; }));
  auto two = p.go_on("talk", "two", conversation, "two");
  ASSERT_TRUE(waits(p, two));
  p.stop_workers();
  p.start_workers();
  auto description = two.describe();
  ASSERT_TRUE(description.has_value());
  EXPECT_LE(description->history_length, 8);
  ASSERT_TRUE(one.cancel().ok());
  p.finish(two);
  EXPECT_THAT(said(p, conversation), ElementsAre("hang", "two", "answer to two"));
}

// What the model is told is what the script is told apart by; the store keeps everything.
TEST(Conversation, OlderMessagesBecomeASummary) {
  Platform p(R"(
replies:
  - when: {system: "You shorten conversations"}
    text: "He wants order 8 refunded."
    usage: {input: 500, output: 7}
  - when: {last: "^go"}
    tool_calls: [{name: lookup, arguments: {order_id: 7}}]
  - when: {last: "Ada"}
    tool_calls: [{name: lookup, arguments: {order_id: 8}}]
  - when: {last: "Ben"}
    tool_calls: [{name: note, arguments: {text: looked}}]
    usage: {input: 900, output: 20}
  - when: {turn: 2, last: "^ok"}
    text: done
    usage: {input: 300, output: 5}
)");
  p.deploy("talk", "  context: {window: 1000, keep_last: 2}\n  approvals: {}");
  auto run = p.start("talk", "go");
  const agent::RunResult result = p.finish(run);
  EXPECT_EQ(result.output, "done");  // to a model that is told two turns of the three
  EXPECT_EQ(result.iterations, 4);
  EXPECT_EQ(p.scripted->requests(), 5u);
  EXPECT_GE(result.usage.output_tokens, 7 + 20 + 5);
  EXPECT_EQ(p.store().usage_of_run(run.workflow_id())->calls, 5);
  const auto head = p.store().head(run.workflow_id(), 0);
  ASSERT_TRUE(head.has_value());
  const auto stored = p.store().read(*head);
  ASSERT_EQ(stored->size(), 9u);  // go, three calls and their results, the summary, done
  const Json summary = Json::parse(stored->at(6).json);
  EXPECT_EQ(summary["role"], "summary");
  EXPECT_EQ(summary["from"], 2);
  EXPECT_EQ(summary["to"], 3);
  int compacted = 0;
  for (const platform::Event& event : p.events(run.workflow_id()))
    compacted += event.type == "step.completed" && Json::parse(event.data)["kind"] == "compact" ? 1 : 0;
  EXPECT_EQ(compacted, 1);
}

// A model that cannot summarize is no reason to stop.
TEST(Conversation, WithoutASummaryTheModelIsToldEverything) {
  Platform p(R"(
replies:
  - when: {system: "You shorten conversations"}
    text: "He wants"
    stop: max_tokens
  - when: {last: "^go"}
    tool_calls: [{name: lookup, arguments: {order_id: 7}}]
  - when: {last: "Ada"}
    tool_calls: [{name: lookup, arguments: {order_id: 8}}]
  - when: {last: "Ben"}
    tool_calls: [{name: note, arguments: {text: looked}}]
    usage: {input: 900, output: 20}
  - when: {turn: 3, last: "^ok"}
    text: done
)");
  p.deploy("talk", "  context: {window: 1000, keep_last: 2}\n  approvals: {}");
  auto run = p.start("talk", "go");
  EXPECT_EQ(p.finish(run).output, "done");
  EXPECT_EQ(p.store().head(run.workflow_id(), 0)->sequence, 8u);
}

}  // namespace
}  // namespace holdfast::e2e
