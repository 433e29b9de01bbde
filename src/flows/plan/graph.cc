#include "plan/graph.h"

#include <functional>
#include <map>
#include <queue>

namespace holdfast::flows {

std::vector<std::size_t> topological_order(const Graph& graph) {
  std::vector<std::size_t> waits_for(graph.size());
  std::vector<std::vector<std::size_t>> children(graph.size());
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t i = 0; i < graph.size(); ++i) {
    waits_for[i] = graph[i].parents.size();
    for (std::size_t parent : graph[i].parents) children[parent].push_back(i);
    if (waits_for[i] == 0) ready.push(i);
  }
  std::vector<std::size_t> out;
  out.reserve(graph.size());
  while (!ready.empty()) {
    const std::size_t next = ready.top();
    ready.pop();
    out.push_back(next);
    for (std::size_t child : children[next]) {
      if (--waits_for[child] == 0) ready.push(child);
    }
  }
  return out;
}

std::vector<std::size_t> people_classes(const Graph& graph) {
  std::vector<std::size_t> number(graph.size());  // of a human block among those
  std::size_t humans = 0;
  for (std::size_t i = 0; i < graph.size(); ++i) {
    if (graph[i].human) number[i] = humans++;
  }
  std::map<std::vector<bool>, std::size_t> classes{{std::vector<bool>(humans), 0}};
  std::vector<std::size_t> out(graph.size());
  if (humans == 0) return out;
  std::vector<const std::vector<bool>*> waits_for(graph.size());
  for (std::size_t i : topological_order(graph)) {
    std::vector<bool> mine(humans);
    for (std::size_t parent : graph[i].parents) {
      const std::vector<bool>& theirs = *waits_for[parent];
      for (std::size_t n = 0; n < humans; ++n) mine[n] = mine[n] || theirs[n];
      if (graph[parent].human) mine[number[parent]] = true;
    }
    const auto at = classes.emplace(std::move(mine), classes.size()).first;
    waits_for[i] = &at->first;
    out[i] = at->second;
  }
  return out;
}

}  // namespace holdfast::flows
