#pragma once

// The contract of approvals (platform/contract.h): a decision is taken once, is about what was asked, and
// every attempt is accounted for.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/sha256.h"
#include "platform/contract.h"

namespace holdfast::platform {

inline Approval refund_approval() {
  Approval approval;
  approval.id = "ap";
  approval.run = "r";
  approval.agent = "refund";
  approval.tool = "refund";
  approval.arguments = R"({"amount":120})";
  approval.reason = "over the limit";
  return approval;
}

inline DecisionAttempt decision(std::string update_id, std::string by, ApprovalStatus what) {
  DecisionAttempt attempt;
  attempt.update_id = std::move(update_id);
  attempt.approval = "ap";
  attempt.decision = what;
  attempt.decided_by = std::move(by);
  return attempt;
}

TEST_P(StoreContract, ADecisionIsStoredBeforeItIsSentAndTheLoserIsAudited) {
  ASSERT_TRUE(store_->request_approval(refund_approval()));
  ASSERT_TRUE(store_->request_approval(refund_approval()));  // an activity retry
  ASSERT_TRUE(store_->begin_decision(decision("u1", "ann", ApprovalStatus::kApproved)));
  ASSERT_TRUE(store_->begin_decision(decision("u1", "ann", ApprovalStatus::kApproved)));
  ASSERT_TRUE(store_->begin_decision(decision("u2", "bob", ApprovalStatus::kRejected)));
  EXPECT_EQ(store_->begin_decision(decision("u1", "ann", ApprovalStatus::kRejected)).error().code(),
            Code::kAlreadyExists);
  close();
  open();
  Result<std::vector<DecisionAttempt>> waiting = store_->unanswered_decisions();
  ASSERT_FALSE(waiting->empty());
  EXPECT_TRUE(store_->unanswered_decisions(waiting->back().update_id)->empty());
  ASSERT_EQ(waiting->size(), 2u);
  EXPECT_EQ(waiting->front().update_id, "u1");
  EXPECT_EQ(store_->finish_decision("u1", true, "")->status, ApprovalStatus::kApproved);
  EXPECT_EQ(store_->finish_decision("u2", false, "ann was first")->decided_by, "ann");
  EXPECT_TRUE(store_->unanswered_decisions()->empty());
  EXPECT_EQ(store_->begin_decision(decision("u3", "eve", ApprovalStatus::kApproved)).error().code(),
            Code::kFailedPrecondition);

  Result<std::vector<AuditRow>> rows = store_->audit_rows("ap", 10);
  ASSERT_EQ(rows->size(), 3u);  // newest first: eve refused, bob lost, ann decided
  EXPECT_EQ((*rows)[0].actor, "eve");
  EXPECT_EQ((*rows)[0].action, "approval.lost");
  EXPECT_EQ((*rows)[1].actor, "bob");
  EXPECT_EQ((*rows)[2].action, "approval.decided");
}

// One of several approvals that are needed is answered, and the question stays open.
TEST_P(StoreContract, ADecisionThatIsCountedLeavesTheQuestionOpen) {
  ASSERT_TRUE(store_->request_approval(refund_approval()));
  ASSERT_TRUE(store_->begin_decision(decision("u1", "ann", ApprovalStatus::kApproved)));
  const auto counted = store_->finish_decision("u1", true, "1 of 2 have approved");
  ASSERT_TRUE(counted) << counted.error().message();
  EXPECT_EQ(counted->status, ApprovalStatus::kPending);
  close();
  open();
  EXPECT_TRUE(store_->unanswered_decisions()->empty());
  EXPECT_EQ(store_->approval("ap")->status, ApprovalStatus::kPending);
  ASSERT_TRUE(store_->begin_decision(decision("u2", "bob", ApprovalStatus::kApproved)));
  EXPECT_EQ(store_->finish_decision("u2", true, "")->status, ApprovalStatus::kApproved);
  Result<std::vector<AuditRow>> rows = store_->audit_rows("ap", 10);
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[1].actor, "ann");
  EXPECT_EQ((*rows)[1].action, "approval.counted");
  EXPECT_EQ((*rows)[0].action, "approval.decided");
}

