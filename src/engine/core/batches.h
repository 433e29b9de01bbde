#pragma once

// Batches: what changed since the last batch, as rows of the next one (docs/formats/store.md): pages of
// history, states, the wake index, and the feed of the visibility index, whose sequence numbers are given
// here. The core owns it; its thread only.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/core.h"
#include "engine/large_rows.h"
#include "engine/rows.h"
#include "engine/run.h"
#include "engine/run_cache.h"

namespace holdfast::engine {

class Batches {
 public:
  // `feed`: there is an index to feed.
  Batches(bool feed, Rows& rows, RunCache& cache, LargeRows& large)
      : feed_(feed), rows_(rows), cache_(cache), large_(large) {}

  // Once, when the store is opened: the last row of the feed, and the last that needs no erasing.
  void open_feed(std::uint64_t last, std::uint64_t erased) {
    next_feed_ = last + 1;
    feed_erased_ = erased;
  }
  // One row of the feed goes with the next batch.
  void erase_feed(std::uint64_t sequence);

  // The run is gone: the next batch tells the index.
  void feed_deletion(const RunKey& key);
  // Pages of histories that nobody reads any more, by their keys.
  void erase_pages(std::vector<std::string> keys);

  bool empty() const { return !rows_.changed() && !cache_.touched() && deleted_.empty() && pages_.empty(); }
  // The next batch, and the number it is committed by.
  void take(Output& output);
  // The index has durably applied the feed up to here: the rows go with later batches, but for the newest.
  void visibility_applied(std::uint64_t sequence) { feed_applied_ = std::max(feed_applied_, sequence); }
  bool has_applied() const { return feed_erased_ < feed_applied_ && feed_erased_ + 2 < next_feed_; }
  // A part of them; what it cost, in units of which it may take `most`.
  int erase_applied(int most);

 private:
  void add_run(Run& run, RowChanges& changes, Output& output);
  void add_state(Run& run, RowChanges& changes);
  void add_pages(Run& run, RowChanges& changes, std::uint64_t sequence);
  void add_page(Run& run, std::shared_ptr<const History> events, RowChanges& changes, std::uint64_t sequence);
  void add_wake(const Run& run, RowChanges& changes);
  void add_expiry(const Run& run, RowChanges& changes);
  void add_feed(Run& run, RowChanges& changes, Output& output);
  void add_deletion(const RunKey& key, RowChanges& changes, Output& output);

  bool feed_;
  Rows& rows_;
  RunCache& cache_;
  LargeRows& large_;
  std::uint64_t next_sequence_ = 1;
  std::uint64_t next_feed_ = 1;
  std::uint64_t feed_erased_ = 0;
  std::uint64_t feed_applied_ = 0;
  std::vector<RunKey> deleted_;
  std::vector<std::string> pages_;
};

}  // namespace holdfast::engine
