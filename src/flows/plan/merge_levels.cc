#include <algorithm>

#include "plan/quotient.h"

namespace holdfast::flows {

namespace {

// Groups that stand equally deep do not wait for each other. From the top down: what is above a level is as
// it will stay, what is below can only be merged within the limit later.
class Levels {
 public:
  Levels(const Merging& merging, Groups groups)
      : merging_(merging),
        groups_(std::move(groups)),
        q_(quotient_of(merging.graph, groups_, merging.costs)) {
    into_.resize(groups_.size());
    std::vector<std::size_t> depth(groups_.size());
    for (std::size_t i : q_.order) {
      into_[i] = i;
      for (std::size_t parent : q_.parents[i]) depth[i] = std::max(depth[i], depth[parent] + 1);
      if (levels_.size() <= depth[i]) levels_.resize(depth[i] + 1);
      levels_[depth[i]].push_back(i);
    }
  }

  Groups run() {
    for (const std::vector<std::size_t>& level : levels_) {
      std::vector<std::size_t> open;
      for (std::size_t group : level) {
        q_.start[group] = Micros(0);
        for (std::size_t parent : q_.parents[group])
          q_.start[group] = std::max(q_.start[group], q_.end(into_[parent]));
        const auto room = std::ranges::find_if(open, [&](std::size_t one) { return fits(one, group); });
        if (room == open.end()) {
          open.push_back(group);
        } else {
          merge(*room, group);
        }
      }
    }
    std::erase_if(groups_, [](const std::vector<std::size_t>& group) { return group.empty(); });
    return std::move(groups_);
  }

 private:
  bool fits(std::size_t a, std::size_t b) const {
    if (!may_share(merging_, groups_[a], groups_[b])) return false;
    return std::max(q_.start[a], q_.start[b]) + q_.own[a] + q_.own[b] - merging_.costs.activity +
               std::max(q_.tail[a], q_.tail[b]) <=
           merging_.limit;
  }

  void merge(std::size_t a, std::size_t b) {
    groups_[a].insert(groups_[a].end(), groups_[b].begin(), groups_[b].end());
    std::ranges::sort(groups_[a], {}, [&](std::size_t block) { return merging_.rank[block]; });
    groups_[b].clear();
    into_[b] = a;
    q_.start[a] = std::max(q_.start[a], q_.start[b]);
    q_.own[a] += q_.own[b] - merging_.costs.activity;
    q_.tail[a] = std::max(q_.tail[a], q_.tail[b]);
  }

  const Merging& merging_;
  Groups groups_;
  Quotient q_;
  std::vector<std::size_t> into_;  // the group that a group is part of
  std::vector<std::vector<std::size_t>> levels_;
};

}  // namespace

Groups merge_levels(const Merging& merging, Groups groups) {
  return Levels(merging, std::move(groups)).run();
}

}  // namespace holdfast::flows