TEST_P(StoreContract, EachKindOfDecisionIsReadAgain) {
  for (const ApprovalStatus kind :
       {ApprovalStatus::kApproved, ApprovalStatus::kRejected, ApprovalStatus::kEdited}) {
    const std::string id = "of-" + std::string(to_string(kind));
    Approval wanted = refund_approval();
    wanted.id = id;
    ASSERT_TRUE(store_->request_approval(wanted));
    DecisionAttempt attempt = decision("u-" + id, "ann", kind);
    attempt.approval = id;
    if (kind == ApprovalStatus::kEdited) attempt.edited_arguments = "{}";
    ASSERT_TRUE(store_->begin_decision(attempt)) << id;
    const auto waiting = store_->unanswered_decisions("");
    ASSERT_EQ(waiting->size(), 1u) << id;
    EXPECT_EQ(waiting->front().decision, kind);
    const auto finished = store_->finish_decision("u-" + id, true, "");
    ASSERT_TRUE(finished) << finished.error().message();
    EXPECT_EQ(finished->status, kind);
  }
}

TEST_P(StoreContract, AnApprovalIsBoundToItsArguments) {
  Approval approval = refund_approval();
  approval.arguments_sha256 = sha256_hex("other");
  EXPECT_EQ(store_->request_approval(approval).error().code(), Code::kInvalidArgument);
  approval.arguments_sha256.clear();
  ASSERT_TRUE(store_->request_approval(approval));
  DecisionAttempt attempt = decision("u1", "ann", ApprovalStatus::kApproved);
  attempt.arguments_sha256 = sha256_hex("other");
  EXPECT_EQ(store_->begin_decision(attempt).error().code(), Code::kFailedPrecondition);
  approval.arguments = "{}";
  EXPECT_EQ(store_->request_approval(approval).error().code(), Code::kAlreadyExists);
}

TEST_P(StoreContract, AnExpiredApprovalTakesNoDecisionAndTheWorkflowsOutcomeStands) {
  Approval approval = refund_approval();
  approval.expires_at = clock_.now() - std::chrono::seconds(1);
  ASSERT_TRUE(store_->request_approval(approval));
  EXPECT_EQ(store_->begin_decision(decision("u1", "ann", ApprovalStatus::kApproved)).error().code(),
            Code::kFailedPrecondition);
  Approval outcome;
  outcome.id = "ap";
  outcome.status = ApprovalStatus::kExpired;
  EXPECT_EQ(store_->settle_approval(outcome)->status, ApprovalStatus::kExpired);
  EXPECT_TRUE(store_->settle_approval(outcome));
  outcome.status = ApprovalStatus::kApproved;
  EXPECT_EQ(store_->settle_approval(outcome).error().code(), Code::kFailedPrecondition);
}

TEST_P(StoreContract, ApprovalsAreListedByStatusAndRun) {
  for (const char* id : {"a", "b", "c"}) {
    Approval approval = refund_approval();
    approval.id = id;
    approval.run = id == std::string("b") ? "other" : "r";
    ASSERT_TRUE(store_->request_approval(approval));
  }
  Approval outcome;
  outcome.id = "a";
  outcome.status = ApprovalStatus::kEdited;
  outcome.edited_arguments = "{}";
  ASSERT_TRUE(store_->settle_approval(outcome));
  ApprovalFilter filter;
  filter.status = ApprovalStatus::kPending;
  EXPECT_EQ(store_->approvals(filter)->size(), 2u);
  filter.run = "r";
  ASSERT_EQ(store_->approvals(filter)->size(), 1u);
  EXPECT_EQ(store_->approvals(filter)->front().id, "c");
  filter = {};
  filter.limit = 1;
  filter.after = "c";
  EXPECT_EQ(store_->approvals(filter)->front().id, "b");
}

