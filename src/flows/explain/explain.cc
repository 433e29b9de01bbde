#include "explain/explain.h"

#include <algorithm>

#include <fmt/format.h>

#include "plan/chunks.h"

namespace holdfast::flows {

namespace {

using Json = nlohmann::ordered_json;

// Of the start and the end of a run, and of each activity: that it is scheduled, and that it is completed.
constexpr std::size_t kSyncsOfARun = 2;
constexpr std::size_t kSyncsOfAnActivity = 2;
// For so many it is told what a map or loop makes of them.
constexpr std::size_t kItems[] = {10, 1000, 100'000};

std::string id_of(std::size_t activity) {
  return fmt::format("a{}", activity + 1);
}

Json ids_of(const std::vector<std::size_t>& activities) {
  Json out = Json::array();
  for (std::size_t one : activities) out.push_back(id_of(one));
  return out;
}

double ms(Micros time) {
  return static_cast<double>(time.count()) / 1000;
}

// How many stand one behind the other at most.
std::size_t depth_of(const std::vector<std::vector<std::size_t>>& after) {
  std::vector<std::size_t> depth(after.size(), 1);
  std::size_t out = 0;
  for (std::size_t i = 0; i < after.size(); ++i) {
    for (std::size_t before : after[i]) depth[i] = std::max(depth[i], depth[before] + 1);
    out = std::max(out, depth[i]);
  }
  return out;
}

Json activity_json(const Graph& graph, const NamedPlan& named, std::size_t i,
                   const std::vector<std::size_t>& after) {
  const Activity& activity = named.plan.activities[i];
  Json blocks = Json::array();
  Json why = Json::object();
  for (const PlannedBlock& one : activity.blocks) {
    blocks.push_back(graph[one.block].id);
    why[graph[one.block].id] = one.why;
  }
  const bool step = graph[activity.blocks.front().block].in_workflow;
  return {{"id", id_of(i)},
          {"kind", step ? "step" : "activity"},
          {"blocks", std::move(blocks)},
          {"why", std::move(why)},
          {"after", ids_of(after)},
          {"starts_ms", ms(named.prediction.starts[i])},
          {"takes_ms", ms(named.prediction.takes[i])}};
}

Json plan_json(const Flow& flow, const Graph& graph, const NamedPlan& named) {
  const auto after = dependencies(graph, named.plan);
  const std::size_t count = named.plan.activities.size();
  Json activities = Json::array();
  for (std::size_t i = 0; i < count; ++i) activities.push_back(activity_json(graph, named, i, after[i]));
  Json held_up = Json::array();
  for (std::size_t block : named.prediction.waits_for_people_of_others) held_up.push_back(graph[block].id);
  const std::size_t actions = temporal_actions(flow, named.plan);
  return {{"count", count},
          {"in_sequence", named.plan.in_sequence},
          {"latency_ms", ms(named.prediction.total)},
          {"critical_path", ids_of(named.prediction.critical_path)},
          {"activities", std::move(activities)},
          {"syncs",
           {{"least", kSyncsOfARun + kSyncsOfAnActivity * depth_of(after)},
            {"most", kSyncsOfARun + kSyncsOfAnActivity * count}}},
          {"temporal_actions", actions},
          {"usd_per_million_runs", static_cast<double>(actions) * kActionsPrice},
          {"held_up_by_people", std::move(held_up)}};
}

// What each item takes that is a run of its own: that is begun, its blocks, and that its end is recorded.
Micros run_takes(const Flow& body, const Costs& costs) {
  const Graph graph = graph_of(body);
  return costs.step + predict(graph, plan_v4(graph, costs), costs).total + costs.activity;
}

// What one activity takes of a map or loop, by how many items or rounds there are; or what runs do.
Json body_json(const FlowBlock& block, const Costs& costs) {
  const bool are_runs = has_steps(*block.body);
  const Micros takes = are_runs ? run_takes(*block.body, costs) : body_takes(graph_of(*block.body));
  // Nobody has looked at `with` here: what is no number is as if it were not said.
  const auto said =
      block.with.is_object() ? block.with.value("parallel", nlohmann::json()) : nlohmann::json();
  const std::int64_t parallel = said.is_number_integer() ? said.get<std::int64_t>() : 8;
  const std::size_t lanes =
      block.type->name == "map" && parallel > 0 ? static_cast<std::size_t>(parallel) : 1;
  Json planned = Json::array();
  for (const std::size_t items : kItems) {
    if (are_runs) {
      if (items > kMaxItemRuns) break;
      const auto waves = static_cast<std::int64_t>((items + lanes - 1) / lanes);
      planned.push_back(
          {{"items", items}, {"items_each", 1}, {"runs", items}, {"latency_ms", ms(takes * waves)}});
      continue;
    }
    const Chunks chunks = chunks_of(items, lanes, takes, costs);
    planned.push_back({{"items", items},
                       {"items_each", chunks.each},
                       {"activities", chunks.count},
                       {"latency_ms", ms(chunks.total)}});
  }
  return {{"blocks", block.body->blocks.size()},
          {"takes_ms", ms(takes)},
          {"parallel", lanes},
          {"planned", std::move(planned)}};
}

}  // namespace

std::vector<NamedPlan> all_plans(const Graph& graph, const Costs& costs) {
  std::vector<NamedPlan> out;
  out.push_back({"V1", plan_v1(graph), {}});
  out.push_back({"V2", plan_v2(graph), {}});
  out.push_back({"V3", plan_v3(graph), {}});
  out.push_back({"V4", plan_v4(graph, costs), {}});
  for (NamedPlan& one : out) one.prediction = predict(graph, one.plan, costs);
  return out;
}

std::size_t temporal_actions(const Flow& flow, const Plan& plan) {
  std::size_t out = 1;
  for (const Activity& activity : plan.activities) {
    const BlockType& type = *flow.blocks[activity.blocks.front().block].type;
    const Flow* body = flow.blocks[activity.blocks.front().block].body.get();
    const bool two = type.human || (body != nullptr && has_steps(*body)) ||
                     (type.place == Place::kWorkflow && type.name != "wait");
    out += two ? 2 : 1;
  }
  return out;
}

Json explain(const Flow& flow, const Graph& graph, const std::vector<NamedPlan>& plans, const Costs& costs) {
  Json planners = Json::object();
  for (const NamedPlan& one : plans) planners[std::string(one.planner)] = plan_json(flow, graph, one);
  Json out = {{"flow", flow.name},
              {"blocks", flow.blocks.size()},
              {"costs", {{"activity_ms", ms(costs.activity)}, {"step_ms", ms(costs.step)}}},
              {"planners", std::move(planners)}};
  for (const FlowBlock& block : flow.blocks) {
    if (block.body) out["bodies"][block.id] = body_json(block, costs);
  }
  return out;
}

}  // namespace holdfast::flows
