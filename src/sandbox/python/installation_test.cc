// Goal: where Python is missing, that is said, with what to install. Method: paths that are not there.

#include "python/installation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "python/runner.h"

namespace holdfast::sandbox {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(PythonInstallation, SaysWhatToInstall) {
  const auto found = find_python("/nowhere/python3");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), Code::kFailedPrecondition);
  EXPECT_THAT(found.error().message(), HasSubstr("apt install python3"));
}

TEST(PythonInstallation, AFolderOfPackagesIsThere) {
  const auto found = find_python("/bin/sh", "/nowhere/packages");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), Code::kInvalidArgument);
  EXPECT_THAT(found.error().message(), HasSubstr("`/nowhere/packages`"));
}

TEST(PythonInstallation, FollowsLinks) {
  const auto found = find_python("/bin/sh", "/usr/../usr/lib");
  ASSERT_TRUE(found);
  EXPECT_THAT(found->interpreter, StartsWith("/"));
  EXPECT_EQ(found->packages, "/usr/lib");
  EXPECT_EQ(found->readable.back(), found->interpreter);
}

TEST(PythonRunner, IsWhole) {
  EXPECT_THAT(std::string(python_runner()), StartsWith("\"\"\"The first process"));
  EXPECT_THAT(std::string(python_runner()), EndsWith("main()\n"));
}

}  // namespace
}  // namespace holdfast::sandbox
