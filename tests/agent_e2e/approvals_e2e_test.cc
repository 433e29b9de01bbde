// Goal: a person's decision counts once, in time, and for exactly the arguments that were shown. Method:
// whole runs that ask, with every kind of decision, decisions against each other and against the clock.

#include <atomic>
#include <thread>

#include <gmock/gmock.h>

#include "harness.h"

namespace holdfast::e2e {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

constexpr const char* kAsks = R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: refund, arguments: {order_id: 7, amount: 180}}]
  - when: {turn: 1}
    text: "Then: {{last}}"
)";

int refunds(Platform& p) {
  return std::stoi(p.query_shop("SELECT count(*) FROM refunds")[0][0].get<std::string>());
}

std::string failure_type(const Outcome<Json>& outcome) {
  const auto* failure = find_failure<ApplicationFailure>(outcome.error());
  return failure ? failure->type() : outcome.error().to_string();
}

Json with(Json approval, const std::string& decision) {
  approval["decision"] = decision;
  approval["decided_by"] = "ada";
  return approval;
}

TEST(Approval, ApprovedCallIsMade) {
  Platform p(kAsks);
  p.deploy("approve");
  auto run = p.start("approve", "go");
  Json approval = p.wait_for_approval(run);
  EXPECT_EQ(approval["arguments"], Json::parse(R"({"amount":180,"order_id":7})"));
  EXPECT_EQ(refunds(p), 0);
  Json status = p.status(run);
  EXPECT_EQ(status["phase"], "approval");
  EXPECT_EQ(status["approvals"].size(), 1u);
  auto decided = p.decide(run, with(approval, "approve"));
  ASSERT_TRUE(decided.has_value() && decided->ok());
  EXPECT_THAT(p.finish(run).output, HasSubstr("\"changes\":1"));
  EXPECT_EQ(refunds(p), 1);
  auto row = p.store().approval(approval["approval"].get<std::string>());
  ASSERT_TRUE(row.has_value());
  EXPECT_EQ(row->status, platform::ApprovalStatus::kApproved);
  EXPECT_EQ(row->decided_by, "ada");
}

// What a run's history says of settlements that were made on their own.
bool settled_alone(const WorkflowHandle& run) {
  return run.history_json()->find(protocol::kSettleApprovalActivity) != std::string::npos;
}

// Its intent and its approval are one write, so people see the decision before the call, and nobody waits for
// the disk twice.
TEST(Approval, AnApprovedCallSaysItselfHowItWasDecided) {
  Platform p(kAsks);
  p.deploy("itself");
  auto run = p.start("itself", "go");
  Json approval = p.wait_for_approval(run);
  ASSERT_TRUE(p.decide(run, with(approval, "approve"))->ok());
  p.finish(run);
  EXPECT_FALSE(settled_alone(run));
  std::vector<std::string> told;
  for (const platform::Event& event : p.events(run.workflow_id())) {
    if (event.type == "approval.decided" ||
        (event.type == "step.started" && event.data.find("\"refund\"") != std::string::npos))
      told.push_back(event.type);
  }
  EXPECT_THAT(told, ::testing::ElementsAre("approval.decided", "step.started"));
  EXPECT_EQ(refunds(p), 1);
  EXPECT_EQ(p.store().approval(approval["approval"].get<std::string>())->decided_by, "ada");
}

// One slot for two calls: the second waits, and is not shown as undecided meanwhile.
TEST(Approval, ACallThatWaitsForASlotIsSettledAllTheSame) {
  Platform p(R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: refund, arguments: {order_id: 7, amount: 180}}, {name: refund, arguments: {order_id: 8, amount: 190}}]
  - when: {turn: 1}
    text: "Done."
)");
  p.deploy("slots",
           "  limits: {max_parallel_tools: 1}\n"
           "  approvals: {rules: [{tool: refund, when: amount > 100, action: ask}]}");
  auto run = p.start("slots", "go");
  platform::ApprovalFilter filter;
  filter.run = run.workflow_id();
  ASSERT_TRUE(eventually([&] { return p.store().approvals(filter)->size() == 2; }));
  for (const platform::Approval& asked : *p.store().approvals(filter)) {
    const Json approval = {{"approval", asked.id}, {"arguments_sha256", asked.arguments_sha256}};
    ASSERT_TRUE(p.decide(run, with(approval, "approve"))->ok());
  }
  EXPECT_EQ(p.finish(run).output, "Done.");
  EXPECT_EQ(refunds(p), 2);
  EXPECT_EQ(p.count_events(run.workflow_id(), "approval.decided"), 2);
}

