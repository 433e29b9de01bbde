// What Runs finds at fault has a problem of its own, with a stable code.

#include "http/problems.h"

#include <gtest/gtest.h>

#include <set>

#include "runs/run_fault.h"

namespace holdfast::http {
namespace {

using runs::RunFault;

TEST(Problems, EveryFaultHasItsOwn) {
  std::set<std::string> codes;
  for (int i = 1; i <= static_cast<int>(runs::kLastRunFault); ++i) {
    const auto fault = static_cast<RunFault>(i);
    const Problem problem = problem_of(runs::with_fault(Code::kInternal, fault, "why"));
    EXPECT_NE(problem.status(), 500) << "fault " << i << " has no row in problems.cc";
    EXPECT_TRUE(codes.insert(problem.code()).second) << problem.code();
  }
}

TEST(Problems, OthersGoByTheirCode) {
  const Problem problem = problem_of(Status(Code::kUnavailable, "the disk is away"));
  EXPECT_EQ(problem.status(), 503);
  EXPECT_EQ(problem.detail(), "the disk is away");
}

}  // namespace
}  // namespace holdfast::http
