#pragma once

// Groups of blocks as a graph of their own: what V4 looks at while it puts activities together. Pure.

#include <vector>

#include "plan/costs.h"
#include "plan/graph.h"

namespace holdfast::flows {

// Each group's blocks in topological order.
using Groups = std::vector<std::vector<std::size_t>>;

struct Quotient {
  std::vector<std::vector<std::size_t>> parents, children;  // of each group, ascending
  std::vector<std::size_t>
      order;                  // parents first, ties by place; shorter than the groups if they have a cycle
  std::vector<Micros> own;    // what each takes
  std::vector<Micros> start;  // the earliest, by the longest way to it
  std::vector<Micros> tail;   // the longest way from its end to the plan's
  Micros total{0};

  Micros end(std::size_t group) const { return start[group] + own[group]; }
};
Quotient quotient_of(const Graph& graph, const Groups& groups, const Costs& costs);

// What V4 may do: merge groups of blocks that may share and wait for the same people, such that the plan
// takes no longer than `limit`.
struct Merging {
  const Graph& graph;
  const Costs& costs;
  std::vector<std::size_t> people;  // people_classes()
  std::vector<std::size_t> rank;    // of each block in the topological order
  Micros limit;
};

bool may_share(const Merging& merging, const std::vector<std::size_t>& a, const std::vector<std::size_t>& b);
// In topological order.
std::vector<std::size_t> merged(const Merging& merging, const std::vector<std::size_t>& a,
                                const std::vector<std::size_t>& b);

inline constexpr std::size_t kExactBlocks = 10;  // that may share
inline constexpr std::size_t kMaskBlocks = 64;   // in all
// The fewest groups there are, and of those the shortest plan; `groups` itself if none has fewer. Only up to
// kExactBlocks and kMaskBlocks.
Groups merge_exact(const Merging& merging, const Groups& groups);

inline constexpr std::size_t kGreedyGroups = 256;
// Merges the pair that lengthens the way through it least, until none is left that fits. O(n^3).
Groups merge_greedy(const Merging& merging, Groups groups);

// Merges groups that stand equally deep, the first that fits. For graphs of any size: O(edges) and for each
// level the square of its groups at most.
Groups merge_levels(const Merging& merging, Groups groups);

}  // namespace holdfast::flows
