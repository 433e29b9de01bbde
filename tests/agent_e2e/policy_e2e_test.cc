// Goal: rules decide as they are written, by whom they say, and after what the run itself has done; nothing
// of it is lost when workers are replaced or the run continues as new. Method: whole runs whose policy asks
// several people, escalates, looks back, or is only tried.

#include <algorithm>

#include <gmock/gmock.h>

#include "harness.h"

namespace holdfast::e2e {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using ::testing::HasSubstr;

// One reply a turn, then "Then: " and the last result.
std::string script(const std::vector<std::string>& turns) {
  std::string out = "replies:\n";
  for (std::size_t i = 0; i < turns.size(); ++i)
    out += "  - when: {turn: " + std::to_string(i) + "}\n    tool_calls: [" + turns[i] + "]\n";
  return out + "  - when: {turn: " + std::to_string(turns.size()) + "}\n    text: \"Then: {{last}}\"\n";
}

std::string refund(int amount) {
  return "{name: refund, arguments: {order_id: 7, amount: " + std::to_string(amount) + "}}";
}
const char* const kNote = "{name: note, arguments: {text: hello}}";
const char* const kLookup = "{name: lookup, arguments: {order_id: 7}}";

int refunds(Platform& p) {
  return std::stoi(p.query_shop("SELECT count(*) FROM refunds")[0][0].get<std::string>());
}

Json by(Json approval, const std::string& name, const std::string& decision = "approve") {
  approval["decision"] = decision;
  approval["decided_by"] = name;
  return approval;
}

// "accepted", or the type of the refusal.
std::string decided(Platform& p, const WorkflowHandle& run, const Json& decision) {
  auto answer = p.decide(run, decision);
  if (!answer) return answer.error().to_string();
  if (answer->ok()) return "accepted";
  const auto* failure = find_failure<ApplicationFailure>(answer->error());
  return failure ? failure->type() : answer->error().to_string();
}

std::vector<Json> events(Platform& p, const std::string& run, std::string_view type) {
  std::vector<Json> out;
  for (const platform::Event& event : p.events(run)) {
    if (event.type == type) out.push_back(Json::parse(event.data));
  }
  return out;
}

TEST(Policy, TwoPeopleHaveToApprove) {
  Platform p(script({refund(180)}));
  p.deploy("quorum",
           "  approvals: {language: cel, rules: [{name: large, tool: refund, when: args.amount > 100, "
           "action: ask, quorum: 2}]}");
  auto run = p.start("quorum", "go");
  const Json approval = p.wait_for_approval(run);
  EXPECT_EQ(decided(p, run, by(approval, "")), agent::kDecisionNotAllowed);
  EXPECT_EQ(decided(p, run, by(approval, "ann")), "accepted");
  EXPECT_TRUE(eventually([&] { return p.count_events(run.workflow_id(), "approval.counted") == 1; }));
  EXPECT_EQ(decided(p, run, by(approval, "ann")), agent::kApprovalDecided);
  Json edit = by(approval, "bob", "edit");
  edit["edited_arguments"] = {{"order_id", 7}, {"amount", 150}};
  EXPECT_EQ(decided(p, run, edit), agent::kInvalidDecision);
  EXPECT_EQ(refunds(p), 0);
  const Json waiting = p.status(run)["approvals"][0];
  EXPECT_EQ(waiting["have"], 1);
  EXPECT_EQ(waiting["need"], 2);
  EXPECT_EQ(waiting["rule"], "large");
  p.stop_workers();
  p.start_workers();
  EXPECT_EQ(decided(p, run, by(approval, "bob")), "accepted");
  p.finish(run);
  EXPECT_EQ(refunds(p), 1);
  EXPECT_EQ(events(p, run.workflow_id(), "approval.decided")[0]["decided_by"], "ann, bob");
}

TEST(Policy, OneNoIsEnough) {
  Platform p(script({refund(180)}));
  p.deploy("no", "  approvals: {rules: [{tool: refund, action: ask, quorum: 3}]}");
  auto run = p.start("no", "go");
  const Json approval = p.wait_for_approval(run);
  EXPECT_EQ(decided(p, run, by(approval, "ann")), "accepted");
  EXPECT_EQ(decided(p, run, by(approval, "bob", "reject")), "accepted");
  EXPECT_EQ(p.finish(run).output, "Then: Error: rejected by bob");
  EXPECT_EQ(refunds(p), 0);
}

// Nobody knows who has started a run that was started at the engine.
TEST(Policy, FourEyesOfAnUnknownStarterAreTwoPeople) {
  Platform p(script({refund(180)}));
  p.deploy("eyes", "  approvals: {rules: [{tool: refund, action: ask, four_eyes: true}]}");
  auto run = p.start("eyes", "go");
  const Json approval = p.wait_for_approval(run);
  EXPECT_EQ(decided(p, run, by(approval, "ann")), "accepted");
  EXPECT_EQ(p.status(run)["approvals"][0]["need"], 2);
  EXPECT_EQ(decided(p, run, by(approval, "bob")), "accepted");
  p.finish(run);
  EXPECT_EQ(refunds(p), 1);
}

TEST(Policy, AQuestionIsForSomeAndLaterForOthers) {
  Platform p(script({refund(180)}));
  p.deploy("chain",
           "  approvals: {rules: [{tool: refund, action: ask, who: [cashier], expires_after: 30d, "
           "escalate: [{after: 1h, to: [admin]}, {after: 2d, to: ['user:zoe']}]}]}");
  auto run = p.start("chain", "go");
  const Json approval = p.wait_for_approval(run);
  Json boss = by(approval, "boss");
  boss["roles"] = {"approver", "admin"};
  EXPECT_EQ(decided(p, run, boss), agent::kDecisionNotAllowed);
  ASSERT_TRUE(sleeps(run));
  p.skip(minutes(61));
  EXPECT_TRUE(eventually([&] { return p.count_events(run.workflow_id(), "approval.escalated") == 1; }));
  EXPECT_EQ(decided(p, run, by(approval, "zoe")), agent::kDecisionNotAllowed);
  ASSERT_TRUE(sleeps(run));
  p.stop_workers();
  p.skip(hours(47));
  p.start_workers();
  EXPECT_TRUE(eventually([&] { return p.count_events(run.workflow_id(), "approval.escalated") == 2; }));
  EXPECT_EQ(decided(p, run, by(approval, "zoe")), "accepted");
  p.finish(run);
  EXPECT_EQ(refunds(p), 1);
}

TEST(Policy, SilenceEndsTheRunWhereItSaysSo) {
  Platform p(script({refund(180)}));
  p.deploy("silent",
           "  approvals: {rules: [{tool: refund, action: ask, expires_after: 365d, on_expiry: fail}]}");
  auto run = p.start("silent", "go");
  (void)p.wait_for_approval(run);
  ASSERT_TRUE(sleeps(run));
  p.skip(hours(24 * 366));
  auto result = run.result<agent::RunResult>(std::chrono::seconds(20));
  ASSERT_TRUE(result.has_value() && !result->ok());
  EXPECT_THAT(result->error().to_string(), HasSubstr("nobody approved `refund` in time"));
  EXPECT_EQ(refunds(p), 0);
}

constexpr const char* kAfterACheck =
    "  approvals: {language: cel, rules: [{name: unchecked, tool: note, action: deny, reason: no check "
    "within "
    "the hour, when: '!calls(\"lookup\").exists(c, c.ok && now - c.time < duration(\"1h\"))'}]}";

TEST(Policy, ARuleLooksAtWhatTheRunHasDone) {
  Platform p(script({kNote, kLookup, kNote}));
  p.deploy("check", kAfterACheck);
  auto run = p.start("check", "go");
  EXPECT_THAT(p.finish(run).output, testing::Not(HasSubstr("denied")));
  EXPECT_EQ(p.receiver->effects(), 1);
  const auto ruled = events(p, run.workflow_id(), "policy.ruled");
  ASSERT_EQ(ruled.size(), 1u);
  EXPECT_EQ(ruled[0]["rule"], "unchecked");
  EXPECT_EQ(ruled[0]["action"], "deny");
}

// Behind a hundred turns the run has continued as new, and other workers go on with it.
TEST(Policy, WhatTheRunHasDoneIsKnownAfterContinueAsNewAndByOtherWorkers) {
  std::vector<std::string> turns = {kLookup};
  for (int i = 0; i < 101; ++i) turns.push_back(refund(1));
  turns.push_back(kNote);
  turns.push_back(refund(180));
  turns.push_back(kNote);
  Platform p(script(turns));
  p.deploy("long", std::string(kAfterACheck).substr(0, std::string(kAfterACheck).size() - 2) +
                       ", {tool: refund, when: args.amount > 100, action: ask}]}\n"
                       "  limits: {max_iterations: 200}");
  auto run = p.start("long", "go");
  const Json approval = p.wait_for_approval(run);
  EXPECT_EQ(p.receiver->effects(), 1);  // allowed by the first call of all
  p.stop_workers();
  p.skip(minutes(61));
  p.start_workers();
  const WorkflowHandle current = p.client().workflow(run.workflow_id());  // it has continued as new
  EXPECT_EQ(decided(p, current, by(approval, "ann")), "accepted");
  EXPECT_EQ(p.finish(run).output, "Then: Error: denied: no check within the hour");
  EXPECT_EQ(p.receiver->effects(), 1);
}

TEST(Policy, CallsOfOneTurnCountForEachOther) {
  Platform p(script({refund(300) + ", " + refund(300)}));
  p.deploy(
      "sum",
      "  approvals: {language: cel, rules: [{tool: refund, action: deny, reason: enough for today, when: "
      "'calls(\"refund\").filter(c, c.time >= today && c.state != \"failed\").map(c, "
      "c.args.amount).sum() + args.amount > 500'}]}");
  auto run = p.start("sum", "go");
  EXPECT_THAT(p.finish(run).output, HasSubstr("denied: enough for today"));
  EXPECT_EQ(refunds(p), 1);
}

TEST(Policy, WhatIsOnlyTriedIsToldAndNotDone) {
  Platform p(script({refund(180) + ", " + kNote}));
  p.deploy("tried",
           "  approvals: {language: cel, rules: [{name: strict, tool: refund, mode: shadow, action: deny, "
           "when: args.amount > 100}, {name: first-check, tool: note, mode: shadow, action: ask, when: "
           "'size(calls(\"lookup\")) == 0'}]}");
  auto run = p.start("tried", "go");
  p.finish(run);
  EXPECT_EQ(refunds(p), 1);
  EXPECT_EQ(p.receiver->effects(), 1);
  Json shadow;
  for (const Json& step : events(p, run.workflow_id(), "step.completed")) {
    for (const Json& call : step.value("tool_calls", Json::array())) {
      if (call.contains("shadow")) shadow = call["shadow"];
    }
  }
  EXPECT_EQ(shadow["action"], "deny");
  EXPECT_EQ(shadow["rule"], "strict");
  const auto ruled = events(p, run.workflow_id(), "policy.ruled");
  ASSERT_EQ(ruled.size(), 1u);
  EXPECT_EQ(ruled[0]["action"], "allow");
  EXPECT_EQ(ruled[0]["shadow"]["rule"], "first-check");
}

TEST(Policy, APersonAllowsTheRestOfTheRun) {
  Platform p(script({refund(180), refund(190), refund(900)}));
  p.deploy("rest",
           "  approvals: {language: cel, rules: [{name: huge, tool: refund, when: args.amount > 500, action: "
           "ask}, {name: large, tool: refund, when: args.amount > 100, action: ask}]}");
  auto run = p.start("rest", "go");
  const Json first = p.wait_for_approval(run);
  Json wrong = by(first, "ann");
  wrong["scope"] = "for ever";
  EXPECT_EQ(decided(p, run, wrong), agent::kInvalidDecision);
  Json rest = by(first, "ann");
  rest["scope"] = "run";
  EXPECT_EQ(decided(p, run, rest), "accepted");
  const Json huge = p.wait_for_approval(run, first["approval"].get<std::string>());
  EXPECT_EQ(huge["arguments"]["amount"], 900);
  EXPECT_EQ(refunds(p), 2);
  EXPECT_EQ(p.status(run)["allowed"][0]["rule"], "large");
  EXPECT_EQ(decided(p, run, by(huge, "ann", "reject")), "accepted");
  p.finish(run);
  const auto applied = events(p, run.workflow_id(), "approval.applied");
  ASSERT_EQ(applied.size(), 1u);
  EXPECT_EQ(applied[0]["allowed_by"], "ann");
  EXPECT_EQ(applied[0]["approval"], first["approval"]);
}

}  // namespace
}  // namespace holdfast::e2e
