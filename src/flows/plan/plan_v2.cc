#include <fmt/format.h>

#include "plan/plan.h"

namespace holdfast::flows {

Plan plan_v2(const Graph& graph) {
  Plan out;
  out.in_sequence = true;
  bool shares = false;  // the last activity may take one more block
  for (std::size_t block : topological_order(graph)) {
    if (graph[block].dedicated) {
      out.activities.push_back({{{block, fmt::format("needs its own: {}", graph[block].why_dedicated)}}});
      shares = false;
    } else if (shares) {
      const std::size_t first = out.activities.back().blocks.front().block;
      out.activities.back().blocks.push_back({block, fmt::format("comes next behind `{}`", graph[first].id)});
    } else {
      out.activities.push_back({{{block, "no shared activity is open before it"}}});
      shares = true;
    }
  }
  return out;
}

}  // namespace holdfast::flows
