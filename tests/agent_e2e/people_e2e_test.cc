// Goal: an agent asks a person, and what is answered reaches the model, once, in time and in the form that
// was asked for, whatever happens meanwhile. Method: whole runs that ask, with answers against each other,
// against the clock, and over the death of the workers.

#include <atomic>
#include <cstdlib>
#include <thread>

#include <gmock/gmock.h>

#include "harness.h"

namespace holdfast::e2e {
namespace {

using ::testing::HasSubstr;

constexpr const char* kScript = R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: ask, arguments: {question: "Refund order 7?"}}]
  - when: {turn: 1}
    text: "Then: {{last}}"
)";

std::string asking(const std::string& more) {
  return "    - {name: ask, type: human, human: {form: {properties: {refund: {type: boolean}, note: {type: "
         "string, maxLength: 20}}, required: [refund]}" +
         more + "}}";
}

Json answering(Json asked, const Json& answer, const std::string& by = "ada") {
  asked["decision"] = "answer";
  asked["edited_arguments"] = answer;
  asked["decided_by"] = by;
  return asked;
}

std::string refusal_of(const Result<Outcome<Json>>& outcome) {
  if (!outcome) return outcome.error().to_string();
  if (outcome->ok()) return "taken";
  const auto* failure = find_failure<ApplicationFailure>(outcome->error());
  return failure ? failure->type() + ": " + failure->message() : outcome->error().to_string();
}

TEST(People, AnAnswerGoesBackToTheModel) {
  Platform p(kScript);
  p.deploy("ask", "", asking(""));
  auto run = p.start("ask", "go");
  Json asked = p.wait_for_approval(run);
  ASSERT_TRUE(asked.is_object());
  EXPECT_EQ(asked["reason"], "Refund order 7?");
  auto row = p.store().approval(asked["approval"].get<std::string>());
  ASSERT_TRUE(row.has_value()) << row.error().to_string();
  EXPECT_THAT(row->question, HasSubstr("\"refund\""));
  EXPECT_EQ(p.status(run)["phase"], "approval");
  auto taken = p.decide(run, answering(asked, {{"refund", true}, {"note", "he is right"}}));
  ASSERT_EQ(refusal_of(taken), "taken");
  EXPECT_EQ(p.finish(run).output,
            R"(Then: {"answer":{"note":"he is right","refund":true},"answered_by":"ada"})");
  row = p.store().approval(asked["approval"].get<std::string>());
  EXPECT_EQ(row->status, platform::ApprovalStatus::kAnswered);
  EXPECT_EQ(row->decided_by, "ada");
  EXPECT_EQ(Json::parse(row->edited_arguments), Json({{"refund", true}, {"note", "he is right"}}));
  EXPECT_EQ(p.count_events(run.workflow_id(), "approval.decided"), 1);
  EXPECT_EQ(p.count_events(run.workflow_id(), "step.completed"), 3);
}

TEST(People, WhatIsNoAnswerIsRefusedAndAsksOn) {
  Platform p(kScript);
  p.deploy("form", "", asking(""));
  auto run = p.start("form", "go");
  Json asked = p.wait_for_approval(run);
  const auto refused = [&](const Json& decision) { return refusal_of(p.decide(run, decision)); };
  EXPECT_THAT(refused(answering(asked, {{"refund", "yes"}})), HasSubstr("InvalidDecision: `refund` must be"));
  EXPECT_THAT(refused(answering(asked, Json::object())), HasSubstr("InvalidDecision: `refund`"));
  EXPECT_THAT(refused(answering(asked, {{"refund", true}, {"more", 1}})), HasSubstr("InvalidDecision"));
  EXPECT_THAT(refused(answering(asked, {{"refund", true}, {"note", std::string(21, 'x')}})),
              HasSubstr("InvalidDecision"));
  EXPECT_THAT(refused(answering(asked, "yes")), HasSubstr("InvalidDecision"));
  Json approve = asked;
  approve["decision"] = "approve";
  EXPECT_THAT(refused(approve), HasSubstr("this is a question"));
  EXPECT_EQ(refused(answering(asked, {{"refund", false}})), "taken");
  EXPECT_THAT(p.finish(run).output, HasSubstr(R"("refund":false)"));
}

