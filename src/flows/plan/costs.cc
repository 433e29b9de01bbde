#include "plan/costs.h"

namespace holdfast::flows {

Micros takes(const Graph& graph, const std::vector<std::size_t>& blocks, const Costs& costs) {
  Micros out = graph[blocks.front()].in_workflow ? costs.step : costs.activity;
  for (std::size_t block : blocks) out += graph[block].takes;
  return out;
}

}  // namespace holdfast::flows
