// The fewest groups, by trying: blocks in topological order, each into a group that is there or a new one. A
// beginning is given up when it has a cycle or is too long: what comes later makes neither better.

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <set>

#include "plan/quotient.h"

namespace holdfast::flows {

namespace {

using Mask = std::uint64_t;

constexpr Mask bit(std::size_t n) {
  return Mask{1} << n;
}

// Groups so far, as numbers below kMaskBlocks.
struct Beginning {
  std::size_t count = 0;
  std::size_t shared = 0;                           // of them, with blocks that share
  std::array<Mask, kMaskBlocks> parents{};          // of each group
  std::array<Mask, kMaskBlocks> ancestors{};        // of each group
  std::array<Micros, kMaskBlocks> own{};            // what each takes
  std::array<std::size_t, kMaskBlocks> group_of{};  // by rank of the block
};

class Search {
 public:
  Search(const Merging& merging, std::size_t most_shared) : merging_(merging), most_shared_(most_shared) {
    blocks_.resize(merging.graph.size());
    for (std::size_t i = 0; i < blocks_.size(); ++i) blocks_[merging.rank[i]] = i;
    shortest_ = merging.limit + Micros(1);
  }

  std::optional<Groups> run() {
    place(0, Beginning());
    if (!best_) return std::nullopt;
    Groups out(best_->count);
    for (std::size_t rank = 0; rank < blocks_.size(); ++rank)
      out[best_->group_of[rank]].push_back(blocks_[rank]);
    return out;
  }

 private:
  void place(std::size_t rank, const Beginning& so_far) {
    if (length(so_far) >= shortest_) return;
    if (rank == blocks_.size()) {
      best_ = so_far;
      shortest_ = length(so_far);
      return;
    }
    const Block& block = merging_.graph[blocks_[rank]];
    if (!block.dedicated) {
      for (std::size_t group = 0; group < so_far.count; ++group) {
        if (!takes_in(so_far, group, rank)) continue;
        Beginning next = so_far;
        next.own[group] += block.takes;
        if (put(next, group, rank)) place(rank + 1, next);
      }
      if (so_far.shared == most_shared_) return;
    }
    Beginning next = so_far;
    const std::size_t group = next.count++;
    next.shared += block.dedicated ? 0 : 1;
    next.own[group] = (block.in_workflow ? merging_.costs.step : merging_.costs.activity) + block.takes;
    if (put(next, group, rank)) place(rank + 1, next);
  }

  bool takes_in(const Beginning& so_far, std::size_t group, std::size_t rank) const {
    for (std::size_t other = 0; other < rank; ++other) {
      if (so_far.group_of[other] == group) return may_share(merging_, {blocks_[other]}, {blocks_[rank]});
    }
    return false;
  }

  // False: a cycle.
  bool put(Beginning& next, std::size_t group, std::size_t rank) const {
    next.group_of[rank] = group;
    for (std::size_t parent : merging_.graph[blocks_[rank]].parents) {
      const std::size_t before = next.group_of[merging_.rank[parent]];
      if (before == group) continue;
      next.parents[group] |= bit(before);
      next.ancestors[group] |= bit(before) | next.ancestors[before];
    }
    if ((next.ancestors[group] & bit(group)) != 0) return false;
    for (std::size_t other = 0; other < next.count; ++other) {
      if ((next.ancestors[other] & bit(group)) != 0) next.ancestors[other] |= next.ancestors[group];
    }
    return true;
  }

  // Whoever has fewer ancestors comes first: of two of which one is before the other, that one has.
  Micros length(const Beginning& so_far) const {
    std::array<std::size_t, kMaskBlocks> order{};
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(so_far.count);
    for (std::size_t i = 0; i < so_far.count; ++i) order[i] = i;
    std::sort(order.begin(), end, [&](std::size_t a, std::size_t b) {
      return std::popcount(so_far.ancestors[a]) < std::popcount(so_far.ancestors[b]);
    });
    std::array<Micros, kMaskBlocks> ends{};
    Micros out{0};
    for (auto at = order.begin(); at != end; ++at) {
      Micros start{0};
      for (Mask rest = so_far.parents[*at]; rest != 0; rest &= rest - 1)
        start = std::max(start, ends[static_cast<std::size_t>(std::countr_zero(rest))]);
      ends[*at] = start + so_far.own[*at];
      out = std::max(out, ends[*at]);
    }
    return out;
  }

  const Merging& merging_;
  const std::size_t most_shared_;
  std::vector<std::size_t> blocks_;  // by rank
  std::optional<Beginning> best_;
  Micros shortest_;
};

}  // namespace

Groups merge_exact(const Merging& merging, const Groups& groups) {
  const auto shares = [&](const auto& group) { return !merging.graph[group.front()].dedicated; };
  const auto now = static_cast<std::size_t>(std::ranges::count_if(groups, shares));
  std::set<std::size_t> classes;
  for (const auto& group : groups) {
    if (shares(group)) classes.insert(merging.people[group.front()]);
  }
  for (std::size_t most = classes.size(); most < now; ++most) {
    if (std::optional<Groups> found = Search(merging, most).run()) return *std::move(found);
  }
  return groups;
}

}  // namespace holdfast::flows