TEST(People, WhoDeclinesSaysWhy) {
  Platform p(kScript);
  p.deploy("decline", "", asking(""));
  auto run = p.start("decline", "go");
  Json asked = p.wait_for_approval(run);
  asked["decision"] = "reject";
  asked["decided_by"] = "ada";
  asked["comment"] = "ask the shop";
  ASSERT_EQ(refusal_of(p.decide(run, asked)), "taken");
  EXPECT_THAT(p.finish(run).output, HasSubstr(R"({"by":"ada","error":"declined","reason":"ask the shop"})"));
}

TEST(People, OnlyAQuestionTakesAnAnswer) {
  Platform p(R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: refund, arguments: {order_id: 7, amount: 180}}]
  - when: {turn: 1}
    text: "Then: {{last}}"
)");
  p.deploy("noquestion");
  auto run = p.start("noquestion", "go");
  Json approval = p.wait_for_approval(run);
  EXPECT_THAT(refusal_of(p.decide(run, answering(approval, Json::object()))),
              HasSubstr("nobody asks a question here"));
  approval["decision"] = "reject";
  ASSERT_EQ(refusal_of(p.decide(run, approval)), "taken");
  p.finish(run);
}

TEST(People, OneOfManyAnswersWins) {
  Platform p(kScript);
  p.deploy("many", "", asking(""));
  auto run = p.start("many", "go");
  Json asked = p.wait_for_approval(run);
  std::atomic<int> won = 0;
  std::atomic<int> told = 0;
  std::vector<std::thread> people;
  for (int i = 0; i < 6; ++i) {
    people.emplace_back([&, i] {
      const std::string said =
          refusal_of(p.decide(run, answering(asked, {{"refund", i % 2 == 0}}, "p" + std::to_string(i))));
      if (said == "taken") ++won;
      if (said.find("decided already (answer by p") != std::string::npos ||
          said.find("it may be decided already") != std::string::npos)
        ++told;
    });
  }
  for (std::thread& person : people) person.join();
  EXPECT_EQ(won, 1);
  EXPECT_GE(told, 1);
  p.finish(run);
  EXPECT_EQ(p.count_events(run.workflow_id(), "approval.decided"), 1);
}

TEST(People, NobodyAnsweredIsSaid) {
  Platform p(kScript);
  p.deploy("nobody", "", asking(", deadline: 300ms"));
  auto run = p.start("nobody", "go");
  Json asked = p.wait_for_approval(run);
  EXPECT_THAT(p.finish(run).output, HasSubstr(R"("error":"nobody_answered")"));
  EXPECT_EQ(p.store().approval(asked["approval"].get<std::string>())->status,
            platform::ApprovalStatus::kExpired);
  EXPECT_NE(refusal_of(p.decide(run, answering(asked, {{"refund", true}}))), "taken");
}

TEST(People, TheDefaultIsTakenWhenNobodyAnswered) {
  Platform p(kScript);
  p.deploy("fallback", "", asking(", deadline: 300ms, default: {refund: false}"));
  auto run = p.start("fallback", "go");
  EXPECT_THAT(p.finish(run).output, HasSubstr(R"("answer":{"refund":false},"default":true)"));
}

// No worker needs to be there while people think.
TEST(People, AYearOutlivesTheWorkers) {
  if (std::getenv("HOLDFAST_E2E_ENGINE")) GTEST_SKIP() << "the clock of a Temporal server does not jump";
  Platform p(kScript);
  p.deploy("year", "", asking(", deadline: 366d"));
  auto run = p.start("year", "go");
  Json asked = p.wait_for_approval(run);
  ASSERT_TRUE(sleeps(run));
  p.stop_workers();
  p.skip(std::chrono::days(364));
  p.start_workers();
  EXPECT_EQ(p.status(run)["phase"], "approval");
  EXPECT_THAT(refusal_of(p.decide(run, answering(asked, {{"refund", "no"}}))), HasSubstr("InvalidDecision"));
  ASSERT_EQ(refusal_of(p.decide(run, answering(asked, {{"refund", true}}))), "taken");
  EXPECT_THAT(p.finish(run).output, HasSubstr(R"("refund":true)"));
}