TEST(Approval, RejectionReachesTheModelWithItsReason) {
  Platform p(kAsks);
  p.deploy("reject");
  auto run = p.start("reject", "go");
  Json decision = with(p.wait_for_approval(run), "reject");
  decision["comment"] = "order was delivered";
  auto decided = p.decide(run, decision);
  ASSERT_TRUE(decided.has_value() && decided->ok());
  EXPECT_EQ(p.finish(run).output, "Then: Error: rejected by ada: order was delivered");
  EXPECT_TRUE(settled_alone(run)) << "no call follows";
  EXPECT_EQ(refunds(p), 0);
}

TEST(Approval, EditedArgumentsAreWhatIsDone) {
  Platform p(kAsks);
  p.deploy("edit");
  auto run = p.start("edit", "go");
  Json decision = with(p.wait_for_approval(run), "edit");
  decision["edited_arguments"] = {{"order_id", 7}, {"amount", 150}};
  auto decided = p.decide(run, decision);
  ASSERT_TRUE(decided.has_value() && decided->ok());
  p.finish(run);
  EXPECT_EQ(p.query_shop("SELECT order_id, amount FROM refunds"), Json::parse(R"([["7","150.0"]])"));
}

TEST(Approval, EditedArgumentsMeetThePolicyAgain) {
  Platform p(kAsks);
  p.deploy("editdeny",
           "  approvals: {rules: [{tool: refund, when: amount > 500, action: deny, reason: too much}, "
           "{tool: refund, when: amount > 100, action: ask}]}");
  auto run = p.start("editdeny", "go");
  Json decision = with(p.wait_for_approval(run), "edit");
  decision["edited_arguments"] = {{"order_id", 7}, {"amount", 5000}};
  auto decided = p.decide(run, decision);
  ASSERT_TRUE(decided.has_value() && decided->ok());
  EXPECT_EQ(p.finish(run).output, "Then: Error: deny: too much");
  EXPECT_EQ(refunds(p), 0);
}

TEST(Approval, DeniedCallIsNotAskedAbout) {
  Platform p(kAsks);
  p.deploy("denied", "  approvals: {rules: [{tool: refund, action: deny, reason: no refunds today}]}");
  auto run = p.start("denied", "go");
  EXPECT_EQ(p.finish(run).output, "Then: Error: denied: no refunds today");
  EXPECT_EQ(p.count_events(run.workflow_id(), "approval.requested"), 0);
}

TEST(Approval, NobodyDecidedInTime) {
  Platform p(kAsks);
  p.deploy("expire",
           "  approvals: {expires_after: 400ms, rules: [{tool: refund, action: ask, reason: large}]}");
  auto run = p.start("expire", "go");
  Json approval = p.wait_for_approval(run);
  EXPECT_EQ(p.finish(run).output,
            "Then: Error: nobody approved the call in time, so it was not made (large)");
  EXPECT_EQ(refunds(p), 0);
  auto row = p.store().approval(approval["approval"].get<std::string>());
  ASSERT_TRUE(row.has_value());
  EXPECT_EQ(row->status, platform::ApprovalStatus::kExpired);
  auto late = p.decide(run, with(approval, "approve"));
  EXPECT_TRUE(!late.has_value() || !late->ok());
}

TEST(Approval, ExactlyOneOfManyDecisionsWins) {
  Platform p(kAsks);
  p.deploy("many");
  auto run = p.start("many", "go");
  Json approval = p.wait_for_approval(run);
  std::atomic<int> won = 0;
  std::vector<std::thread> people;
  for (int i = 0; i < 6; ++i) {
    people.emplace_back([&, i] {
      auto decided = p.decide(run, with(approval, i % 2 == 0 ? "approve" : "reject"));
      if (decided && decided->ok()) ++won;
    });
  }
  for (std::thread& person : people) person.join();
  EXPECT_EQ(won, 1);
  p.finish(run);
  EXPECT_LE(refunds(p), 1);
  EXPECT_EQ(p.count_events(run.workflow_id(), "approval.decided"), 1);
}

