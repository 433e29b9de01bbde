// Goal: a run that is steered while it works loses no word and repeats no step: messages, pause and resume,
// steps that failed for good and are mended. Method: whole runs; the model matches on what it is told, and
// the receiver counts.

#include <gmock/gmock.h>

#include <algorithm>

#include "harness.h"
#include "protocol/steering.h"

namespace holdfast::e2e {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string refusal(const Result<Outcome<Json>>& outcome) {
  if (!outcome) return outcome.error().to_string();
  if (outcome->ok()) return "taken";
  const auto* failure = find_failure<ApplicationFailure>(outcome->error());
  return failure ? failure->type() : outcome->error().to_string();
}

Result<Outcome<Json>> pause(const WorkflowHandle& run) {
  protocol::PauseRequest request;
  request.by = "ada";
  request.reason = "lunch";
  return run.update<Json>(protocol::kPauseUpdate, request);
}

Result<Outcome<Json>> resume(const WorkflowHandle& run, const std::string& version = {}) {
  protocol::ResumeRequest request;
  request.by = "ben";
  request.version = version;
  return run.update<Json>(protocol::kResumeUpdate, request);
}

// The row that lists show, once it is there.
platform::HeldRun wait_for_hold(Platform& p, const WorkflowHandle& run, protocol::HoldKind kind) {
  platform::HeldRun found;
  EXPECT_TRUE(eventually([&] {
    auto held = p.store().held_run(run.workflow_id());
    if (!held || !*held || (*held)->kind != kind) return false;
    found = **held;
    return true;
  })) << p.status(run).dump();
  return found;
}

int refunds(Platform& p) {
  return static_cast<int>(p.query_shop("SELECT id FROM refunds").size());
}

Json approve(const Json& approval, const char* decision = "approve") {
  return {{"approval", approval["approval"]},
          {"decision", decision},
          {"arguments_sha256", approval["arguments_sha256"]},
          {"decided_by", "ada"}};
}

constexpr const char* kAsksThenListens = R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: refund, arguments: {order_id: 7, amount: 150}}]
  - when: {turn: 1, last: "^and tell Ben"}
    text: "I told Ben."
  - when: {turn: 1}
    text: "Nobody spoke."
)";

TEST(Steering, AMessageWaitsForTheNextModelCallAndIsTakenOnce) {
  Platform p(kAsksThenListens);
  p.deploy("queued");
  auto run = p.start("queued", "go");
  Json approval = p.wait_for_approval(run);
  EXPECT_EQ(refusal(p.send(run, "and tell Ben", "m1")), "taken");
  EXPECT_EQ(refusal(p.send(run, "and tell Ben", "m1")), "taken");  // its sender heard no answer
  p.stop_workers();
  p.start_workers();
  EXPECT_EQ(p.status(run)["messages"], 1);
  ASSERT_TRUE(p.decide(run, approve(approval))->ok());
  EXPECT_EQ(p.finish(run).output, "I told Ben.");
  EXPECT_THAT(p.conversation(run.workflow_id()),
              ElementsAre("user: go", HasSubstr("[refund"), HasSubstr("\"changes\":1"), "user: and tell Ben",
                          "assistant: I told Ben."));
  EXPECT_EQ(p.count_events(run.workflow_id(), "message.seen"), 1);
  EXPECT_EQ(refunds(p), 1);
}

TEST(Steering, AMessageDuringTheLastWordIsSeenAllTheSame) {
  Platform p(R"(
replies:
  - when: {turn: 0}
    text: "one two three four five six seven eight nine ten"
    delay: 100ms
  - when: {turn: 1, last: "^more"}
    text: "More."
)");
  p.deploy("late");
  auto run = p.start("late", "go");
  ASSERT_TRUE(eventually([&] { return p.status(run)["phase"] == "model"; }));
  EXPECT_EQ(refusal(p.send(run, "more", "m1")), "taken");
  EXPECT_EQ(p.finish(run).output, "More.");
  EXPECT_EQ(refusal(p.send(run, "too late", "m2")).find("taken"), std::string::npos);
}

TEST(Steering, AnInterruptedModelCallIsMadeAgainWithTheMessage) {
  Platform p(R"(
replies:
  - when: {last: "^stop"}
    text: "Stopped."
  - text: "one two three"
    faults: [{hang_after: 2}]
)");
  p.deploy("interrupted", "  steering: interrupt\n  limits: {max_iterations: 1}");
  auto run = p.start("interrupted", "go");
  ASSERT_TRUE(eventually([&] { return p.scripted->requests() == 1; }));
  EXPECT_EQ(refusal(p.send(run, "stop", "m1")), "taken");
  EXPECT_EQ(p.finish(run).output, "Stopped.");
  EXPECT_THAT(p.conversation(run.workflow_id()),
              ElementsAre("user: go", "user: stop", "assistant: Stopped."));
  EXPECT_EQ(p.count_events(run.workflow_id(), "step.failed"), 1);
}

