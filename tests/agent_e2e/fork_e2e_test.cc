// Goal: a fork goes on from a place of another run's conversation and repeats nothing of what stands before
// it: effects are counted. Method: whole runs; the fork begins with what the platform writes into its
// settings, and the shop and the receiver count.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "harness.h"
#include "model/message.h"
#include "platform/fork_store.h"
#include "protocol/fork.h"

namespace holdfast::e2e {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> said(Platform& p, const platform::Reference& at) {
  std::vector<std::string> out;
  auto stored = p.store().read(at);
  EXPECT_TRUE(stored) << stored.error().to_string();
  if (!stored) return out;
  for (const platform::Message& one : *stored) {
    auto message = model::message_from_json(one.json);
    if (!message) continue;
    std::string line = std::string(model::role_name(message->role)) + ": " + message->text();
    for (const model::ToolCall& call : message->tool_calls)
      line += fmt::format(" [{} {}]", call.name, call.arguments);
    out.push_back(std::move(line));
  }
  return out;
}

platform::RunSpan span_of(Platform& p, const std::string& run) {
  auto span = platform::fork_store_of(p.store()).run_span(run);
  EXPECT_TRUE(span && *span) << run;
  return span && *span ? **span : platform::RunSpan();
}

platform::Reference place(Platform& p, const std::string& run, std::uint64_t message) {
  platform::Reference out = span_of(p, run).last;
  if (message == out.sequence) return out;
  out.sequence = message;
  out.sha256 =
      message == 0 ? "" : p.store().read(span_of(p, run).last, message, message)->front().chain_sha256;
  return out;
}

// As the platform starts one.
WorkflowHandle fork(Platform& p, const std::string& agent, const std::string& name,
                    const protocol::Fork& from, const std::string& version = {}) {
  platform::StartIntent intent;
  intent.run = p.run_id(name);
  intent.agent = agent;
  intent.definition_hash = version.empty() ? p.store().current_definition(agent)->hash : version;
  intent.input = "\"go\"";
  intent.settings = Json{{"fork", from}}.dump();
  auto stored = p.store().start_run(intent);
  EXPECT_TRUE(stored) << stored.error().to_string();
  agent::RunInput in;
  in.agent = agent;
  in.version = intent.definition_hash;
  auto started = p.client().start(agent::kWorkflowType,
                                  StartOptions(intent.run, agent::kAgentQueue).request_id(intent.run), in);
  EXPECT_TRUE(started) << started.error().to_string();
  return *started;
}

protocol::Fork from(const std::string& run, const platform::Reference& at) {
  protocol::Fork out;
  out.run = run;
  out.at = at;
  out.by = "ada";
  return out;
}

int refunds(Platform& p) {
  return static_cast<int>(p.query_shop("SELECT id FROM refunds").size());
}

constexpr const char* kRefunds = R"(
replies:
  - when: {turn: 0, last: "^twice"}
    tool_calls: [{name: refund, arguments: {order_id: 7, amount: 50}}, {name: note, arguments: {text: two}}]
  - when: {turn: 0}
    tool_calls: [{name: refund, arguments: {order_id: 7, amount: 50}}]
  - when: {last: "^but Ben"}
    tool_calls: [{name: refund, arguments: {order_id: 7, amount: 50}}]
  - when: {last: "no such order"}
    text: "There is no such order."
  - text: "Done."
)";

TEST(Forks, BehindARefundDoNotRefundAgain) {
  Platform p(kRefunds);
  p.deploy("refunds", "  approvals: {rules: []}");
  auto run = p.start("refunds", "go");
  p.finish(run);
  ASSERT_EQ(refunds(p), 1);
  const std::string parent = run.workflow_id();
  // user, assistant with the call, its answer, assistant.
  ASSERT_EQ(span_of(p, parent).last.sequence, 4u);
  auto again = fork(p, "refunds", "again", from(parent, place(p, parent, 3)));
  EXPECT_EQ(p.finish(again).output, "Done.");
  EXPECT_EQ(refunds(p), 1);
  const auto own = span_of(p, again.workflow_id());
  EXPECT_EQ(own.last.conversation, parent);
  EXPECT_NE(own.last.branch, 0u);
  EXPECT_EQ(own.last.sequence, 4u);
  EXPECT_EQ(p.store().head(parent, 0)->sequence, 4u);  // nobody spoke on its branch
  // Only its own call is on its bill.
  EXPECT_EQ(p.store().usage_of_run(again.workflow_id())->calls, 1);
  auto origin = p.store().origin(again.workflow_id());
  ASSERT_TRUE(origin && *origin);
  EXPECT_EQ((*origin)->origin, parent);
}

