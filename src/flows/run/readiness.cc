#include "run/readiness.h"

#include <algorithm>

namespace holdfast::flows {

bool runs(const protocol::FlowRule& rule, const OutletOf& outlet_of) {
  const auto is_met = [&](const protocol::FlowNeed& need) { return outlet_of(need.block) == need.outlet; };
  if (rule.needs.empty()) return true;
  return rule.any ? std::ranges::any_of(rule.needs, is_met) : std::ranges::all_of(rule.needs, is_met);
}

}  // namespace holdfast::flows
