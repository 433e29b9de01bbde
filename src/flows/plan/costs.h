#pragma once

// The cost model of plans. Pure.
//
//   an activity takes    Costs::activity + the sum of what its blocks take
//   a workflow's step    Costs::step + what its block takes
//   a plan takes         the longest path through its activities; in sequence, their sum

#include <vector>

#include "plan/graph.h"

namespace holdfast::flows {

struct Costs {
  Micros activity{1500};  // scheduling, dispatching and completing one, the workflow task between included
  Micros step{1000};      // the same of a timer, a child or an update
};

// Of blocks that are one activity or step.
Micros takes(const Graph& graph, const std::vector<std::size_t>& blocks, const Costs& costs);

}  // namespace holdfast::flows
