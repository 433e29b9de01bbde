#pragma once

// What each planner makes of a flow, before it runs. Pure.

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "language/flow.h"
#include "plan/plan.h"

namespace holdfast::flows {

struct NamedPlan {
  std::string_view planner;  // V1, V2, V3, V4
  Plan plan;
  Prediction prediction;
};
std::vector<NamedPlan> all_plans(const Graph& graph, const Costs& costs);

// What Temporal's cloud bills a run as: one action for the start and for each activity and timer, two for a
// child or for what a person decides (its timer, and the update). Retries come on top.
// docs.temporal.io/cloud/actions
std::size_t temporal_actions(const Flow& flow, const Plan& plan);
// Dollars for a million actions: the list price of the first five million of a month, 2026-11.
inline constexpr double kActionsPrice = 50;

// {"flow","blocks","costs":{"activity_ms","step_ms"},
//  "planners":{"V1":{"count","in_sequence","latency_ms","critical_path":["a1",...],
//    "activities":[{"id":"a1","kind":"activity"|"step","blocks":["..."],"why":{BLOCK:TEXT},"after":["a1"],
//                   "starts_ms","takes_ms"}],
//    "syncs":{"least","most"},"temporal_actions","usd_per_million_runs","held_up_by_people":["BLOCK"]}}}
// "bodies", where there are any: {BLOCK:{"blocks","takes_ms","parallel","planned":[{"items","items_each",
//   "activities","latency_ms"}]}}: what a map or loop makes of so many items or rounds; "runs" in place of
//   "activities" where each is a run of its own.
// `syncs`: what the engine writes through to the disk for one run, if all that is ready at the same time is
// committed together, and if nothing is.
nlohmann::ordered_json explain(const Flow& flow, const Graph& graph, const std::vector<NamedPlan>& plans,
                               const Costs& costs);

// An SVG image of one plan: activities as boxes, by what they wait for, the critical path marked.
std::string picture(const Flow& flow, const Graph& graph, const NamedPlan& plan);

}  // namespace holdfast::flows
