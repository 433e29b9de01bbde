#include "plan/chunks.h"

#include <algorithm>

namespace holdfast::flows {

namespace {

// Chunks of one size begin and end together; only the last may be shorter, and counts where it is alone.
Micros total_of(std::size_t items, std::size_t each, std::size_t parallel, Micros takes, const Costs& costs) {
  const std::size_t count = (items + each - 1) / each;
  const std::size_t waves = (count + parallel - 1) / parallel;
  const bool last_is_alone = count - (waves - 1) * parallel == 1;
  const std::size_t last = last_is_alone ? items - (count - 1) * each : each;
  const auto chunk = [&](std::size_t size) { return costs.activity + takes * static_cast<long>(size); };
  return chunk(each) * static_cast<long>(waves - 1) + chunk(last);
}

}  // namespace

std::size_t rounds_each(Micros takes) {
  if (takes.count() <= 0) return kMaxChunkItems;
  return std::clamp<std::size_t>(static_cast<std::size_t>(kLongestChunk / takes), 1, kMaxChunkItems);
}

Chunks chunks_of(std::size_t items, std::size_t parallel, Micros takes, const Costs& costs) {
  Chunks out;
  if (items == 0) return out;
  const std::size_t most = std::min(rounds_each(takes), items);
  for (std::size_t each = 1; each <= most; ++each) {
    const Micros total = total_of(items, each, std::max<std::size_t>(parallel, 1), takes, costs);
    if (out.count != 0 && total > out.total) continue;
    out.each = each;
    out.count = (items + each - 1) / each;
    out.total = total;
  }
  return out;
}

Micros body_takes(const Graph& body) {
  Micros out{0};
  for (const Block& block : body) out += block.takes;
  return out;
}

}  // namespace holdfast::flows
