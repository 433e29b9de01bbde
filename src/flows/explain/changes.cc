#include "explain/changes.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/json.h"
#include "base/json_diff.h"

namespace holdfast::flows {

namespace {

using Json = nlohmann::ordered_json;

// Where a block is: with which others, and why.
struct Place {
  std::size_t activity = 0;
  std::vector<std::string> with;
  std::string why;
};

class Planned {
 public:
  Planned(const FlowVersion& version, const Costs& costs) : version_(version) {
    const Graph graph = graph_of(version.flow);
    for (NamedPlan& one : all_plans(graph, costs)) {
      if (one.planner == version.flow.planner) plan_ = std::move(one);
    }
    for (std::size_t i = 0; i < plan_.plan.activities.size(); ++i) {
      const std::vector<PlannedBlock>& blocks = plan_.plan.activities[i].blocks;
      for (const PlannedBlock& one : blocks) {
        Place& place = places_[graph[one.block].id];
        place.activity = i;
        place.why = one.why;
        for (const PlannedBlock& other : blocks) {
          if (other.block != one.block) place.with.push_back(graph[other.block].id);
        }
      }
    }
    for (const nlohmann::json& block : version.document["spec"]["blocks"])
      documents_.emplace(block["id"].is_string() ? block["id"].get<std::string>() : dump_json(block["id"]),
                         block);
  }

  const Place& place(const std::string& block) const { return places_.at(block); }
  const nlohmann::json& document(const std::string& block) const { return documents_.at(block); }
  bool has(const std::string& block) const { return places_.contains(block); }
  const Flow& flow() const { return version_.flow; }
  const nlohmann::json& whole() const { return version_.document; }

  Json place_json(const std::string& block) const {
    const Place& at = place(block);
    return {{"activity", fmt::format("a{}", at.activity + 1)}, {"with", at.with}, {"why", at.why}};
  }
  Json totals() const {
    return {{"planner", version_.flow.planner},
            {"activities", plan_.plan.activities.size()},
            {"latency_ms", static_cast<double>(plan_.prediction.total.count()) / 1000},
            {"temporal_actions", temporal_actions(version_.flow, plan_.plan)}};
  }

 private:
  const FlowVersion& version_;
  NamedPlan plan_;
  std::map<std::string, Place> places_;
  std::map<std::string, nlohmann::json> documents_;
};

Json changes_json(const std::vector<JsonChange>& changes) {
  Json out = Json::array();
  for (const JsonChange& change : changes) out.push_back(Json(to_json(change)));
  return out;
}

// What stands around the blocks, and their order.
Json around(const Planned& before, const Planned& after) {
  nlohmann::json one = before.whole(), two = after.whole();
  one["spec"].erase("blocks");
  two["spec"].erase("blocks");
  Json out = changes_json(json_diff(one, two));
  const auto order = [](const Planned& of, const Planned& other) {
    Json ids = Json::array();
    for (const FlowBlock& block : of.flow().blocks) {
      if (other.has(block.id)) ids.push_back(block.id);
    }
    return ids;
  };
  const Json first = order(before, after), second = order(after, before);
  if (first != second)
    out.push_back({{"path", "spec.blocks"}, {"kind", "reordered"}, {"before", first}, {"after", second}});
  return out;
}

Json row_of(const FlowBlock& block, const char* what) {
  return {{"block", block.id}, {"type", block.type->name}, {"what", what}};
}

}  // namespace

Json flow_changes(const FlowVersion& before, const FlowVersion& after, const Costs& costs) {
  const Planned one(before, costs), two(after, costs);
  Json blocks = Json::array();
  for (const FlowBlock& block : after.flow.blocks) {
    if (!one.has(block.id)) {
      Json row = row_of(block, "added");
      row["after"] = two.place_json(block.id);
      blocks.push_back(std::move(row));
      continue;
    }
    const auto changes = json_diff(one.document(block.id), two.document(block.id));
    const bool moved = one.place(block.id).with != two.place(block.id).with;
    if (changes.empty() && !moved) continue;
    Json row = row_of(block, changes.empty() ? "placed" : "changed");
    if (!changes.empty()) row["changes"] = changes_json(changes);
    row["before"] = one.place_json(block.id);
    row["after"] = two.place_json(block.id);
    blocks.push_back(std::move(row));
  }
  for (const FlowBlock& block : before.flow.blocks) {
    if (two.has(block.id)) continue;
    Json row = row_of(block, "removed");
    row["before"] = one.place_json(block.id);
    blocks.push_back(std::move(row));
  }
  return {{"flow", around(one, two)},
          {"blocks", std::move(blocks)},
          {"plan", {{"before", one.totals()}, {"after", two.totals()}}}};
}

}  // namespace holdfast::flows
