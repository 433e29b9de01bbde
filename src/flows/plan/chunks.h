#pragma once

// How the items of a map, or the rounds of a loop, are put into activities: one each, or several. Pure.

#include <cstddef>

#include "plan/costs.h"

namespace holdfast::flows {

inline constexpr std::size_t kMaxChunkItems = 1000;
// What a crash may make an activity compute again, and what a cancellation waits for at most.
inline constexpr Micros kLongestChunk = std::chrono::seconds(10);

struct Chunks {
  std::size_t each = 1;   // items of one activity; the last has what is left
  std::size_t count = 0;  // activities
  Micros total{0};        // predicted
};

// The size with which all items are done first, `parallel` activities at a time, each of which takes
// Costs::activity and `takes` for each of its items; of several such the one with the fewest activities.
Chunks chunks_of(std::size_t items, std::size_t parallel, Micros takes, const Costs& costs);
// Of rounds, which are one behind the other.
std::size_t rounds_each(Micros takes);

// What one round of a body is expected to take: its blocks run one behind the other in one activity.
Micros body_takes(const Graph& body);

}  // namespace holdfast::flows
