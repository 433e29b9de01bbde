#include "run/readiness.h"

#include <algorithm>
#include <set>

namespace holdfast::flows {

bool runs(const protocol::FlowRule& rule, const OutletOf& outlet_of) {
  const auto is_met = [&](const protocol::FlowNeed& need) { return outlet_of(need.block) == need.outlet; };
  if (rule.needs.empty()) return true;
  return rule.any ? std::ranges::any_of(rule.needs, is_met) : std::ranges::all_of(rule.needs, is_met);
}

bool is_skipped(const protocol::FlowPlan& plan, const protocol::FlowStep& step, const Outlets& outlets) {
  std::set<std::uint32_t> skipped;
  const auto outlet_of = [&](std::uint32_t block) -> std::string_view {
    return skipped.contains(block) ? protocol::kFlowSkipped : std::string_view(outlets[block]);
  };
  for (const std::uint32_t block : step.blocks) {
    if (runs(plan.rules[block], outlet_of)) return false;
    skipped.insert(block);
  }
  return true;
}

std::vector<protocol::FlowEnded> known_to(const protocol::FlowPlan& plan, const protocol::FlowStep& step,
                                          const Outlets& outlets) {
  std::set<std::uint32_t> needed;
  for (const std::uint32_t block : step.blocks) {
    for (const protocol::FlowNeed& need : plan.rules[block].needs) needed.insert(need.block);
  }
  for (const std::uint32_t block : step.blocks) needed.erase(block);
  std::vector<protocol::FlowEnded> out;
  for (const std::uint32_t block : needed) {
    protocol::FlowEnded& one = out.emplace_back();
    one.block = block;
    one.outlet = outlets[block];
  }
  return out;
}

}  // namespace holdfast::flows
