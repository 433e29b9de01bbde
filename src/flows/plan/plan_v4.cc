#include <algorithm>

#include <fmt/format.h>

#include "plan/plan.h"
#include "plan/quotient.h"

namespace holdfast::flows {

namespace {

Groups groups_of(const Plan& plan) {
  Groups out;
  for (const Activity& activity : plan.activities) {
    out.emplace_back();
    for (const PlannedBlock& one : activity.blocks) out.back().push_back(one.block);
  }
  return out;
}

Groups merge(const Merging& merging, Groups groups) {
  const auto may_share = static_cast<std::size_t>(
      std::ranges::count_if(merging.graph, [](const Block& one) { return !one.dedicated; }));
  if (may_share <= kExactBlocks && merging.graph.size() <= kMaskBlocks) return merge_exact(merging, groups);
  if (groups.size() > kGreedyGroups) groups = merge_levels(merging, std::move(groups));
  if (groups.size() > kGreedyGroups) return groups;
  return merge_greedy(merging, std::move(groups));
}

std::string why(const Graph& graph, const std::vector<std::size_t>& group, std::size_t block) {
  if (graph[block].dedicated) return fmt::format("needs its own: {}", graph[block].why_dedicated);
  if (group.size() == 1) return "no other one could take it without making the plan longer";
  return fmt::format("one activity of {}, and the plan is no longer", group.size());
}

}  // namespace

Plan plan_v4(const Graph& graph, const Costs& costs) {
  const Plan v3 = plan_v3(graph);
  Merging merging{graph, costs, people_classes(graph), std::vector<std::size_t>(graph.size()), {}};
  const std::vector<std::size_t> order = topological_order(graph);
  for (std::size_t i = 0; i < order.size(); ++i) merging.rank[order[i]] = i;
  Groups groups = groups_of(v3);
  merging.limit = quotient_of(graph, groups, costs).total;
  groups = merge(merging, std::move(groups));
  // In the order of their first blocks, where the graph leaves it open.
  std::ranges::sort(groups, {}, [&](const auto& group) { return merging.rank[group.front()]; });
  Plan out;
  for (std::size_t i : quotient_of(graph, groups, costs).order) {
    Activity& activity = out.activities.emplace_back();
    for (std::size_t block : groups[i]) activity.blocks.push_back({block, why(graph, groups[i], block)});
  }
  return out;
}

}  // namespace holdfast::flows
