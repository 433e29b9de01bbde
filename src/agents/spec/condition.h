#pragma once

// The conditions of approval rules: `amount > 100`, `status == "vip" and not (total <= 20 or country in
// ["DE", "FR"])`. Operands are literals and dotted paths into the call's arguments. Pure values; parsing
// reports the offset of the error; evaluation cannot fail.
//
// A comparison with an absent argument, or between different types (for `in`: with no item of its type), is
// unknown, and unknown is contagious as in SQL. The caller decides what unknown means; the policy treats it
// as "a person should look".

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "holdfast/status.h"

namespace holdfast::spec {

enum class Truth { kFalse, kTrue, kUnknown };

inline constexpr std::size_t kMaxConditionBytes = 1024;

class Condition {
 public:
  // A failure's message ends in "at column N" (1-based).
  static Result<Condition> parse(std::string_view text);

  Truth evaluate(const nlohmann::json& arguments) const;
  const std::string& text() const { return text_; }
  // The first path elements it reads, for checking them against the tool's parameters.
  std::vector<std::string> arguments_read() const;

  struct Node;

 private:
  std::string text_;
  std::shared_ptr<const Node> root_;  // shared: conditions are copied with their definition and never change
};

}  // namespace holdfast::spec