TEST(Forks, AtTheHeadOpenABranchWhileTheRunGoesOnOnItsOwn) {
  Platform p(kRefunds);
  p.deploy("head", "  approvals: {rules: [{tool: refund, action: ask}]}");
  auto run = p.start("head", "go");
  Json approval = p.wait_for_approval(run);
  const std::string parent = run.workflow_id();
  ASSERT_EQ(span_of(p, parent).last.sequence, 2u);
  auto other = fork(p, "head", "other", from(parent, place(p, parent, 1)));
  Json asked = p.wait_for_approval(other);
  EXPECT_EQ(p.count_events(parent, protocol::kRunForked), 1);
  for (const auto& [which, one] : {std::pair(run, approval), std::pair(other, asked)}) {
    ASSERT_TRUE(p.decide(which, {{"approval", one["approval"]},
                                 {"decision", "approve"},
                                 {"arguments_sha256", one["arguments_sha256"]},
                                 {"decided_by", "ada"}})
                    ->ok());
  }
  p.finish(run);
  p.finish(other);
  // The same call, on two branches, is two calls: each has its own key.
  EXPECT_EQ(refunds(p), 2);
  EXPECT_EQ(span_of(p, parent).last.branch, 0u);
  EXPECT_NE(span_of(p, other.workflow_id()).last.branch, 0u);
}

TEST(Forks, SayWhatTheEditedPromptSays) {
  Platform p(kRefunds);
  p.deploy("prompted", "  approvals: {rules: []}");
  auto run = p.start("prompted", "go");
  p.finish(run);
  protocol::Fork edit = from(run.workflow_id(), place(p, run.workflow_id(), 0));
  edit.message = "twice";
  auto twice = fork(p, "prompted", "twice", edit);
  p.finish(twice);
  EXPECT_EQ(refunds(p), 2);
  EXPECT_EQ(p.receiver->effects(), 1);
  const auto lines = said(p, span_of(p, twice.workflow_id()).last);
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(lines.front(), "user: twice");
  EXPECT_EQ(said(p, *p.store().head(run.workflow_id(), 0)).front(), "user: go");
}

TEST(Forks, GiveOneCallAnotherResultAndKeepTheOthers) {
  Platform p(kRefunds);
  p.deploy("results", "  approvals: {rules: []}");
  auto run = p.start("results", "twice");
  p.finish(run);
  ASSERT_EQ(refunds(p), 1);
  ASSERT_EQ(p.receiver->effects(), 1);
  const std::string parent = run.workflow_id();
  auto calls = model::message_from_json(p.store().read(span_of(p, parent).last, 2, 2)->front().json);
  ASSERT_TRUE(calls);
  protocol::Fork edit = from(parent, place(p, parent, 2));
  edit.answers = place(p, parent, 4);
  edit.edited.emplace();
  edit.edited->call = calls->tool_calls.at(0).id;
  edit.edited->text = "no such order";
  edit.message = "and? no such order";
  auto other = fork(p, "results", "other-result", edit);
  EXPECT_EQ(p.finish(other).output, "There is no such order.");
  EXPECT_THAT(said(p, span_of(p, other.workflow_id()).last),
              ElementsAre("user: twice", HasSubstr("[refund"), "tool: no such order", "tool: ok",
                          "user: and? no such order", "assistant: There is no such order."));
  EXPECT_EQ(refunds(p), 1);
  EXPECT_EQ(p.receiver->effects(), 1);
}

TEST(Forks, WithAnotherVersionMeetItsPolicy) {
  Platform p(kRefunds);
  p.deploy("versioned", "  approvals: {rules: []}");
  auto run = p.start("versioned", "go");
  p.finish(run);
  p.deploy("versioned", "  approvals: {rules: [{tool: refund, action: ask}]}");
  auto strict = fork(p, "versioned", "strict", from(run.workflow_id(), place(p, run.workflow_id(), 1)));
  Json approval = p.wait_for_approval(strict);
  EXPECT_EQ(approval["tool"], "refund");
  EXPECT_EQ(refunds(p), 1);
  ASSERT_TRUE(p.decide(strict, {{"approval", approval["approval"]},
                                {"decision", "reject"},
                                {"arguments_sha256", approval["arguments_sha256"]},
                                {"decided_by", "ada"}})
                  ->ok());
  p.finish(strict);
  EXPECT_EQ(refunds(p), 1);
}

TEST(Forks, OfForksHaveBranchesAndKeysOfTheirOwn) {
  Platform p(kRefunds);
  p.deploy("deep", "  approvals: {rules: []}");
  auto run = p.start("deep", "go");
  p.finish(run);
  std::string parent = run.workflow_id();
  for (int depth = 1; depth <= 3; ++depth) {
    protocol::Fork edit = from(parent, place(p, parent, 3));
    edit.depth = depth;
    edit.message = "but Ben, too";
    auto next = fork(p, "deep", fmt::format("deep-{}", depth), edit);
    p.finish(next);
    EXPECT_EQ(refunds(p), 1 + depth);
    EXPECT_EQ(span_of(p, next.workflow_id()).last.branch, static_cast<std::uint32_t>(depth));
    parent = next.workflow_id();
  }
}

