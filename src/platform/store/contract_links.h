#pragma once

// The contract of questions to people, and of the links by which they answer (platform/contract.h): a link is
// good once, for its approval and its time; what it begins is a decision like any other.

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "platform/contract.h"
#include "platform/contract_approvals.h"

namespace holdfast::platform {

inline Approval question_to_people() {
  Approval out = refund_approval();
  out.question = R"({"text":"Refund?"})";
  return out;
}

inline DecisionLink link_for(const std::string& recipient, WallTime until, const std::string& id = "link-1") {
  DecisionLink out;
  out.id = id;
  out.approval = "ap";
  out.recipient = recipient;
  out.created_by = "ann";
  out.expires_at = until;
  return out;
}

inline DecisionAttempt answer_of(const std::string& update_id, const std::string& by) {
  DecisionAttempt out = decision(update_id, by, ApprovalStatus::kAnswered);
  out.edited_arguments = R"({"refund":true})";
  return out;
}

TEST_P(StoreContract, AQuestionIsKeptAndTakesAnAnswer) {
  ASSERT_TRUE(store_->request_approval(question_to_people()));
  close();
  open();
  EXPECT_EQ(store_->approval("ap")->question, question_to_people().question);
  EXPECT_EQ(store_->approvals({})->front().question, question_to_people().question);
  EXPECT_EQ(store_->begin_decision(decision("u1", "bob", ApprovalStatus::kApproved)).error().code(),
            Code::kFailedPrecondition);
  DecisionAttempt empty = answer_of("u2", "bob");
  empty.edited_arguments.clear();
  EXPECT_EQ(store_->begin_decision(empty).error().code(), Code::kInvalidArgument);
  ASSERT_TRUE(store_->begin_decision(answer_of("u3", "bob")));
  ASSERT_EQ(store_->unanswered_decisions()->size(), 1u);
  EXPECT_EQ(store_->unanswered_decisions()->front().decision, ApprovalStatus::kAnswered);
  const auto answered = store_->finish_decision("u3", true, "");
  ASSERT_TRUE(answered) << answered.error().to_string();
  EXPECT_EQ(answered->status, ApprovalStatus::kAnswered);
  EXPECT_EQ(store_->approval("ap")->edited_arguments, R"({"refund":true})");
  EXPECT_EQ(store_->approval("ap")->decided_by, "bob");
}

TEST_P(StoreContract, WhatIsNoQuestionTakesNoAnswer) {
  ASSERT_TRUE(store_->request_approval(refund_approval()));
  EXPECT_EQ(store_->begin_decision(answer_of("u1", "bob")).error().code(), Code::kFailedPrecondition);
  EXPECT_TRUE(store_->begin_decision(decision("u2", "bob", ApprovalStatus::kRejected)));
}

TEST_P(StoreContract, ALinkIsGoodOnce) {
  ASSERT_TRUE(store_->request_approval(refund_approval()));
  const WallTime until = clock_.now() + std::chrono::hours(1);
  ASSERT_TRUE(links_->make_link(link_for("bob", until)));
  ASSERT_TRUE(links_->make_link(link_for("bob", until)));  // again is the same
  EXPECT_EQ(links_->make_link(link_for("eve", until)).error().code(), Code::kAlreadyExists);
  close();
  open();
  EXPECT_EQ((*links_->link("link-1"))->recipient, "bob");
  EXPECT_EQ(state_of(**links_->link("link-1"), clock_.now()), LinkState::kOpen);
  ASSERT_TRUE(links_->begin_linked_decision("link-1", decision("u1", "link:bob", ApprovalStatus::kApproved)));
  EXPECT_EQ(links_->begin_linked_decision("link-1", decision("u1", "link:bob", ApprovalStatus::kApproved))
                .error()
                .code(),
            Code::kAlreadyExists);
  EXPECT_EQ(links_->revoke_link("link-1", "ann").error().code(), Code::kFailedPrecondition);
  close();
  open();
  EXPECT_EQ(state_of(**links_->link("link-1"), clock_.now()), LinkState::kUsed);
  ASSERT_EQ(store_->unanswered_decisions()->size(), 1u);
  EXPECT_EQ(store_->unanswered_decisions()->front().decided_by, "link:bob");
}

TEST_P(StoreContract, ALinkThatIsNotGoodBeginsNothing) {
  ASSERT_TRUE(store_->request_approval(refund_approval()));
  const WallTime until = clock_.now() + std::chrono::hours(1);
  const auto attempt = decision("u1", "link:bob", ApprovalStatus::kApproved);
  EXPECT_EQ(links_->begin_linked_decision("nobody", attempt).error().code(), Code::kNotFound);
  EXPECT_FALSE(links_->link("nobody")->has_value());
  ASSERT_TRUE(links_->make_link(link_for("bob", until, "revoked")));
  ASSERT_TRUE(links_->revoke_link("revoked", "ann"));
  ASSERT_TRUE(links_->revoke_link("revoked", "ann"));
  EXPECT_EQ(links_->begin_linked_decision("revoked", attempt).error().code(), Code::kPermissionDenied);
  ASSERT_TRUE(links_->make_link(link_for("bob", until, "late")));
  Approval other = refund_approval();
  other.id = "other";
  ASSERT_TRUE(store_->request_approval(other));
  DecisionLink foreign = link_for("bob", until, "foreign");
  foreign.approval = "other";
  ASSERT_TRUE(links_->make_link(foreign));
  EXPECT_EQ(links_->begin_linked_decision("foreign", attempt).error().code(), Code::kInvalidArgument);
  clock_.ns += std::chrono::nanoseconds(std::chrono::hours(1)).count();
  EXPECT_EQ(links_->begin_linked_decision("late", attempt).error().code(), Code::kOutOfRange);
  EXPECT_TRUE(store_->unanswered_decisions()->empty());
  EXPECT_EQ(links_->links("ap")->size(), 2u);
}

// A refused decision leaves the link as it was.
TEST_P(StoreContract, ALinkIsNotUsedByWhatIsRefused) {
  ASSERT_TRUE(store_->request_approval(refund_approval()));
  ASSERT_TRUE(links_->make_link(link_for("bob", clock_.now() + std::chrono::hours(1))));
  auto stale = decision("u1", "link:bob", ApprovalStatus::kApproved);
  stale.arguments_sha256 = std::string(64, '0');
  EXPECT_EQ(links_->begin_linked_decision("link-1", stale).error().code(), Code::kFailedPrecondition);
  EXPECT_EQ(state_of(**links_->link("link-1"), clock_.now()), LinkState::kOpen);
}

TEST_P(StoreContract, LinksAreMadeForWhatWaitsAndEndWithIt) {
  Approval approval = refund_approval();
  approval.expires_at = clock_.now() + std::chrono::minutes(5);
  ASSERT_TRUE(store_->request_approval(approval));
  const WallTime until = clock_.now() + std::chrono::hours(1);
  EXPECT_EQ(links_->make_link(link_for("bob", until))->expires_at, *approval.expires_at);
  EXPECT_EQ(links_->make_link(link_for("", until, "x")).error().code(), Code::kInvalidArgument);
  EXPECT_EQ(links_->make_link(link_for("a\nb", until, "x")).error().code(), Code::kInvalidArgument);
  DecisionLink unknown = link_for("bob", until, "x");
  unknown.approval = "nothing";
  EXPECT_EQ(links_->make_link(unknown).error().code(), Code::kNotFound);
  for (std::size_t i = 1; i < kMaxLinksOfApproval; ++i) {
    ASSERT_TRUE(links_->make_link(link_for("bob", until, "many-" + std::to_string(i))));
  }
  EXPECT_EQ(links_->make_link(link_for("bob", until, "x")).error().code(), Code::kResourceExhausted);
  Approval outcome;
  outcome.id = "ap";
  outcome.status = ApprovalStatus::kRejected;
  ASSERT_TRUE(store_->settle_approval(outcome));
  EXPECT_EQ(links_->make_link(link_for("bob", until, "x")).error().code(), Code::kFailedPrecondition);
  std::size_t made = 0;
  const auto rows = store_->audit_rows("ap", 1000);
  for (const AuditRow& row : *rows) {
    if (row.action == kLinkMade) ++made;
  }
  EXPECT_EQ(made, kMaxLinksOfApproval);
}

TEST_P(StoreContract, OneOfManyUsesALink) {
  ASSERT_TRUE(store_->request_approval(refund_approval()));
  ASSERT_TRUE(links_->make_link(link_for("bob", clock_.now() + std::chrono::hours(1))));
  std::vector<std::thread> threads;
  std::vector<Code> codes(10, Code::kOk);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    threads.emplace_back([&, i] {
      const auto what = i % 2 == 0 ? ApprovalStatus::kApproved : ApprovalStatus::kRejected;
      auto begun =
          links_->begin_linked_decision("link-1", decision("u" + std::to_string(i), "link:bob", what));
      if (!begun) codes[i] = begun.error().code();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::count(codes.begin(), codes.end(), Code::kOk), 1);
  EXPECT_EQ(std::count(codes.begin(), codes.end(), Code::kAlreadyExists), 9);
  EXPECT_EQ(store_->unanswered_decisions()->size(), 1u);
}

}  // namespace holdfast::platform
