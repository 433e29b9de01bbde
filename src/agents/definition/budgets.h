#pragma once

// `spec.budgets` of agent.yaml: what a run of the agent and the sub-agents below it may use. Values; see
// definition.h for how reading fails.

#include <cstdint>
#include <optional>
#include <string_view>

#include <nlohmann/json.hpp>

#include "spec/yaml_reader.h"

namespace holdfast::agent {

struct BudgetSpec {
  std::optional<std::int64_t> tokens;  // input and output of all model calls
  std::optional<std::int64_t> money;   // nano-dollars (base/money.h)
  std::optional<std::int64_t> calls;   // of models, attempts included
  std::optional<std::int64_t> tool_calls;
  std::optional<std::int64_t> depth;  // of sub-agents below the run
  std::optional<std::chrono::milliseconds> wall_time;
  bool park = false;  // a run that reaches one waits until it is raised; else it ends

  bool any() const { return tokens || money || calls || tool_calls || depth || wall_time; }
};

BudgetSpec parse_budgets(spec::MapReader& spec);
// Null when there are none: a definition without budgets is what it was before there were any.
nlohmann::json budgets_json(const BudgetSpec& budgets);
// Of the section, for editors.
std::string_view budgets_schema();

}  // namespace holdfast::agent
