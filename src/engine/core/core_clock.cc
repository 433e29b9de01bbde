#include "engine/core_clock.h"

#include <algorithm>

namespace holdfast::engine {

using history::Ns;

void CoreClock::advance() {
  now_ = std::max<Ns>(now_, clock_.now().time_since_epoch().count());
}

Ns CoreClock::deadline_of(const api::CallOptions& options, Ns fallback) const {
  Ns left = fallback;
  if (options.deadline) {
    left =
        std::chrono::duration_cast<std::chrono::nanoseconds>(*options.deadline - clock_.monotonic()).count();
    // The answer has to be there before the caller gives up.
    left -= std::min<Ns>(history::kSecond, left / 10);
    left = std::min(left, std::max(fallback, Ns{1}));
  }
  return now_ + std::max<Ns>(left, 1);
}

}  // namespace holdfast::engine
