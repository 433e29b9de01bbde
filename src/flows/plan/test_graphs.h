#pragma once

// Graphs for the tests of planners, and for their benchmark (bench/flows). The product has none of it.

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>

#include "plan/plan.h"

namespace holdfast::flows {

inline Block block(std::string id, std::vector<std::size_t> parents = {}) {
  Block out;
  out.id = std::move(id);
  out.parents = std::move(parents);
  out.takes = Micros(100);
  return out;
}
inline Block own(Block out, std::string why = "custom retry policy") {
  out.dedicated = true;
  out.why_dedicated = std::move(why);
  return out;
}
inline Block person(Block out) {
  out = own(std::move(out), "a person decides");
  out.in_workflow = out.human = true;
  out.takes = Micros(0);
  return out;
}

// A start and what hangs on it; each block has one to three parents among the eight before it.
inline Graph random_graph(std::mt19937_64& random, std::size_t size, double dedicated, double human = 0) {
  std::uniform_real_distribution<double> chance(0, 1);
  Graph out{own(block("b0"), "start block")};
  while (out.size() < size) {
    Block next = block("b" + std::to_string(out.size()));
    for (int n = 1 + static_cast<int>(random() % 3); n > 0; --n) {
      const std::size_t back = 1 + random() % std::min<std::size_t>(8, out.size());
      next.parents.push_back(out.size() - back);
    }
    std::ranges::sort(next.parents);
    const auto rest = std::ranges::unique(next.parents);
    next.parents.erase(rest.begin(), rest.end());
    next.takes = Micros(50 * (random() % 100));
    if (chance(random) < human) {
      next = person(std::move(next));
    } else if (chance(random) < dedicated) {
      next = own(std::move(next));
    }
    out.push_back(std::move(next));
  }
  return out;
}

}  // namespace holdfast::flows
