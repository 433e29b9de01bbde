// Goal: where V4 says that it has the fewest activities there are, it has. Method: an own search through
// every way to put blocks together, which shares no code with it, on all small graphs and on random ones.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <numeric>
#include <optional>
#include <utility>

#include "plan/quotient.h"
#include "plan/test_graphs.h"

namespace holdfast::flows {
namespace {

// The length of the plan that numbers each block's activity; none: what it wants cannot be.
std::optional<Micros> length(const Graph& graph, const std::vector<int>& activity, int count,
                             const Costs& costs) {
  std::vector<Micros> ends(static_cast<std::size_t>(count), Micros(-1));
  std::vector<bool> ended(static_cast<std::size_t>(count));
  Micros total{0};
  for (int left = count; left > 0; --left) {
    int next = -1;
    Micros start{0};
    for (int one = 0; one < count && next < 0; ++one) {
      if (ended[static_cast<std::size_t>(one)]) continue;
      bool ready = true;
      start = Micros(0);
      for (std::size_t i = 0; i < graph.size(); ++i) {
        if (activity[i] != one) continue;
        for (std::size_t parent : graph[i].parents) {
          const auto of = static_cast<std::size_t>(activity[parent]);
          if (activity[parent] == one) continue;
          ready = ready && ended[of];
          start = std::max(start, ends[of]);
        }
      }
      if (ready) next = one;
    }
    if (next < 0) return std::nullopt;
    Micros takes = costs.activity;
    for (std::size_t i = 0; i < graph.size(); ++i) {
      if (activity[i] != next) continue;
      takes += graph[i].takes;
      if (graph[i].in_workflow) takes += costs.step - costs.activity;
    }
    const auto at = static_cast<std::size_t>(next);
    ends[at] = start + takes;
    ended[at] = true;
    total = std::max(total, ends[at]);
  }
  return total;
}

// Does a person hold up one block of an activity and not another one?
bool mixes_people(const Graph& graph, const std::vector<int>& activity) {
  std::vector<std::uint64_t> people(graph.size());
  for (std::size_t i = 0; i < graph.size(); ++i) {
    for (std::size_t parent : graph[i].parents)
      people[i] |= people[parent] | (graph[parent].human ? std::uint64_t{1} << parent : 0);
    for (std::size_t other = 0; other < i; ++other) {
      if (activity[other] == activity[i] && people[other] != people[i]) return true;
    }
  }
  return false;
}

struct Fewest {
  const Graph& graph;
  const Costs& costs;
  Micros limit;
  std::vector<int> activity;
  int best = 1000;

  void place(std::size_t i, int count) {
    if (count >= best) return;
    if (i == graph.size()) {
      if (mixes_people(graph, activity)) return;
      const auto takes = length(graph, activity, count, costs);
      if (takes && *takes <= limit) best = count;
      return;
    }
    for (int one = 0; one < count && !graph[i].dedicated; ++one) {
      bool shared = true;
      for (std::size_t other = 0; other < i; ++other)
        shared = shared && (activity[other] != one || !graph[other].dedicated);
      if (!shared) continue;
      activity[i] = one;
      place(i + 1, count);
    }
    activity[i] = count;
    place(i + 1, count + 1);
  }
};

// Blocks stand behind their parents, as in all graphs here.
int fewest(const Graph& graph, const Costs& costs) {
  Fewest search{graph, costs, predict(graph, plan_v3(graph), costs).total, std::vector<int>(graph.size()),
                1000};
  search.place(0, 0);
  return search.best;
}

void expect_optimal(const Graph& graph, const Costs& costs, const std::string& name) {
  ASSERT_EQ(static_cast<int>(plan_v4(graph, costs).activities.size()), fewest(graph, costs)) << name;
}

// `edges`: a bit for each pair of blocks; `kinds`: 0 shared, 1 dedicated, 2 a person, two bits each.
Graph numbered(std::size_t size, std::uint64_t edges, std::uint64_t kinds) {
  Graph out;
  for (std::size_t i = 0; i < size; ++i) {
    Block next = block("b" + std::to_string(i));
    for (std::size_t j = 0; j < i; ++j, edges >>= 1) {
      if ((edges & 1) != 0) next.parents.push_back(j);
    }
    next.takes = Micros(100 * (i % 3 + 1));
    const std::uint64_t kind = kinds >> (2 * i) & 3;
    if (kind == 1) next = own(std::move(next));
    if (kind >= 2) next = person(std::move(next));
    out.push_back(std::move(next));
  }
  return out;
}

// One of all graphs that differ by the numbers of their blocks alone: no other way to number it, parents
// first, has a smaller code. `ones`: the blocks of the second kind. Without it a graph of six blocks is
// looked at six times.
class Numberings {
 public:
  explicit Numberings(std::size_t size) : size_(size) {
    std::vector<std::size_t> order(size);
    std::iota(order.begin(), order.end(), 0);
    do orders_.push_back(order);
    while (std::ranges::next_permutation(order).found);
  }

