#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "plan/plan.h"

namespace holdfast::flows {

Plan plan_v3(const Graph& graph) {
  Plan out;
  std::vector<std::size_t> activity_of(graph.size());
  const auto start_new = [&](std::size_t block, std::string why) {
    activity_of[block] = out.activities.size();
    out.activities.push_back({{{block, std::move(why)}}});
  };
  for (std::size_t block : topological_order(graph)) {
    const std::vector<std::size_t>& parents = graph[block].parents;
    if (graph[block].dedicated) {
      start_new(block, fmt::format("needs its own: {}", graph[block].why_dedicated));
      continue;
    }
    const auto alone = std::ranges::find_if(parents, [&](std::size_t one) { return graph[one].dedicated; });
    if (alone != parents.end()) {
      start_new(block, fmt::format("its parent `{}` needed its own", graph[*alone].id));
      continue;
    }
    const bool together = !parents.empty() && std::ranges::all_of(parents, [&](std::size_t one) {
      return activity_of[one] == activity_of[parents.front()];
    });
    if (together) {
      activity_of[block] = activity_of[parents.front()];
      out.activities[activity_of[block]].blocks.push_back(
          {block, parents.size() == 1 ? fmt::format("its parent `{}` is here", graph[parents.front()].id)
                                      : "all its parents are here"});
      continue;
    }
    start_new(block, parents.empty() ? "it has no parent" : "its parents are in different activities");
  }
  return out;
}

}  // namespace holdfast::flows