TEST(Approval, WrongDecisionsAreRefusedAndChangeNothing) {
  Platform p(kAsks);
  p.deploy("wrong");
  auto run = p.start("wrong", "go");
  Json approval = p.wait_for_approval(run);
  auto refused = [&](const Json& decision) {
    auto decided = p.decide(run, decision);
    if (!decided) return decided.error().to_string();
    return decided->ok() ? std::string("accepted") : failure_type(*decided);
  };
  Json other = with(approval, "approve");
  other["arguments_sha256"] = std::string(64, '0');
  EXPECT_EQ(refused(other), agent::kApprovalMismatch);
  Json unknown = with(approval, "approve");
  unknown["approval"] = "ap-nothing";
  EXPECT_EQ(refused(unknown), agent::kApprovalNotFound);
  EXPECT_EQ(refused(with(approval, "perhaps")), agent::kInvalidDecision);
  EXPECT_EQ(refused(with(approval, "edit")), agent::kInvalidDecision);
  EXPECT_NE(refused(Json("text")), "accepted");
  EXPECT_EQ(refused(with(approval, "approve")), "accepted");
  p.finish(run);
  EXPECT_EQ(refunds(p), 1);
}

TEST(Approval, OtherCallsGoOnMeanwhile) {
  Platform p(R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: refund, arguments: {order_id: 7, amount: 180}}, {name: note, arguments: {text: meanwhile}}]
  - when: {turn: 1}
    text: Both done.
)");
  p.deploy("meanwhile");
  auto run = p.start("meanwhile", "go");
  Json approval = p.wait_for_approval(run);
  EXPECT_TRUE(eventually([&] { return p.receiver->effects() == 1; }));
  auto decided = p.decide(run, with(approval, "approve"));
  ASSERT_TRUE(decided.has_value() && decided->ok());
  EXPECT_EQ(p.finish(run).output, "Both done.");
}

TEST(Approval, CancelEndsTheWait) {
  Platform p(kAsks);
  p.deploy("cancel");
  auto run = p.start("cancel", "go");
  Json approval = p.wait_for_approval(run);
  ASSERT_TRUE(run.cancel("changed my mind").ok());
  auto result = run.result<agent::RunResult>(std::chrono::seconds(20));
  p.record(run);
  ASSERT_TRUE(result.has_value()) << result.error().to_string();
  ASSERT_FALSE(result->ok());
  EXPECT_TRUE(is_canceled(result->error())) << result->error().to_string();
  EXPECT_EQ(p.count_events(run.workflow_id(), "run.canceled"), 1);
  auto row = p.store().approval(approval["approval"].get<std::string>());
  ASSERT_TRUE(row.has_value());
  EXPECT_NE(row->status, platform::ApprovalStatus::kPending);
}

constexpr const char* kWires = R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: wire, arguments: {amount: 5}}]
  - when: {turn: 1}
    text: "Then: {{last}}"
)";

// A tool `wire(amount)` that must not be called twice.
std::string wire(Platform& p, const std::string& extra = {}) {
  return "    - name: wire\n      type: http\n      effect: at_most_once\n      timeout: 300ms\n" + extra +
         "      parameters: {properties: {amount: {type: number}}}\n"
         "      http: {method: POST, url: \"" +
         p.receiver->url("/wire") + "\"}";
}

// An at-most-once call whose answer never came may have happened: it is not repeated unless a person says so.
TEST(Approval, AnInterruptedAtMostOnceCallAsksAPerson) {
  Platform p(kWires);
  p.deploy("unknown", "", wire(p));
  p.receiver->answer = [](int) { return std::pair<int, std::string>(0, ""); };
  auto run = p.start("unknown", "go");
  Json approval = p.wait_for_approval(run);
  EXPECT_THAT(approval["reason"].get<std::string>(), HasSubstr("EffectUnknown"));
  Json decision = with(approval, "reject");
  decision["comment"] = "it arrived";
  auto decided = p.decide(run, decision);
  ASSERT_TRUE(decided.has_value() && decided->ok());
  EXPECT_THAT(p.finish(run).output,
              HasSubstr("it is unknown whether the call took effect; rejected by ada: it arrived"));
  EXPECT_EQ(p.receiver->deliveries(), 1);
}

