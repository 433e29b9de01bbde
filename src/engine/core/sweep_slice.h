#pragma once

// SweepSlice: closed runs whose time is over, as many as one batch takes, with the rows of their histories.
// ExpiredRuns finds it in the store, the core deletes it (deletions.h). Plain data, moved between the two.

#include <cstdint>
#include <string>
#include <vector>

#include "engine/run_key.h"
#include "store/keys.h"

namespace holdfast::engine {

struct SweepSlice {
  struct Expired {
    RunKey key;
    std::int64_t moment_ns = 0;      // of its row in the table of expiries
    std::vector<std::string> pages;  // keys of its history, from the beginning
    bool all_pages = true;
    std::vector<store::keys::LargeId> large;  // the large payloads that it has, once these are all pages
  };
  struct Closed {
    RunKey key;
    std::int64_t close_ns = 0;
  };

  std::vector<Expired> expired;
  // Runs that closed before the table of expiries was kept.
  std::vector<Closed> unindexed;
  // With this slice, the table knows every closed run of the namespace; empty: of none.
  std::string indexed_namespace;

  bool empty() const { return expired.empty() && unindexed.empty() && indexed_namespace.empty(); }
};

}  // namespace holdfast::engine