// A team's inbox, whose agents ask between all others.
TEST_P(StoreContract, WhatWaitsIsFoundByTheAgentsThatAsk) {
  const std::string agents[] = {"ann", "bob", "eve"};
  for (int i = 0; i < 9; ++i) {
    Approval approval = refund_approval();
    approval.id = "a" + std::to_string(i);
    approval.agent = agents[i % 3];
    ASSERT_TRUE(store_->request_approval(approval));
  }
  const auto ids = [&](const std::vector<std::string>& of, const std::string& after, std::uint32_t limit) {
    std::string out;
    const auto rows = inbox_->asked_by(of, after, limit);
    EXPECT_TRUE(rows) << rows.error().message();
    for (const Approval& row : *rows) out += row.id + " ";
    return out;
  };
  EXPECT_EQ(*inbox_->asking_agents(""), (std::vector<std::string>{"ann", "bob", "eve"}));
  EXPECT_EQ(*inbox_->asking_agents("ann"), (std::vector<std::string>{"bob", "eve"}));
  EXPECT_EQ(ids({"ann", "eve"}, "", 100), "a8 a6 a5 a3 a2 a0 ");
  EXPECT_EQ(ids({"eve", "ann"}, "", 3), "a8 a6 a5 ");
  EXPECT_EQ(ids({"ann", "eve"}, "a5", 3), "a3 a2 a0 ");
  EXPECT_EQ(ids({"ann", "eve"}, "a4", 1), "a3 ") << "behind somebody else's";
  EXPECT_EQ(ids({}, "", 100), "");
  EXPECT_EQ(ids({"nobody"}, "", 100), "");
  EXPECT_EQ(inbox_->asked_by({"ann"}, "zz", 1).error().code(), Code::kInvalidArgument);
  Approval outcome;
  outcome.status = ApprovalStatus::kApproved;
  for (const char* id : {"a1", "a4", "a7", "a8"}) {
    outcome.id = id;
    ASSERT_TRUE(store_->settle_approval(outcome));
  }
  EXPECT_EQ(*inbox_->asking_agents(""), (std::vector<std::string>{"ann", "eve"}));
  EXPECT_EQ(ids({"bob", "eve"}, "", 100), "a5 a2 ");
}

// One person's inbox: by his name, his roles, from the time on to which it is escalated, and not what he
// himself has started where somebody else is needed.
TEST_P(StoreContract, WhatWaitsIsFoundByWhomItAsks) {
  const auto request = [&](const std::string& id, std::vector<Asked> asked, const std::string& but = {}) {
    Approval approval = refund_approval();
    approval.id = id;
    Audience audience;
    audience.asked = std::move(asked);
    audience.but = but;
    ASSERT_TRUE(inbox_->request_approval(approval, audience));
  };
  request("anybody", {});
  request("ann", {{"user:ann", 0}});
  request("not-ann", {{"approver", 0}}, "ann");
  request("admins", {{"admin", 0}});
  request("later", {{"admin", 0}, {"approver", 60'000}});
  request("twice", {{"user:ann", 0}, {"approver", 0}, {"approver", 60'000}});
  for (int i = 0; i < 20; ++i) request("bob-" + std::to_string(i), {{"user:bob", 0}});
  Decider who;
  const auto ids = [&](const std::string& after, std::uint32_t limit) {
    std::string out;
    const auto rows = inbox_->asked_of(who, after, limit);
    EXPECT_TRUE(rows) << rows.error().message();
    for (const Approval& row : *rows) out += row.id + " ";
    return out;
  };
  who.now = clock_.now();
  EXPECT_EQ(ids("", 100), "anybody ");
  who.name = "ann";
  who.words = {"approver", "user:ann"};
  EXPECT_EQ(ids("", 100), "twice ann anybody ");
  EXPECT_EQ(ids("", 2), "twice ann ");
  EXPECT_EQ(ids("ann", 2), "anybody ");
  EXPECT_EQ(ids("not-ann", 1), "ann ") << "behind somebody else's";
  who.name = "eve";
  who.words = {"admin", "approver", "user:eve"};
  EXPECT_EQ(ids("", 100), "twice later admins not-ann anybody ");
  who.words = {"approver"};
  who.now += std::chrono::minutes(1);
  EXPECT_EQ(ids("", 100), "twice later not-ann anybody ") << "it is escalated by now";
  EXPECT_EQ(inbox_->asked_of(who, "zz", 1).error().code(), Code::kInvalidArgument);
  Approval outcome;
  outcome.status = ApprovalStatus::kApproved;
  outcome.id = "later";
  ASSERT_TRUE(store_->settle_approval(outcome));
  DecisionAttempt attempt;
  attempt.update_id = "u";
  attempt.approval = "twice";
  ASSERT_TRUE(store_->begin_decision(attempt));
  EXPECT_EQ(ids("", 2), "twice not-ann ") << "tried is not decided";
  ASSERT_TRUE(store_->finish_decision("u", true, ""));
  EXPECT_EQ(ids("", 100), "not-ann anybody ");
}

}  // namespace holdfast::platform