constexpr const char* kChief = R"(
replies:
  - when: {model: forkclerk, turn: 0}
    tool_calls: [{name: note, arguments: {text: looked}}]
  - when: {model: forkclerk}
    text: "Ada."
  - when: {turn: 0}
    tool_calls: [{name: ask_clerk, arguments: {input: who}}]
  - text: "It was Ada."
)";

// As the run itself knows it: the check that was made before the fork counts, for an hour.
TEST(Forks, KnowWhatWasDoneBeforeWhenARuleLooksBack) {
  Platform p(R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: lookup, arguments: {order_id: 7}}]
  - when: {turn: 1}
    tool_calls: [{name: note, arguments: {text: hello}}]
  - text: "Then: {{last}}"
)");
  p.deploy(
      "checked",
      "  approvals: {language: cel, rules: [{tool: note, action: deny, reason: no check within the hour, "
      "when: '!calls(\"lookup\").exists(c, c.ok && c.args.order_id == 7 && now - c.time < "
      "duration(\"1h\"))'}]}");
  auto run = p.start("checked", "go");
  EXPECT_THAT(p.finish(run).output, testing::Not(HasSubstr("denied")));
  const std::string parent = run.workflow_id();
  auto one = fork(p, "checked", "one", from(parent, place(p, parent, 3)));
  EXPECT_THAT(p.finish(one).output, testing::Not(HasSubstr("denied")));
  auto of_fork = fork(p, "checked", "two", from(one.workflow_id(), place(p, one.workflow_id(), 3)));
  EXPECT_THAT(p.finish(of_fork).output, testing::Not(HasSubstr("denied")));
  EXPECT_EQ(p.receiver->effects(), 3);
  // Before the check there was none.
  auto early = fork(p, "checked", "early", from(parent, place(p, parent, 1)));
  EXPECT_THAT(p.finish(early).output, testing::Not(HasSubstr("denied")));
  if (std::getenv("HOLDFAST_E2E_ENGINE")) return;  // the clock of a Temporal server does not jump
  p.skip(std::chrono::minutes(61));
  auto late = fork(p, "checked", "late", from(parent, place(p, parent, 3)));
  EXPECT_EQ(p.finish(late).output, "Then: Error: denied: no check within the hour");
  EXPECT_EQ(p.receiver->effects(), 4);
}

TEST(Forks, ReuseWhatASubAgentAnsweredAndAskAnewBehindIt) {
  Platform p(kChief);
  p.deploy("forkclerk");
  p.deploy("forkchief", "", "    - {name: ask_clerk, type: agent, agent: forkclerk}");
  auto run = p.start("forkchief", "go");
  EXPECT_EQ(p.finish(run).output, "It was Ada.");
  ASSERT_EQ(p.receiver->effects(), 1);
  const std::string parent = run.workflow_id();
  auto behind = fork(p, "forkchief", "behind", from(parent, place(p, parent, 3)));
  EXPECT_EQ(p.finish(behind).output, "It was Ada.");
  EXPECT_EQ(p.receiver->effects(), 1);
  auto before = fork(p, "forkchief", "before", from(parent, place(p, parent, 1)));
  EXPECT_EQ(p.finish(before).output, "It was Ada.");
  EXPECT_EQ(p.receiver->effects(), 2);  // the sub-agent ran anew
}

TEST(Forks, OfARunThatEndedInMidTurnHearWhatTheLedgerKnows) {
  Platform p(kRefunds);
  p.deploy("ended", "  approvals: {rules: [{tool: note, action: ask}]}");
  auto run = p.start("ended", "twice");
  p.wait_for_approval(run);
  ASSERT_TRUE(eventually([&] { return refunds(p) == 1; }));
  const std::string parent = run.workflow_id();
  ASSERT_TRUE(eventually([&] {  // and that is settled
    return p.count_events(parent, "step.completed") == 2;
  }));
  ASSERT_TRUE(run.terminate("enough").ok());
  protocol::Fork edit = from(parent, place(p, parent, 2));
  edit.known = true;
  auto known = fork(p, "ended", "known", edit);
  EXPECT_EQ(p.finish(known).output, "Done.");
  const auto lines = said(p, span_of(p, known.workflow_id()).last);
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_THAT(lines[2], HasSubstr("\"changes\":1"));
  EXPECT_THAT(lines[3], HasSubstr("not called: the run ended before anybody decided"));
  EXPECT_EQ(refunds(p), 1);
  EXPECT_EQ(p.receiver->effects(), 0);
}

}  // namespace
}  // namespace holdfast::e2e
