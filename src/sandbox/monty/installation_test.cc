// Goal: where Monty is missing, that is said, with what to do. Method: paths that are not there.

#include "monty/installation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::sandbox {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(MontyInstallation, SaysWhatToDo) {
  for (const char* program : {"", "/nowhere/monty", "/tmp", "/etc/passwd"}) {
    const auto found = find_monty(program);
    ASSERT_FALSE(found) << program;
    EXPECT_EQ(found.error().code(), Code::kFailedPrecondition);
    EXPECT_THAT(found.error().message(), HasSubstr(program));
    EXPECT_THAT(found.error().message(), HasSubstr("pip install pydantic-monty-runtime"));
  }
}

TEST(MontyInstallation, FollowsLinks) {
  const auto found = find_monty("/bin/../bin/sh");
  ASSERT_TRUE(found);
  EXPECT_THAT(found->program, StartsWith("/usr/bin/"));
  EXPECT_FALSE(found->readable.empty());
}

}  // namespace
}  // namespace holdfast::sandbox
