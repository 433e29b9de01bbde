// Goal: of all that is said to a question, what counts is the first word of one who may say it, in time,
// about that very question, in its form; everybody else is told why not.

#include "agent/pending.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "holdfast/failure.h"
#include "protocol/names.h"

namespace holdfast::agent {
namespace {

using namespace protocol;
using ::testing::HasSubstr;

struct Asked {
  Asked() {
    pending->request.id = "q-1";
    pending->request.arguments_sha256 = "abc";
    pending->request.expires_at_ms = 1000;
    HumanQuestion question;
    question.text = "How much?";
    question.form = {{"type", "object"},
                     {"properties", {{"amount", {{"type", "integer"}}}}},
                     {"required", Json::array({"amount"})}};
    pending->request.question = question;
    open["q-1"] = pending;
  }
  // The type of the refusal and its text; both empty: it was let in.
  std::pair<std::string, std::string> refusal(const Decision& decision, std::int64_t now_ms = 10) const {
    try {
      check_decision(open, decision, "", now_ms);
      check_answer(*pending, decision);
      return {};
    } catch (const ApplicationFailure& refused) {
      return {refused.type(), refused.message()};
    }
  }
  PendingPtr pending = std::make_shared<Pending>();
  OpenQuestions open;
};

Decision said(DecisionKind kind, Json answer = {}) {
  Decision out;
  out.approval = "q-1";
  out.decision = kind;
  out.edited_arguments = std::move(answer);
  out.decided_by = "ada";
  return out;
}

const Json kAnswer = {{"amount", 7}};

TEST(Pending, TheFirstAnswerInTimeCounts) {
  Asked asked;
  EXPECT_EQ(asked.refusal(said(DecisionKind::kAnswer, kAnswer)).first, "");
  EXPECT_EQ(asked.refusal(said(DecisionKind::kAnswer, kAnswer), 1000).first, kApprovalExpired);
  const Json told = take_decision(*asked.pending, said(DecisionKind::kAnswer, kAnswer), 20);
  EXPECT_EQ(told["decision"], "answer");
  const auto late = asked.refusal(said(DecisionKind::kReject));
  EXPECT_EQ(late.first, kApprovalDecided);
  EXPECT_THAT(late.second, HasSubstr("by ada"));
  EXPECT_EQ(outcome_of(*asked.pending), ApprovalOutcome::kAnswered);
  EXPECT_EQ(said_to(*asked.pending, HumanQuestion()), Json({{"answer", kAnswer}, {"answered_by", "ada"}}));
  const SettleInput settled = settlement_of(*asked.pending, ApprovalOutcome::kAnswered, 500);
  EXPECT_EQ(settled.decided_at_ms, 20);
  EXPECT_EQ(settled.edited_arguments, R"({"amount":7})");
}

TEST(Pending, WhatIsNoAnswerIsRefused) {
  Asked asked;
  EXPECT_EQ(asked.refusal(said(DecisionKind::kAnswer, {{"amount", "7"}})).first, kInvalidDecision);
  EXPECT_EQ(asked.refusal(said(DecisionKind::kApprove)).first, kInvalidDecision);
  Decision other = said(DecisionKind::kAnswer, kAnswer);
  other.approval = "q-2";
  EXPECT_EQ(asked.refusal(other).first, kApprovalNotFound);
  other = said(DecisionKind::kAnswer, kAnswer);
  other.arguments_sha256 = "of another";
  EXPECT_EQ(asked.refusal(other).first, kApprovalMismatch);
  EXPECT_EQ(asked.refusal(said(DecisionKind::kReject)).first, "");
}

// A rule that let the question be asked: what holds for the answer is what can be held to.
TEST(Pending, AnAnswerHasTheTermsThatCanBeHeldTo) {
  DecisionTerms rule;
  rule.quorum = 3;
  rule.on_expiry = kExpiryFails;
  EXPECT_FALSE(terms_of_answer(std::nullopt));
  EXPECT_FALSE(terms_of_answer(rule));
  rule.four_eyes = true;
  EXPECT_FALSE(terms_of_answer(rule)) << "nobody knows who has started the run";
  rule.requester = "ann";
  rule.who = {"cashier"};
  Escalation later;
  later.after_ms = 5;
  later.to = {"user:zoe"};
  rule.escalate = {later};
  Asked asked;
  asked.pending->request.terms = terms_of_answer(rule);
  ASSERT_TRUE(asked.pending->request.terms);
  EXPECT_EQ(asked.pending->request.terms->quorum, 1);
  EXPECT_EQ(asked.pending->request.terms->on_expiry, "");
  Decision answer = said(DecisionKind::kAnswer, kAnswer);
  EXPECT_THAT(asked.refusal(answer).second, HasSubstr("ada may not decide this: it is for cashier"));
  answer.roles = {"cashier"};
  EXPECT_EQ(asked.refusal(answer).first, "");
  answer.decided_by = "ann";
  EXPECT_THAT(asked.refusal(answer).second, HasSubstr("somebody else has to answer its questions"));
  answer.decided_by = "zoe";
  answer.roles.clear();
  EXPECT_EQ(asked.refusal(answer).first, kDecisionNotAllowed);
  asked.pending->level = 1;
  EXPECT_EQ(asked.refusal(answer).first, "");
  // The first one is the answer.
  (void)take_decision(*asked.pending, answer, 20);
  EXPECT_TRUE(asked.pending->decision);
}

TEST(Pending, NobodyIsAnAnswerWhereOneWasSaid) {
  Asked asked;
  HumanQuestion question;
  EXPECT_TRUE(said_to(*asked.pending, question).contains("error"));
  question.fallback = kAnswer;
  EXPECT_EQ(said_to(*asked.pending, question)["answer"], kAnswer);
  EXPECT_EQ(outcome_of(*asked.pending), ApprovalOutcome::kExpired);
}

}  // namespace
}  // namespace holdfast::agent
