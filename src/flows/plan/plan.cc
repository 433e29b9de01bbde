#include "plan/plan.h"

#include <algorithm>

namespace holdfast::flows {

namespace {

std::vector<std::size_t> blocks_of(const Activity& activity) {
  std::vector<std::size_t> out;
  for (const PlannedBlock& one : activity.blocks) out.push_back(one.block);
  return out;
}

std::vector<std::size_t> held_up_without_need(const Graph& graph, const Plan& plan,
                                              const std::vector<std::vector<std::size_t>>& after) {
  std::vector<bool> free_of_people;  // by the graph
  for (std::size_t one : people_classes(graph)) free_of_people.push_back(one == 0);
  std::vector<bool> waits(plan.activities.size());
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < plan.activities.size(); ++i) {
    for (std::size_t before : after[i]) {
      const Activity& other = plan.activities[before];
      waits[i] = waits[i] || waits[before] || graph[other.blocks.front().block].human;
    }
    if (!waits[i]) continue;
    for (const PlannedBlock& one : plan.activities[i].blocks) {
      if (free_of_people[one.block]) out.push_back(one.block);
    }
  }
  return out;
}

}  // namespace

std::vector<std::vector<std::size_t>> dependencies(const Graph& graph, const Plan& plan) {
  std::vector<std::size_t> activity_of(graph.size());
  for (std::size_t i = 0; i < plan.activities.size(); ++i) {
    for (const PlannedBlock& one : plan.activities[i].blocks) activity_of[one.block] = i;
  }
  std::vector<std::vector<std::size_t>> out(plan.activities.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (plan.in_sequence) {
      if (i > 0) out[i] = {i - 1};
      continue;
    }
    for (const PlannedBlock& one : plan.activities[i].blocks) {
      for (std::size_t parent : graph[one.block].parents) {
        if (activity_of[parent] != i) out[i].push_back(activity_of[parent]);
      }
    }
    std::ranges::sort(out[i]);
    const auto rest = std::ranges::unique(out[i]);
    out[i].erase(rest.begin(), rest.end());
  }
  return out;
}

Prediction predict(const Graph& graph, const Plan& plan, const Costs& costs) {
  const auto after = dependencies(graph, plan);
  constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::vector<std::size_t> waited_for(plan.activities.size(), kNone);
  Prediction out;
  std::size_t last = kNone;
  for (std::size_t i = 0; i < plan.activities.size(); ++i) {
    Micros start{0};
    for (std::size_t before : after[i]) {
      const Micros ended = out.starts[before] + out.takes[before];
      if (waited_for[i] != kNone && ended <= start) continue;
      start = ended;
      waited_for[i] = before;
    }
    out.starts.push_back(start);
    out.takes.push_back(takes(graph, blocks_of(plan.activities[i]), costs));
    if (last != kNone && start + out.takes[i] <= out.total) continue;
    out.total = start + out.takes[i];
    last = i;
  }
  for (; last != kNone; last = waited_for[last]) out.critical_path.push_back(last);
  std::ranges::reverse(out.critical_path);
  out.waits_for_people_of_others = held_up_without_need(graph, plan, after);
  return out;
}

}  // namespace holdfast::flows
