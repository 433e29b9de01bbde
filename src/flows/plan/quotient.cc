#include "plan/quotient.h"

#include <algorithm>
#include <functional>
#include <queue>

namespace holdfast::flows {

namespace {

void connect(const Graph& graph, const Groups& groups, Quotient& out) {
  std::vector<std::size_t> group_of(graph.size());
  for (std::size_t i = 0; i < groups.size(); ++i) {
    for (std::size_t block : groups[i]) group_of[block] = i;
  }
  out.parents.resize(groups.size());
  out.children.resize(groups.size());
  for (std::size_t i = 0; i < groups.size(); ++i) {
    std::vector<std::size_t>& parents = out.parents[i];
    for (std::size_t block : groups[i]) {
      for (std::size_t parent : graph[block].parents) {
        if (group_of[parent] != i) parents.push_back(group_of[parent]);
      }
    }
    std::ranges::sort(parents);
    const auto rest = std::ranges::unique(parents);
    parents.erase(rest.begin(), rest.end());
    for (std::size_t parent : parents) out.children[parent].push_back(i);
  }
}

void put_in_order(Quotient& out) {
  std::vector<std::size_t> waits_for;
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t i = 0; i < out.parents.size(); ++i) {
    waits_for.push_back(out.parents[i].size());
    if (waits_for[i] == 0) ready.push(i);
  }
  while (!ready.empty()) {
    const std::size_t next = ready.top();
    ready.pop();
    out.order.push_back(next);
    for (std::size_t child : out.children[next]) {
      if (--waits_for[child] == 0) ready.push(child);
    }
  }
}

}  // namespace

Quotient quotient_of(const Graph& graph, const Groups& groups, const Costs& costs) {
  Quotient out;
  connect(graph, groups, out);
  put_in_order(out);
  for (const std::vector<std::size_t>& group : groups) out.own.push_back(takes(graph, group, costs));
  out.start.resize(groups.size());
  out.tail.resize(groups.size());
  for (std::size_t i : out.order) {
    for (std::size_t parent : out.parents[i]) out.start[i] = std::max(out.start[i], out.end(parent));
    out.total = std::max(out.total, out.end(i));
  }
  for (auto at = out.order.rbegin(); at != out.order.rend(); ++at) {
    for (std::size_t child : out.children[*at])
      out.tail[*at] = std::max(out.tail[*at], out.own[child] + out.tail[child]);
  }
  return out;
}

bool may_share(const Merging& merging, const std::vector<std::size_t>& a, const std::vector<std::size_t>& b) {
  return !merging.graph[a.front()].dedicated && !merging.graph[b.front()].dedicated &&
         merging.people[a.front()] == merging.people[b.front()];
}

std::vector<std::size_t> merged(const Merging& merging, const std::vector<std::size_t>& a,
                                const std::vector<std::size_t>& b) {
  std::vector<std::size_t> out = a;
  out.insert(out.end(), b.begin(), b.end());
  std::ranges::sort(out, {}, [&](std::size_t block) { return merging.rank[block]; });
  return out;
}

}  // namespace holdfast::flows
