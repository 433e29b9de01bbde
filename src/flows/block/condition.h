#pragma once

// Condition: what is true or false of a block's values, a JavaScript expression in {{ }} or one of CEL over
// `input`, `blocks`, and in a body what its rounds see. Plain value; evaluated with the values of one run of
// one block.

#include <expected>
#include <optional>
#include <string>

#include "block/block.h"
#include "block/values.h"
#include "spec/cel.h"

namespace holdfast::flows {

struct Condition {
  std::string text;
  std::optional<spec::cel::Expression> cel;  // none: `text` is a template
};

// What stands under `key`, which must be there. `names`: what it sees beside `input` and `blocks`.
Condition read_condition(spec::MapReader& in, std::string_view key, std::span<const std::string_view> names);

class Conditions {
 public:
  explicit Conditions(Values& values) : values_(values) {}
  // `what` names it in a failure.
  std::expected<bool, BlockFailure> holds(const Condition& condition, std::string_view what);

 private:
  Values& values_;
  std::optional<spec::cel::Environment> environment_;  // made for the first of CEL
};

}  // namespace holdfast::flows