// `on_expiry: approve` is about calls that were not made yet. One that may have happened is not repeated
// because nobody looked.
TEST(Approval, SilenceNeverRepeatsACallThatMayHaveHappened) {
  Platform p(kWires);
  p.deploy("silence", "  approvals: {expires_after: 400ms, on_expiry: approve}", wire(p));
  p.receiver->answer = [](int nth) { return std::pair<int, std::string>(nth == 1 ? 0 : 200, "ok"); };
  auto run = p.start("silence", "go");
  EXPECT_EQ(p.wait_for_approval(run)["tool"], "wire");
  EXPECT_THAT(p.finish(run).output,
              HasSubstr("it is unknown whether the call took effect; nobody decided in time, so it was not "
                        "called again"));
  EXPECT_EQ(p.receiver->deliveries(), 1);
}

TEST(Approval, SilenceApprovesACallThatWasNotMade) {
  Platform p(kAsks);
  p.deploy("silent",
           "  approvals: {expires_after: 400ms, on_expiry: approve, rules: [{tool: refund, action: ask}]}");
  auto run = p.start("silent", "go");
  EXPECT_THAT(p.finish(run).output, HasSubstr("\"changes\":1"));
  EXPECT_EQ(refunds(p), 1);
}

// What a person is asked about is what was sent: the edited arguments.
TEST(Approval, AnInterruptedEditedCallAsksAboutTheEditedArguments) {
  Platform p(kWires);
  p.deploy("edited", "  approvals: {rules: [{tool: wire, action: ask}]}", wire(p));
  p.receiver->answer = [](int nth) { return std::pair<int, std::string>(nth == 1 ? 0 : 200, "wired"); };
  auto run = p.start("edited", "go");
  Json first = with(p.wait_for_approval(run), "edit");
  first["edited_arguments"] = {{"amount", 4}};
  auto edited = p.decide(run, first);
  ASSERT_TRUE(edited.has_value() && edited->ok());
  Json second = p.wait_for_approval(run, first["approval"]);
  ASSERT_TRUE(second.is_object());
  EXPECT_THAT(second["reason"].get<std::string>(), HasSubstr("EffectUnknown"));
  EXPECT_EQ(second["arguments"], Json::parse(R"({"amount":4})"));
  EXPECT_NE(second["arguments_sha256"], first["arguments_sha256"]);
  auto again = p.decide(run, with(second, "approve"));
  ASSERT_TRUE(again.has_value() && again->ok());
  EXPECT_EQ(p.finish(run).output, "Then: wired");
  EXPECT_EQ(p.receiver->deliveries(), 2);
}

// A question that could not be put to anyone is none that a run waits for.
TEST(Approval, AQuestionThatIsNotRecordedIsNotOpen) {
  Platform p(kWires);
  p.deploy("unasked", "", wire(p));
  p.receiver->answer = [](int) { return std::pair<int, std::string>(0, ""); };
  agent::ConversationRef message;
  message.conversation = p.run_id("unasked");
  message.sequence = 2;
  const std::string key = agent::idempotency_key("default", message, 0, "wire", R"({"amount":5})");
  platform::Approval taken;
  taken.id = "ap-" + key.substr(0, 24) + "-1";
  taken.run = "another";
  taken.tool = "wire";
  taken.arguments = "{}";
  ASSERT_TRUE(p.store().request_approval(taken).has_value());
  auto run = p.start("unasked", "go");
  EXPECT_THAT(p.finish(run).output, HasSubstr("asks about another call"));
  EXPECT_EQ(p.status(run)["approvals"], Json::array());
}

// An attempt that died leaves only the ledger to say what is known, so there is always another one to look.
TEST(Approval, AnAtMostOnceCallIsLookedAtUntilItsEndIsKnown) {
  Platform p(kWires);
  p.deploy("looked", "", wire(p, "      retry: {attempts: 1}\n"));
  auto run = p.start("looked", "go");
  EXPECT_EQ(p.finish(run).output, "Then: ok");
  auto history = run.history_json();
  ASSERT_TRUE(history.has_value());
  int found = 0;
  for (const Json& event : Json::parse(*history)["events"]) {
    auto scheduled = event.find("activityTaskScheduledEventAttributes");
    if (scheduled == event.end() || (*scheduled)["activityType"]["name"] != "agent.tool") continue;
    ++found;
    EXPECT_EQ((*scheduled)["retryPolicy"].value("maximumAttempts", 0), 0);  // without end
  }
  EXPECT_EQ(found, 1);
}

}  // namespace
}  // namespace holdfast::e2e
