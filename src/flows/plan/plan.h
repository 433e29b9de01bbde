#pragma once

// Which block runs in which activity. A planner is a pure function from a graph to a plan; all of them take
// the graph's topological order and differ in what they put together. The rules of V1 to V3 are those that
// Retool published of its engine; V4 is ours.
//
// What depends on a block starts when the block's activity ends. In one activity blocks run one behind the
// other.

#include <string>
#include <string_view>
#include <vector>

#include "plan/costs.h"
#include "plan/graph.h"

namespace holdfast::flows {

struct PlannedBlock {
  std::size_t block = 0;  // place in the graph
  std::string why;        // it is in this activity
};

struct Activity {
  std::vector<PlannedBlock> blocks;  // in the order in which they run
};

struct Plan {
  std::vector<Activity> activities;  // what one depends on stands before it
  bool in_sequence = false;          // each waits for the one before, whatever the graph says
};

// One activity per block, one behind the other.
Plan plan_v1(const Graph& graph);
// What a runtime does that looks at one block after the other: a block that needs its own activity runs
// alone, those between two such share one.
Plan plan_v2(const Graph& graph);
// Planned from the static graph: a block that needs its own activity gets one; so does a block whose parent
// needed its own; a block whose parents are all in one activity joins it; any other starts a new one.
Plan plan_v3(const Graph& graph);
// The fewest activities with which the critical path is no longer than V3's and nothing waits for a person
// whom the graph lets it do without. Exact up to kExactBlocks blocks that may share, and with no more
// activities than V3 beyond.
Plan plan_v4(const Graph& graph, const Costs& costs);

// For each activity those that must have ended before it starts, ascending.
std::vector<std::vector<std::size_t>> dependencies(const Graph& graph, const Plan& plan);

struct Prediction {
  Micros total{0};                                      // the critical path's length
  std::vector<std::size_t> critical_path;               // activities
  std::vector<Micros> starts;                           // of each activity
  std::vector<Micros> takes;                            // of each activity
  std::vector<std::size_t> waits_for_people_of_others;  // blocks that a person holds up without need
};
// What is waited for people counts as Block::takes says of their blocks.
Prediction predict(const Graph& graph, const Plan& plan, const Costs& costs);

}  // namespace holdfast::flows
