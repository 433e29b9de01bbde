#include "plan/plan.h"

namespace holdfast::flows {

Plan plan_v1(const Graph& graph) {
  Plan out;
  out.in_sequence = true;
  for (std::size_t block : topological_order(graph))
    out.activities.push_back({{{block, "every block has an activity of its own"}}});
  return out;
}

}  // namespace holdfast::flows
