#pragma once

// RunKey: which execution is meant, by its full name. A plain value.

#include <compare>
#include <string>

namespace holdfast::engine {

struct RunKey {
  std::string namespace_id;
  std::string workflow_id;
  std::string run_id;
  auto operator<=>(const RunKey&) const = default;
};

}  // namespace holdfast::engine
