// A flow file, as text from whoever may deploy. One that is read can be planned by every planner: each block
// once, behind what it needs.

#include <vector>

#include "explain/explain.h"

#include "fuzz.h"

namespace holdfast::flows {

FUZZ(input) {
  const auto flow = read_flow(input, "flow.yaml");
  if (!flow) {
    REQUIRE(flow.error().code() == Code::kInvalidArgument);
    return;
  }
  const Graph graph = graph_of(*flow);
  for (const NamedPlan& one : all_plans(graph, {})) {
    std::vector<bool> done(graph.size());
    std::size_t blocks = 0;
    for (const Activity& activity : one.plan.activities) {
      for (const PlannedBlock& planned : activity.blocks) {
        ++blocks;
        for (std::size_t parent : graph[planned.block].parents) REQUIRE(done[parent]);
        done[planned.block] = true;
      }
    }
    REQUIRE(blocks == graph.size());
    REQUIRE(!picture(*flow, graph, one).empty());
  }
}

}  // namespace holdfast::flows
