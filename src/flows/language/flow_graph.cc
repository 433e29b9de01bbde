#include <algorithm>
#include <unordered_map>

#include "language/flow.h"

namespace holdfast::flows {

namespace {

Block planned(const FlowBlock& block) {
  Block out;
  out.id = block.id;
  out.takes = block.takes.value_or(block.type->takes);
  out.in_workflow = block.type->place == Place::kWorkflow;
  out.human = block.type->human;
  if (block.body && has_steps(*block.body)) {
    out.in_workflow = true;
    out.human = std::ranges::any_of(block.body->blocks, [](const FlowBlock& one) { return one.type->human; });
    out.why_dedicated = "each item is a run of its own";
  }
  if (out.why_dedicated.empty()) out.why_dedicated = block.type->why;
  if (out.why_dedicated.empty() && block.retry) out.why_dedicated = "custom retry policy";
  if (out.why_dedicated.empty() && block.completes_outside) out.why_dedicated = "completes asynchronously";
  out.dedicated = !out.why_dedicated.empty();
  return out;
}

}  // namespace

bool has_steps(const Flow& body) {
  return std::ranges::any_of(body.blocks, [](const FlowBlock& block) {
    return block.completes_outside || (block.type != nullptr && block.type->place == Place::kWorkflow);
  });
}

Graph graph_of(const Flow& flow) {
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < flow.blocks.size(); ++i) places.emplace(flow.blocks[i].id, i);
  Graph out;
  for (const FlowBlock& block : flow.blocks) {
    Block next = planned(block);
    for (const Need& need : block.needs) next.parents.push_back(places.at(need.block));
    std::ranges::sort(next.parents);
    const auto rest = std::ranges::unique(next.parents);
    next.parents.erase(rest.begin(), rest.end());
    out.push_back(std::move(next));
  }
  return out;
}

}  // namespace holdfast::flows
