#include "explain/happened.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace holdfast::flows {

namespace {

using Json = nlohmann::ordered_json;

double ms(Micros time) {
  return static_cast<double>(time.count()) / 1000;
}

// By how much the prediction was off; null of what was to take nothing.
Json error_of(double predicted, double was) {
  if (predicted <= 0) return nullptr;
  return std::round((was - predicted) / predicted * 100);
}

}  // namespace

Json plan_and_run(const Flow& flow, const Costs& costs, const std::vector<BlockSpan>& spans, double took_ms) {
  const Graph graph = graph_of(flow);
  NamedPlan plan;
  for (NamedPlan& one : all_plans(graph, costs)) {
    if (one.planner == flow.planner) plan = std::move(one);
  }
  Json blocks = Json::array();
  for (std::size_t i = 0; i < plan.plan.activities.size(); ++i) {
    Micros starts = plan.prediction.starts[i];
    for (const PlannedBlock& one : plan.plan.activities[i].blocks) {
      const Block& block = graph[one.block];
      Json row = {{"block", block.id},
                  {"type", flow.blocks[one.block].type->name},
                  {"activity", fmt::format("a{}", i + 1)},
                  {"predicted", {{"starts_ms", ms(starts)}, {"takes_ms", ms(block.takes)}}}};
      starts += block.takes;
      const auto span = std::ranges::find(spans, block.id, &BlockSpan::block);
      row["was"] =
          span == spans.end()
              ? Json()
              : Json{{"starts_ms", span->starts_ms}, {"took_ms", span->took_ms}, {"status", span->status}};
      row["error_percent"] = span == spans.end() ? Json() : error_of(ms(block.takes), span->took_ms);
      blocks.push_back(std::move(row));
    }
  }
  const double predicted = ms(plan.prediction.total);
  return {{"flow", flow.name},
          {"planner", flow.planner},
          {"predicted_ms", predicted},
          {"took_ms", took_ms},
          {"error_percent", error_of(predicted, took_ms)},
          {"blocks", std::move(blocks)}};
}

}  // namespace holdfast::flows
