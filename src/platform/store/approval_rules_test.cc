// Who may decide what, row by row; the contract tests prove that a store follows.

#include "platform/approval_rules.h"

#include <gmock/gmock.h>

#include "base/sha256.h"
#include "fixture/manual_clock.h"

namespace holdfast::platform::rules {
namespace {

using ::testing::HasSubstr;

class ApprovalRules : public ::testing::Test {
 protected:
  ApprovalRules() {
    approval_.id = "ap";
    approval_.run = "r";
    approval_.tool = "refund";
    approval_.arguments = "{}";
    approval_.arguments_sha256 = sha256_hex("{}");
    attempt_.update_id = "u";
    attempt_.approval = "ap";
    attempt_.decided_by = "ann";
    attempt_.comment = "fine";
  }

  fixture::ManualClock clock_;
  Approval approval_;
  DecisionAttempt attempt_;
};

TEST_F(ApprovalRules, AQuestionIsAskedOnce) {
  Approval wanted = approval_;
  wanted.arguments_sha256.clear();
  wanted.status = ApprovalStatus::kApproved;  // nobody approves by asking
  const Result<Change<Approval>> asked = request_approval(wanted, std::nullopt, clock_.now());
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->write, Write::kInsert);
  EXPECT_EQ(asked->row.status, ApprovalStatus::kPending);
  EXPECT_EQ(asked->row.arguments_sha256, approval_.arguments_sha256);
  EXPECT_EQ(asked->row.requested_at, clock_.now());

  EXPECT_EQ(request_approval(wanted, asked->row, clock_.now())->write, Write::kNothing);
  wanted.arguments = "{ }";
  EXPECT_EQ(request_approval(wanted, asked->row, clock_.now()).error().code(), Code::kAlreadyExists);
}

TEST_F(ApprovalRules, AnAttemptIsKeptWhileTheQuestionWaits) {
  const Result<Admission> admission = admit_decision(attempt_, approval_, std::nullopt, clock_.now());
  ASSERT_TRUE(admission && admission->attempt);
  EXPECT_EQ(admission->attempt->at, clock_.now());
  EXPECT_FALSE(admission->audit);
  EXPECT_TRUE(admission->refused.ok());
}

TEST_F(ApprovalRules, ARefusedAttemptIsAuditedAndNotKept) {
  const auto refused = [&](const Approval& approval, std::string_view why) {
    const Result<Admission> admission = admit_decision(attempt_, approval, std::nullopt, clock_.now());
    ASSERT_TRUE(admission && admission->audit);
    EXPECT_FALSE(admission->attempt);
    EXPECT_EQ(admission->refused.code(), Code::kFailedPrecondition);
    EXPECT_THAT(admission->refused.message(), HasSubstr(why));
    EXPECT_EQ(admission->audit->action, kApprovalLost);
    EXPECT_EQ(admission->audit->actor, "ann");
    EXPECT_THAT(admission->audit->detail, HasSubstr(why));
  };
  Approval expired = approval_;
  expired.expires_at = clock_.now();
  refused(expired, "has expired");
  Approval decided = approval_;
  decided.status = ApprovalStatus::kRejected;
  decided.decided_by = "bob";
  refused(decided, "already rejected by bob");
  attempt_.arguments_sha256 = sha256_hex("other");
  refused(approval_, "about other arguments");
}

TEST_F(ApprovalRules, TheSameAttemptAgainIsNoOther) {
  const StoredDecision stored{attempt_, DecisionAnswer::kLost};
  const Result<Admission> again = admit_decision(attempt_, approval_, stored, clock_.now());
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->attempt || again->audit);
  attempt_.decision = ApprovalStatus::kRejected;
  EXPECT_EQ(admit_decision(attempt_, approval_, stored, clock_.now()).error().code(), Code::kAlreadyExists);
}

TEST_F(ApprovalRules, TheWinnerDecidesAndTheLoserIsAudited) {
  attempt_.at = clock_.now() - std::chrono::seconds(3);
  const std::optional<Finish> won = finish_decision({attempt_}, approval_, true, "", clock_.now());
  ASSERT_TRUE(won);
  EXPECT_EQ(won->answer, DecisionAnswer::kWon);
  EXPECT_EQ(won->approval.write, Write::kUpdate);
  EXPECT_EQ(won->approval.row.status, ApprovalStatus::kApproved);
  EXPECT_EQ(won->approval.row.decided_at, attempt_.at);
  EXPECT_EQ(won->approval.row.comment, "fine");
  EXPECT_EQ(won->audit.detail, R"({"update_id":"u","decision":"approved"})");

  const std::optional<Finish> lost =
      finish_decision({attempt_}, won->approval.row, false, "bob was first", clock_.now());
  EXPECT_EQ(lost->answer, DecisionAnswer::kLost);
  EXPECT_EQ(lost->approval.write, Write::kNothing);
  EXPECT_EQ(lost->audit.detail, R"({"update_id":"u","decision":"approved","why":"bob was first"})");

  EXPECT_FALSE(finish_decision({attempt_, DecisionAnswer::kWon}, approval_, true, "", clock_.now()));
}

TEST_F(ApprovalRules, AnOutcomeStands) {
  Approval outcome;
  outcome.id = "ap";
  outcome.status = ApprovalStatus::kExpired;
  const Result<Change<Approval>> settled = settle_approval(approval_, outcome, clock_.now());
  ASSERT_TRUE(settled);
  EXPECT_EQ(settled->write, Write::kUpdate);
  EXPECT_EQ(settled->row.decided_at, clock_.now());
  EXPECT_EQ(settled->row.arguments, "{}");
  EXPECT_EQ(settle_approval(settled->row, outcome, clock_.now())->write, Write::kNothing);
  outcome.status = ApprovalStatus::kRejected;
  EXPECT_EQ(settle_approval(settled->row, outcome, clock_.now()).error().code(), Code::kFailedPrecondition);
  // A person's win that comes later changes the attempt only.
  const std::optional<Finish> late = finish_decision({attempt_}, settled->row, true, "", clock_.now());
  EXPECT_EQ(late->approval.write, Write::kNothing);
}

TEST_F(ApprovalRules, WhatMakesNoSenseIsRefused) {
  approval_.arguments_sha256 = sha256_hex("other");
  EXPECT_EQ(check_approval(approval_).code(), Code::kInvalidArgument);
  EXPECT_TRUE(check_attempt(attempt_).ok());
  attempt_.edited_arguments = "{}";
  EXPECT_EQ(check_attempt(attempt_).code(), Code::kInvalidArgument);  // an approval edits nothing
  attempt_.decision = ApprovalStatus::kEdited;
  EXPECT_TRUE(check_attempt(attempt_).ok());
  attempt_.decision = ApprovalStatus::kExpired;
  EXPECT_EQ(check_attempt(attempt_).code(), Code::kInvalidArgument);
  EXPECT_EQ(check_outcome(Approval()).code(), Code::kInvalidArgument);
}

TEST(ApprovalStatus, HasAWordForEachStatus) {
  for (const char* word : {"pending", "approved", "rejected", "expired", "edited"}) {
    ASSERT_TRUE(approval_status(word)) << word;
    EXPECT_EQ(to_string(*approval_status(word)), word);
  }
  EXPECT_FALSE(approval_status("maybe"));
}

}  // namespace
}  // namespace holdfast::platform::rules
