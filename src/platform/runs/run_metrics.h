#pragma once

// RunMetrics: runs by agent, how they ended and why (docs/guide/metrics.md), from what is written down of
// them: an end is counted by the process that recorded it, once. Thread-safe.

#include "metrics/registry.h"
#include "platform/store.h"
#include "platform/streams.h"

namespace holdfast::runs {

class RunMetrics {
 public:
  // Both outlive it.
  RunMetrics(metrics::Registry& registry, platform::Store& store);

  // An event that is new in a log.
  void seen(const platform::Event& event);

 private:
  platform::Store& store_;
  metrics::Family& started_;
  metrics::Family& ended_;
  metrics::Family& time_;
};

// What waits for somebody at this moment, as far as platform::kMaxPage of each.
void read_waiting(metrics::Reading& out, platform::Store& store);

}  // namespace holdfast::runs
