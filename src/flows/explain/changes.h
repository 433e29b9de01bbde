#pragma once

// What makes one flow of another: of each block what it says differently, and what that means for the plan,
// of those that say the same, too. Pure.

#include <nlohmann/json.hpp>

#include "explain/explain.h"
#include "language/flow.h"

namespace holdfast::flows {

// A flow, and what its file says.
struct FlowVersion {
  Flow flow;
  nlohmann::json document;
};

// {"flow":[change,...],
//  "blocks":[{"block","type","what":"added"|"removed"|"changed"|"placed","changes":[change,...],
//             "before":{"activity":"a1","with":["BLOCK"],"why"},"after":{...}}],
//  "plan":{"before":{"planner","activities","latency_ms","temporal_actions"},"after":{...}}}
// A change is {"path","kind","before","after","lines"}. `placed`: it says the same, and runs with others.
// Each by the planner that its flow names.
nlohmann::ordered_json flow_changes(const FlowVersion& before, const FlowVersion& after, const Costs& costs);

}  // namespace holdfast::flows
