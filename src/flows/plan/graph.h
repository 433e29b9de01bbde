#pragma once

// A flow's graph as the planners see it. Pure values.

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace holdfast::flows {

using Micros = std::chrono::microseconds;

struct Block {
  std::string id;
  std::vector<std::size_t> parents;  // places in the graph, ascending, each once
  // It needs an activity of its own, and why: a start, a retry policy of its own, asynchronous completion.
  bool dedicated = false;
  std::string why_dedicated;
  // A step of the workflow itself (a wait, an agent, a sub-flow, a person): counts as one dedicated step.
  bool in_workflow = false;
  // It ends when a person decides; nobody knows when that will be. In the workflow, and dedicated.
  bool human = false;
  Micros takes{0};  // what it is expected to take, without the engine's part
};

// Acyclic; the order is that of the file.
using Graph = std::vector<Block>;

// Parents first; of those that could be next, the first of the file. Shorter than the graph if that has a
// cycle.
std::vector<std::size_t> topological_order(const Graph& graph);

// For each block a number that two blocks share exactly if they wait for the same people: if the same human
// blocks are among their ancestors. 0: for nobody.
std::vector<std::size_t> people_classes(const Graph& graph);

}  // namespace holdfast::flows