TEST(Steering, AnInterruptedTurnAnswersEveryCall) {
  Platform p(R"(
replies:
  - when: {turn: 0}
    tool_calls:
      - {name: note, arguments: {text: made}}
      - {name: rest, arguments: {duration: 1h}}
      - {name: refund, arguments: {order_id: 7, amount: 150}}
  - when: {turn: 1, last: "^enough"}
    text: "Well."
)");
  p.deploy("turn", "  steering: interrupt\n  approvals: {rules: [{tool: refund, action: ask}]}",
           "    - {name: rest, type: wait, wait: {max: 2h}}");
  auto run = p.start("turn", "go");
  Json approval = p.wait_for_approval(run);
  ASSERT_TRUE(eventually([&] { return p.receiver->effects() == 1; }));
  EXPECT_EQ(refusal(p.send(run, "enough", "m1")), "taken");
  EXPECT_EQ(p.finish(run).output, "Well.");
  EXPECT_THAT(p.conversation(run.workflow_id()),
              ElementsAre("user: go", HasSubstr("[note"), "tool: ok",
                          HasSubstr("ended early: a message came first, from ada"),
                          HasSubstr("rejected by a message"), "user: enough", "assistant: Well."));
  EXPECT_EQ(refunds(p), 0);
  auto row = p.store().approval(approval["approval"].get<std::string>());
  EXPECT_EQ(row->status, platform::ApprovalStatus::kRejected);
}

TEST(Steering, AnAgentThatTakesNoneSaysSoUnlessItWaits) {
  Platform p(kAsksThenListens);
  p.deploy("rejects", "  steering: reject\n  approvals: {rules: [{tool: refund, action: ask}]}");
  auto run = p.start("rejects", "go");
  Json approval = p.wait_for_approval(run);
  EXPECT_EQ(refusal(p.send(run, "and tell Ben", "m1")), protocol::kMessageRejected);
  ASSERT_TRUE(pause(run)->ok());
  EXPECT_EQ(refusal(p.send(run, "and tell Ben", "m2")), "taken");
  ASSERT_TRUE(p.decide(run, approve(approval))->ok());
  ASSERT_TRUE(resume(run)->ok());
  EXPECT_EQ(p.finish(run).output, "I told Ben.");
}

TEST(Steering, APausedRunBeginsNothingUntilItIsResumed) {
  Platform p(kAsksThenListens);
  p.deploy("paused");
  auto run = p.start("paused", "go");
  Json approval = p.wait_for_approval(run);
  ASSERT_TRUE(pause(run)->ok());
  EXPECT_EQ(refusal(pause(run)), protocol::kAlreadyHeld);
  const platform::HeldRun held = wait_for_hold(p, run, protocol::HoldKind::kPaused);
  EXPECT_EQ(held.by, "ada");
  EXPECT_EQ(held.reason, "lunch");
  ASSERT_TRUE(p.decide(run, approve(approval))->ok());
  p.stop_workers();
  p.start_workers();
  // What the old workers took with them is given to others when its time is over.
  ASSERT_TRUE(eventually([&] { return p.count_events(run.workflow_id(), "approval.decided") == 1; },
                         std::chrono::seconds(90)));
  EXPECT_NE(run.history_json()->find(protocol::kSettleApprovalActivity), std::string::npos)
      << "the call is not made yet that would say so";
  EXPECT_EQ(p.status(run)["hold"]["by"], "ada");
  EXPECT_EQ(refunds(p), 0);
  ASSERT_TRUE(resume(run)->ok());
  EXPECT_EQ(p.finish(run).output, "Nobody spoke.");
  EXPECT_EQ(refunds(p), 1);
  EXPECT_FALSE(p.store().held_run(run.workflow_id())->has_value());
  EXPECT_EQ(p.count_events(run.workflow_id(), "run.paused"), 1);
  EXPECT_EQ(p.count_events(run.workflow_id(), "run.resumed"), 1);
  EXPECT_EQ(refusal(resume(run)).find("taken"), std::string::npos);
}

TEST(Steering, APausedRunMayBeCancelled) {
  Platform p(kAsksThenListens);
  p.deploy("paused-end");
  auto run = p.start("paused-end", "go");
  (void)p.wait_for_approval(run);
  ASSERT_TRUE(pause(run)->ok());
  ASSERT_TRUE(run.cancel("enough").ok());
  auto result = run.result<agent::RunResult>(std::chrono::seconds(20));
  p.record(run);
  ASSERT_TRUE(result.has_value() && !result->ok());
  EXPECT_TRUE(is_canceled(result->error()));
  EXPECT_FALSE(p.store().held_run(run.workflow_id())->has_value());
}

