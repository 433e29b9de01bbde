#pragma once

// What is known of a type of block before one runs. Rows of one table; pure.

#include <array>
#include <chrono>
#include <span>
#include <string_view>

namespace holdfast::flows {

enum class Place {
  kShared,     // in an activity, with others if the planner says so
  kDedicated,  // in an activity of its own
  kWorkflow,   // a step of the workflow itself
};

struct BlockType {
  std::string_view name;
  Place place = Place::kShared;
  std::string_view why{};              // it is dedicated; empty: it is not
  bool human = false;                  // a person ends it
  bool decides = false;                // its outlets have names
  std::string_view names = "rules";    // the list in `with` that has them
  bool has_body = false;               // blocks of its own, run again and again
  std::chrono::microseconds takes{0};  // taken for what is not said and was not recorded
};

std::span<const BlockType> block_types();

}  // namespace holdfast::flows