TEST(People, CancelEndsTheQuestion) {
  Platform p(kScript);
  p.deploy("cancel", "", asking(""));
  auto run = p.start("cancel", "go");
  Json asked = p.wait_for_approval(run);
  ASSERT_TRUE(run.cancel("changed my mind").ok());
  auto result = run.result<agent::RunResult>(std::chrono::seconds(20));
  p.record(run);
  ASSERT_TRUE(result.has_value()) << result.error().to_string();
  EXPECT_TRUE(!result->ok() && is_canceled(result->error()));
  EXPECT_EQ(p.store().approval(asked["approval"].get<std::string>())->status,
            platform::ApprovalStatus::kExpired);
}

// A rule about all tools lets the question be asked by two, and then its answer is for those whom it lets in,
// and for others after a while. Nothing counts answers, and nothing says so.
TEST(People, ARuleSaysWhoAnswersToo) {
  if (std::getenv("HOLDFAST_E2E_ENGINE")) GTEST_SKIP() << "the clock of a Temporal server does not jump";
  Platform p(kScript);
  p.deploy(
      "ruled",
      "  approvals: {rules: [{name: all, tool: '*', action: ask, who: [cashier], quorum: 2, four_eyes: true, "
      "escalate: [{after: 1h, to: ['user:zoe']}], on_expiry: fail}]}",
      asking(", deadline: 3d"));
  auto run = p.start("ruled", "go");
  Json may = p.wait_for_approval(run);
  may["decision"] = "approve";
  may["roles"] = {"cashier"};
  for (const char* name : {"ann", "bob"}) {
    may["decided_by"] = name;
    ASSERT_EQ(refusal_of(p.decide(run, may)), "taken");
  }
  const Json asked = p.wait_for_approval(run, may["approval"]);
  const Json shown = p.status(run)["approvals"][0];
  EXPECT_EQ(shown["rule"], "all");
  EXPECT_EQ(shown["escalated"], 0);
  EXPECT_FALSE(shown.contains("need") || shown.contains("have")) << shown.dump();
  EXPECT_THAT(refusal_of(p.decide(run, answering(asked, {{"refund", true}}, "zoe"))),
              HasSubstr("DecisionNotAllowed: zoe may not decide this: it is for cashier"));
  ASSERT_TRUE(sleeps(run));
  p.skip(std::chrono::minutes(61));
  EXPECT_TRUE(eventually([&] { return p.count_events(run.workflow_id(), "approval.escalated") == 1; }));
  EXPECT_EQ(p.status(run)["approvals"][0]["escalated"], 1);
  p.stop_workers();
  p.start_workers();
  ASSERT_EQ(refusal_of(p.decide(run, answering(asked, {{"refund", true}}, "zoe"))), "taken");
  EXPECT_THAT(p.finish(run).output, HasSubstr(R"("answered_by":"zoe")"));
}

// Silence is what the question says, not what the rule says.
TEST(People, ARulesSilenceIsNotTheQuestions) {
  Platform p(kScript);
  p.deploy("quiet", "  approvals: {rules: [{tool: '*', action: ask, on_expiry: fail}]}",
           asking(", deadline: 300ms, default: {refund: false}"));
  auto run = p.start("quiet", "go");
  Json may = p.wait_for_approval(run);
  may["decision"] = "approve";
  may["decided_by"] = "ann";
  ASSERT_EQ(refusal_of(p.decide(run, may)), "taken");
  EXPECT_THAT(p.finish(run).output, HasSubstr(R"("default":true)"));
}

// A turn that asks at once twice, in a run that goes on as new between its turns.
TEST(People, QuestionsOfOneTurnAreAnsweredEachForItself) {
  Platform p(R"(
replies:
  - when: {turn: 0}
    tool_calls: [{name: ask, arguments: {question: "One?"}}, {name: ask, arguments: {question: "Two?"}}]
  - when: {turn: 1}
    text: "Done."
)");
  p.deploy("two", "", asking(""));
  auto run = p.start("two", "go");
  Json first = p.wait_for_approval(run);
  ASSERT_EQ(refusal_of(p.decide(run, answering(first, {{"refund", true}}))), "taken");
  Json second = p.wait_for_approval(run, first["approval"]);
  EXPECT_NE(first["approval"], second["approval"]);
  ASSERT_EQ(refusal_of(p.decide(run, answering(second, {{"refund", false}}))), "taken");
  EXPECT_EQ(p.finish(run).output, "Done.");
}

}  // namespace
}  // namespace holdfast::e2e
