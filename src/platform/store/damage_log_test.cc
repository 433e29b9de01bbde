// Damaged rows that lists leave out: a line for each reading that finds new ones, however many they are.

#include "platform/damage_log.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace holdfast::platform {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DamageLogTest : public ::testing::Test {
 protected:
  void read(std::size_t from, std::size_t to, std::string_view table = "runs") {
    LeftOut out(table);
    for (std::size_t i = from; i < to; ++i) out.add("row-" + std::to_string(i));
    log_.note(out);
  }

  std::vector<std::string> told_;
  DamageLog log_{"platform.db: ", "file", [this](const std::string& line) { told_.push_back(line); }};
};

TEST_F(DamageLogTest, OneReadingIsOneLineWithACount) {
  read(0, 0);
  read(0, 100'000);
  EXPECT_THAT(told_, ElementsAre(HasSubstr("platform.db: 100000 rows of runs are not as they were written")));
  EXPECT_THAT(told_.front(), HasSubstr("'row-0'"));
  EXPECT_THAT(told_.front(), HasSubstr("The file is damaged"));
}

TEST_F(DamageLogTest, WhatWasToldIsToldOnce) {
  read(7, 8);
  read(7, 8);
  read(7, 9);
  read(7, 8, "steps");
  EXPECT_THAT(told_, ElementsAre(HasSubstr("the row 'row-7' of runs"), HasSubstr("2 rows of runs"),
                                 HasSubstr("the row 'row-7' of steps")));
  EXPECT_THAT(told_[1], HasSubstr("'row-8'")) << "the new one";
}

TEST_F(DamageLogTest, OfMoreThanAreKeptInMindNothingMoreIsTold) {
  for (std::size_t i = 0; i < 3 * DamageLog::kMaxTold; ++i) read(i, i + 1);
  EXPECT_EQ(told_.size(), DamageLog::kMaxTold);
}

TEST_F(DamageLogTest, NobodyNeedListen) {
  DamageLog quiet("", "database", {});
  LeftOut out("runs");
  out.add("row");
  quiet.note(out);
}

}  // namespace
}  // namespace holdfast::platform
