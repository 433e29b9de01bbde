#pragma once

// For test programs (needs GoogleTest): once all tests have run, each row of each transition table that is
// linked in must have been taken; what was not is named, and fails the program. One line in one test file is
// enough:
//
//   const auto* const kEveryRow = testing::AddGlobalTestEnvironment(new EveryRow);

#include <gtest/gtest.h>

#include <string>

#include "base/transition.h"

namespace holdfast {

class EveryRow : public ::testing::Environment {
 public:
  void TearDown() override {
    if (GTEST_FLAG_GET(filter) != "*") return;  // a part of the tests cannot visit all
    for (const std::string& row : unvisited_transitions()) ADD_FAILURE() << "no test takes " << row;
  }
};

}  // namespace holdfast