  bool is_first(std::uint64_t edges, std::uint64_t ones) const {
    return std::ranges::none_of(orders_, [&](const auto& to) { return is_before(edges, ones, to); });
  }

 private:
  static std::size_t bit_of(std::size_t child, std::size_t parent) {
    return child * (child - 1) / 2 + parent;
  }

  // The code of the graph whose block i is called to[i]; false: a parent would stand behind its child.
  bool is_before(std::uint64_t edges, std::uint64_t ones, const std::vector<std::size_t>& to) const {
    std::uint64_t other_edges = 0;
    std::uint64_t other_ones = 0;
    for (std::size_t i = 0; i < size_; ++i) {
      other_ones |= (ones >> i & 1) << to[i];
      for (std::size_t j = 0; j < i; ++j) {
        if ((edges >> bit_of(i, j) & 1) == 0) continue;
        if (to[j] > to[i]) return false;
        other_edges |= std::uint64_t{1} << bit_of(to[i], to[j]);
      }
    }
    return std::pair(other_edges, other_ones) < std::pair(edges, ones);
  }

  std::size_t size_;
  std::vector<std::vector<std::size_t>> orders_;
};

// HOLDFAST_EXACT=6 looks at all graphs of six blocks, which takes minutes.
std::size_t largest() {
  const char* said = std::getenv("HOLDFAST_EXACT");
  return said == nullptr ? 4 : static_cast<std::size_t>(std::atoi(said));
}

TEST(V4, HasTheFewestThereAreOnAllSmallGraphs) {
  const std::size_t most = largest();
  std::uint64_t seen = 0;
  for (std::size_t size = 1; size <= most; ++size) {
    const Numberings numberings(size);
    for (std::uint64_t edges = 0; edges < std::uint64_t{1} << (size * (size - 1) / 2); ++edges) {
      for (std::uint64_t dedicated = 0; dedicated < std::uint64_t{1} << size; ++dedicated) {
        if (!numberings.is_first(edges, dedicated)) continue;
        ++seen;
        std::uint64_t kinds = 0;
        for (std::size_t i = 0; i < size; ++i) kinds |= (dedicated >> i & 1) << (2 * i);
        const auto name = [&] { return testing::PrintToString(edges) + "/" + testing::PrintToString(kinds); };
        for (const Micros activity : {Micros(0), Micros(150), Micros(1500)}) {
          const Costs costs{activity, Micros(100)};
          ASSERT_NO_FATAL_FAILURE(expect_optimal(numbered(size, edges, kinds), costs, name()));
          // The dedicated ones are people.
          ASSERT_NO_FATAL_FAILURE(expect_optimal(numbered(size, edges, kinds << 1), costs, name()));
        }
      }
    }
  }
  std::cout << seen << " graphs of up to " << most << " blocks, shared or dedicated, up to isomorphism\n";
}

// As many as there are: 1, 2, 6, 31, 302, 5984 without kinds (OEIS A003087).
TEST(V4, EachGraphIsLookedAtOnce) {
  const std::vector<std::uint64_t> known = {1, 2, 6, 31, 302};
  for (std::size_t size = 1; size <= known.size(); ++size) {
    const Numberings numberings(size);
    std::uint64_t count = 0;
    for (std::uint64_t edges = 0; edges < std::uint64_t{1} << (size * (size - 1) / 2); ++edges)
      count += numberings.is_first(edges, 0) ? 1 : 0;
    EXPECT_EQ(count, known[size - 1]) << size;
  }
}

TEST(V4, HasTheFewestThereAreOnRandomGraphs) {
  std::mt19937_64 random(5);
  const int graphs = std::getenv("HOLDFAST_EXACT") == nullptr ? 500 : 10'000;
  for (int n = 0; n < graphs; ++n) {
    const Graph graph = random_graph(random, 2 + random() % 8, 0.15 * static_cast<double>(n % 3), 0.1);
    const Costs costs{Micros(100 * (n % 40)), Micros(300)};
    ASSERT_NO_FATAL_FAILURE(expect_optimal(graph, costs, "graph " + std::to_string(n)));
  }
}

// Two branches behind a block of its own: V3 gives each an activity; both as one are as fast where an
// activity costs more than its blocks take... but not if they take long.
TEST(V4, PutsBranchesTogetherOnlyWhereThatIsNotSlower) {
  Graph graph{own(block("start"), "start block"), block("short", {0}), block("long", {0})};
  graph[2].takes = Micros(9000);
  graph.push_back(block("end", {1, 2}));
  const Costs costs;
  EXPECT_EQ(plan_v3(graph).activities.size(), 4u);
  EXPECT_EQ(plan_v4(graph, costs).activities.size(), 2u);  // one activity less is faster than two at once
  graph.pop_back();
  EXPECT_EQ(plan_v4(graph, costs).activities.size(), 3u);  // as one they would take longer than the long one
}

}  // namespace
}  // namespace holdfast::flows
