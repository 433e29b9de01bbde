#include "run/answers.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "base/json.h"

namespace holdfast::flows {

using namespace protocol;

void remember(std::vector<Undoable>& all, const FlowStep& step) {
  for (const Undoable& call : step.undoable) {
    const auto is_it = [&](const Undoable& one) { return one.call.key == call.call.key; };
    if (std::ranges::none_of(all, is_it)) all.push_back(call);
  }
}

void forget_skipped(std::vector<Undoable>& all, const FlowStep& step,
                    const std::vector<std::string>& outlets) {
  for (const Undoable& call : step.undoable) {
    if (outlets.at(call.call.step - 1) != kFlowSkipped) continue;
    std::erase_if(all, [&](const Undoable& one) { return one.call.key == call.call.key; });
  }
}

void count_items(std::vector<Undoable>& all, const FlowStep& step, const Parts& parts) {
  for (const Undoable& call : step.undoable) {
    const auto at =
        std::ranges::find_if(all, [&](const Undoable& one) { return one.call.key == call.call.key; });
    if (at != all.end() && at->items) at->items->count = std::min(parts.items, parts.next * parts.each);
  }
}

std::vector<Undoable> of_items(const std::vector<Undoable>& all, const FlowStep& step, const std::string& run,
                               const std::vector<FlowOrigin>& taken_up,
                               const std::vector<std::uint64_t>& items) {
  const auto is_ours = [&](const std::string& one) {
    return one == run || std::ranges::any_of(taken_up, [&](const FlowOrigin& origin) {
             return std::ranges::find(origin.runs, one) != origin.runs.end();
           });
  };
  std::vector<Undoable> out;
  for (const Undoable& one : all) {
    if (!one.items || one.call.step != step.blocks.front() + 1 || !is_ours(one.items->run)) continue;
    out.push_back(one);
    out.back().items->only = items;
  }
  return out;
}

bool are_own(const std::vector<Undoable>& all, const FlowPlan& plan) {
  std::set<std::string_view> own;
  for (const FlowStep& step : plan.steps) {
    for (const Undoable& call : step.undoable) own.insert(call.call.key);
  }
  return std::ranges::all_of(all, [&](const Undoable& one) { return own.contains(one.call.key); });
}

void tell_undoable(Payload& result, const std::vector<Undoable>& all) {
  if (all.empty() || !result.data.ends_with('}')) return;
  result.data.pop_back();
  result.data += ",\"undoable\":" + dump_json(Json(all)) + "}";
}

}  // namespace holdfast::flows
