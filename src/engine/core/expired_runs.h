#pragma once

// ExpiredRuns: finds what is to be deleted, in rounds over the store, a slice at a time: closed runs whose
// namespace's retention is over since their close, runs whose deletion was asked for, and what is left of
// runs whose deletion was cut short. The table of expiries orders runs by namespace and close, so a look
// costs what is due, however many runs there are, and a retention that changes counts at once for all of
// them.
//
// Whoever drives it (sweeper.h, the simulator) commits a slice before it asks for the next. One thread, which
// need not be the core's: everything it reads is in the store. Failures are the store's.

#include <cstdint>
#include <map>
#include <string>

#include "engine/sweep_slice.h"
#include "engine/unindexed_runs.h"
#include "holdfast/status.h"
#include "store/kv_store.h"

namespace holdfast::engine {

struct EngineLimits;

class ExpiredRuns {
 public:
  ExpiredRuns(const store::KvStore& store, const EngineLimits& limits)
      : store_(store), limits_(limits), unindexed_(store) {}

  // The next slice of the round. Empty: the round is over, and the next call begins another.
  Result<SweepSlice> next(std::int64_t now_ns);

 private:
  Status begin_round(std::int64_t now_ns);
  Status look_through(std::uint16_t shard, SweepSlice* slice);
  Status add(const std::string& row_key, SweepSlice::Expired expired, SweepSlice* slice);
  bool full(const SweepSlice& slice) const;

  const store::KvStore& store_;
  const EngineLimits& limits_;
  UnindexedRuns unindexed_;
  std::map<std::string, std::int64_t> closed_until_;  // by namespace: what closed up to this moment goes
  bool in_round_ = false;
  std::uint16_t shard_ = 0;
  std::string at_;  // where in the shard's table the round goes on
  std::size_t pages_ = 0;
  std::string stuck_at_;  // the first page of a run that did not fit into its slice
};

}  // namespace holdfast::engine
