#pragma once

// What lists of runs say beside the rows: how many began when, conversations, budgets. Values.

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "platform/run_index.h"

namespace holdfast::runs {

inline constexpr std::uint32_t kMaxBins = 200;

struct HistogramQuery {
  std::string agent;          // empty: every agent
  platform::TimeRange range;  // an end that is left out: that of all runs
  std::uint32_t bins = 60;    // at most, as long as the widest bin is wide enough; up to kMaxBins
};

// Of runs by when their starts were accepted, in bins of one width that begin at whole widths of UTC.
struct RunHistogram {
  struct Bin {
    WallTime from{};
    std::int64_t total = 0;
    std::map<std::string, std::int64_t> counts;  // by status; see platform::RunCount
  };
  WallTime from{};  // of what was counted
  WallTime to{};    // exclusive
  std::chrono::seconds width{};
  std::int64_t total = 0;
  std::vector<Bin> bins;  // oldest first, without those that are empty
};

}  // namespace holdfast::runs
