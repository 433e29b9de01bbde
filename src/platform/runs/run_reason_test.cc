// Goal: every end of a run has a reason that a program can act on. Method: ends of each kind.

#include "runs/run_reason.h"

#include <gtest/gtest.h>

namespace holdfast::runs {
namespace {

std::string of(RunStatus status, std::string type = {}, std::string result = {}) {
  RunOutcome outcome;
  outcome.status = status;
  outcome.error_type = std::move(type);
  outcome.result = std::move(result);
  return stop_reason(outcome);
}

TEST(StopReason, IsThereForEveryEnd) {
  EXPECT_EQ(of(RunStatus::kCompleted, "", R"({"output":"x"})"), "completed");
  EXPECT_EQ(of(RunStatus::kCompleted, "", R"({"output":"x","max_iterations_reached":true})"),
            "max_iterations");
  EXPECT_EQ(of(RunStatus::kCompleted, "", "\"text\""), "completed");
  EXPECT_EQ(of(RunStatus::kCanceled, "Canceled"), "canceled");
  EXPECT_EQ(of(RunStatus::kTerminated, "Terminated"), "terminated");
  EXPECT_EQ(of(RunStatus::kTimedOut, "Timeout"), "timed_out");
  EXPECT_EQ(of(RunStatus::kFailed), "failed");
  EXPECT_EQ(of(RunStatus::kFailed, "RunTimeoutError"), "run_timeout");
  EXPECT_EQ(of(RunStatus::kFailed, "MaxTokensError"), "max_tokens");
  EXPECT_EQ(of(RunStatus::kFailed, "NOT_FOUND"), "not_found");
  EXPECT_EQ(of(RunStatus::kFailed, "BudgetExceeded"), "budget_exceeded");
}

}  // namespace
}  // namespace holdfast::runs
