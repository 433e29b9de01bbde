#include <algorithm>
#include <bitset>
#include <optional>

#include "plan/quotient.h"

namespace holdfast::flows {

namespace {

using Reach = std::vector<std::bitset<kGreedyGroups>>;

// For each group, whom one comes to from it.
Reach reach_of(const Quotient& q) {
  Reach out(q.parents.size());
  for (auto at = q.order.rbegin(); at != q.order.rend(); ++at) {
    for (std::size_t child : q.children[*at]) {
      out[*at] |= out[child];
      out[*at].set(child);
    }
  }
  return out;
}

// What the longest way through both as one would take; none: they cannot be one. Nothing else changes, since
// whom they wait for does not depend on them.
std::optional<Micros> way_through(const Quotient& q, const Reach& reach, const Costs& costs, std::size_t a,
                                  std::size_t b) {
  if (reach[b][a]) std::swap(a, b);
  Micros start = q.start[a];
  Micros tail = std::max(q.tail[a], q.tail[b]);
  if (reach[a][b]) {
    // One behind the other: only if there is no third between them.
    tail = q.tail[b];
    for (std::size_t child : q.children[a]) {
      if (child == b) continue;
      if (reach[child][b]) return std::nullopt;
      tail = std::max(tail, q.own[child] + q.tail[child]);
    }
    for (std::size_t parent : q.parents[b]) {
      if (parent != a) start = std::max(start, q.end(parent));
    }
  } else {
    start = std::max(start, q.start[b]);
  }
  return start + q.own[a] + q.own[b] - costs.activity + tail;
}

struct Pair {
  std::size_t a = 0, b = 0;
  Micros longer{0};
};

std::optional<Pair> best_pair(const Merging& merging, const Groups& groups) {
  const Quotient q = quotient_of(merging.graph, groups, merging.costs);
  const Reach reach = reach_of(q);
  std::optional<Pair> best;
  for (std::size_t a = 0; a < groups.size(); ++a) {
    if (merging.graph[groups[a].front()].dedicated) continue;
    for (std::size_t b = a + 1; b < groups.size(); ++b) {
      if (!may_share(merging, groups[a], groups[b])) continue;
      const std::optional<Micros> way = way_through(q, reach, merging.costs, a, b);
      if (!way || *way > merging.limit) continue;
      const Micros now = std::max(q.end(a) + q.tail[a], q.end(b) + q.tail[b]);
      if (!best || *way - now < best->longer) best = Pair{a, b, *way - now};
    }
  }
  return best;
}

}  // namespace

Groups merge_greedy(const Merging& merging, Groups groups) {
  while (const std::optional<Pair> pair = best_pair(merging, groups)) {
    groups[pair->a] = merged(merging, groups[pair->a], groups[pair->b]);
    groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(pair->b));
  }
  return groups;
}

}  // namespace holdfast::flows