constexpr const char* kKeyRevoked = R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: note, arguments: {text: done}}]
  - when: {turn: 1}
    text: "All is well."
    faults: [{status: 401, message: "the key was revoked", first: 1}]
)";

TEST(Parking, ARunIsMendedAndGoesOnFromTheFailedStep) {
  Platform p(kKeyRevoked);
  p.deploy("parked", "  on_failure: park");
  auto run = p.start("parked", "go");
  const platform::HeldRun held = wait_for_hold(p, run, protocol::HoldKind::kParked);
  EXPECT_EQ(held.reason, "AuthError");
  EXPECT_THAT(held.detail, HasSubstr("revoked"));
  p.stop_workers();
  p.start_workers();
  ASSERT_TRUE(resume(run)->ok());
  EXPECT_EQ(p.finish(run).output, "All is well.");
  EXPECT_EQ(p.receiver->deliveries(), 1);
  EXPECT_EQ(p.scripted->requests(), 3u);
  EXPECT_EQ(p.count_events(run.workflow_id(), "run.parked"), 1);
}

TEST(Parking, ARunGoesOnWithAnotherVersion) {
  Platform p(kKeyRevoked);
  p.deploy("mended", "  on_failure: park", "", "    api_key_env: HOLDFAST_NO_SUCH_KEY");
  auto run = p.start("mended", "go");
  (void)wait_for_hold(p, run, protocol::HoldKind::kParked);
  EXPECT_EQ(refusal(resume(run, "no-such-version")), "NOT_FOUND");
  p.deploy("mended", "  on_failure: park");
  const std::string version = p.store().current_definition("mended")->hash;
  ASSERT_TRUE(resume(run, version)->ok());
  (void)wait_for_hold(p, run, protocol::HoldKind::kParked);  // the key is revoked once, too
  EXPECT_EQ(p.status(run)["version"], version);
  ASSERT_TRUE(eventually([&] { return resume(run)->ok(); }));
  EXPECT_EQ(p.finish(run).output, "All is well.");
}

TEST(Parking, ARunThatNobodyMendsEndsWithItsFailure) {
  Platform p(kKeyRevoked);
  p.deploy("given-up", "  on_failure: park");
  auto run = p.start("given-up", "go");
  (void)wait_for_hold(p, run, protocol::HoldKind::kParked);
  protocol::GiveUpRequest request;
  request.by = "ada";
  ASSERT_TRUE(run.update<Json>(protocol::kGiveUpUpdate, request)->ok());
  auto result = run.result<agent::RunResult>(std::chrono::seconds(20));
  p.record(run);
  ASSERT_TRUE(result.has_value() && !result->ok());
  EXPECT_EQ(find_failure<ApplicationFailure>(result->error())->type(), "AuthError");
  EXPECT_THAT(result->error().to_string(), HasSubstr("given up by ada"));
  EXPECT_FALSE(p.store().held_run(run.workflow_id())->has_value());
}

TEST(Parking, AToolThatFailedIsCalledAgainWhenItIsMended) {
  Platform p(R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: hook, arguments: {}}, {name: note, arguments: {text: beside}}]
  - when: {turn: 1}
    text: "Then: {{last}}"
)");
  p.deploy("tool", "",
           "    - name: hook\n      type: http\n      effect: idempotent\n      on_failure: park\n"
           "      http: {method: POST, url: \"" +
               p.receiver->url("/hook") + "\", body: {hook: 1}}");
  std::atomic<bool> mended = false;
  p.receiver->answer = [&mended](int) {
    return mended ? std::pair<int, std::string>(200, "ok") : std::pair<int, std::string>(404, "no such hook");
  };
  auto run = p.start("tool", "go");
  const platform::HeldRun held = wait_for_hold(p, run, protocol::HoldKind::kParked);
  EXPECT_EQ(held.reason, "ToolError");
  EXPECT_THAT(held.detail, HasSubstr("404"));
  mended = true;
  ASSERT_TRUE(resume(run)->ok());
  (void)p.finish(run);
  EXPECT_THAT(p.conversation(run.workflow_id()), Contains("tool: ok"));
  EXPECT_EQ(std::ranges::count(p.receiver->bodies(), R"({"hook":1})"), 2);
}

TEST(Parking, TimeOnHoldDoesNotCount) {
  Platform p(kKeyRevoked);
  p.deploy("patient", "  on_failure: park\n  limits: {run_timeout: 1h}");
  auto run = p.start("patient", "go");
  (void)wait_for_hold(p, run, protocol::HoldKind::kParked);
  p.skip(std::chrono::hours(2));
  ASSERT_TRUE(resume(run)->ok());
  EXPECT_EQ(p.finish(run).output, "All is well.");
}

}  // namespace
}  // namespace holdfast::e2e
