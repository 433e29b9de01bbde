// Which blocks of a version are those of another one.

#include <unordered_map>

#include "block/program.h"
#include "plan/graph.h"

namespace holdfast::flows {

std::vector<std::optional<std::size_t>> same_blocks(const Program& before, const Program& now) {
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < before.blocks.size(); ++i) places.emplace(before.flow.blocks[i].id, i);
  const Graph graph = graph_of(now.flow);
  std::vector<std::optional<std::size_t>> out(now.blocks.size());
  for (const std::size_t block : topological_order(graph)) {
    const auto at = places.find(now.flow.blocks[block].id);
    if (at == places.end() || meaning_of(before, at->second) != meaning_of(now, block)) continue;
    bool same = true;
    for (const std::size_t parent : graph[block].parents) same = same && out[parent].has_value();
    if (same) out[block] = at->second;
  }
  return out;
}

}  // namespace holdfast::flows
