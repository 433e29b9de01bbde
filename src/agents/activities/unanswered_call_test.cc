// Goal: a call that waited for a decision when its run ended is known as not made, and one that may have been
// made is not. Method: every status an approval has, and edits of every shape.

#include "activities/unanswered_call.h"

#include <gtest/gtest.h>

namespace holdfast::agent {
namespace {

using platform::ApprovalStatus;

platform::Approval asked(ApprovalStatus status) {
  platform::Approval out;
  out.id = "ap-1";
  out.status = status;
  return out;
}

TEST(UnansweredCall, WhatWasNotDecidedWasNotMade) {
  EXPECT_EQ(why_not_made(asked(ApprovalStatus::kPending)),
            "not called: the run ended before anybody decided whether it may be; it has had no effect");
  auto question = asked(ApprovalStatus::kPending);
  question.question = R"({"text":"how many?"})";
  EXPECT_EQ(why_not_made(question), "the run ended before anybody answered");
}

TEST(UnansweredCall, WhatExpiredWithItsRunWasNotMade) {
  auto expired = asked(ApprovalStatus::kExpired);
  expired.expires_at = WallTime(std::chrono::seconds(100));
  expired.decided_at = WallTime(std::chrono::seconds(99));
  EXPECT_TRUE(why_not_made(expired));
  expired.decided_at = expired.expires_at;  // silence, which may be a yes
  EXPECT_EQ(why_not_made(expired), std::nullopt);
  expired.expires_at.reset();
  EXPECT_EQ(why_not_made(expired), std::nullopt);
}

TEST(UnansweredCall, WhatWasRejectedWasNotMade) {
  auto rejected = asked(ApprovalStatus::kRejected);
  EXPECT_EQ(why_not_made(rejected), "not called: rejected by a person");
  rejected.decided_by = "ada";
  rejected.comment = "too much";
  EXPECT_EQ(why_not_made(rejected), "not called: rejected by ada: too much");
}

TEST(UnansweredCall, WhatMayHaveBeenMadeIsNotCalledUnmade) {
  for (const auto status : {ApprovalStatus::kApproved, ApprovalStatus::kEdited, ApprovalStatus::kExpired,
                            ApprovalStatus::kAnswered})
    EXPECT_EQ(why_not_made(asked(status)), std::nullopt) << to_string(status);
}

TEST(UnansweredCall, AnEditedCallIsFoundByItsEditedArguments) {
  auto edited = asked(ApprovalStatus::kEdited);
  edited.edited_arguments = R"({"to":"bob", "amount":9007199254740993})";
  EXPECT_EQ(edited_canonical(edited, {}), R"({"amount":9007199254740993,"to":"bob"})");
  EXPECT_EQ(edited_canonical(edited, {{"account", 7}}),
            R"({"account":7,"amount":9007199254740993,"to":"bob"})");
  EXPECT_EQ(edited_canonical(edited, {{"amount", 1}}), std::nullopt) << "not a value of the caller's";
  edited.edited_arguments = "[1]";
  EXPECT_EQ(edited_canonical(edited, {}), std::nullopt);
  edited.edited_arguments.clear();
  EXPECT_EQ(edited_canonical(edited, {}), std::nullopt);
}

}  // namespace
}  // namespace holdfast::agent
