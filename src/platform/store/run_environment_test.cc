// The environment of a run goes into its settings and comes out of them.

#include "platform/run_environment.h"

#include <gtest/gtest.h>

namespace holdfast::platform {
namespace {

TEST(RunEnvironment, IsOneOfTheSettings) {
  EXPECT_EQ(with_environment("", "production"), R"({"environment":"production"})");
  EXPECT_EQ(with_environment(R"({"context":{"n":18446744073709551615}})", "production"),
            R"({"context":{"n":18446744073709551615},"environment":"production"})");
  EXPECT_EQ(with_environment(R"({"context":{}})", ""), R"({"context":{}})");
  EXPECT_EQ(environment_in(R"({"context":{},"environment":"production"})"), "production");
}

TEST(RunEnvironment, IsNoneWhereNothingSaysIt) {
  for (const char* settings : {"", "{}", "[\"environment\"]", R"({"environment":7})",
                               R"({"context":{"environment":"production"}})", "environment"})
    EXPECT_EQ(environment_in(settings), "") << settings;
  EXPECT_EQ(with_environment("broken", "production"), "broken");
}

}  // namespace
}  // namespace holdfast::platform
