#pragma once

// VisibilityFeeder: carries committed changes into the visibility index, in commit order, on a thread of its
// own, and tells VisibilityLists how far they have got. The engine owns it.
//
// Rows of the feed stay in the store until the index has them on disk; after a crash the rest is read from
// there. So it is when the index could not be written (a full disk): lists fail meanwhile, and nothing is
// missing afterwards.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/core.h"
#include "engine/visibility_lists.h"
#include "holdfast/seams.h"
#include "holdfast/status.h"
#include "store/kv_store.h"
#include "visibility/index.h"

namespace holdfast::engine {

class VisibilityFeeder {
 public:
  // `on_durable(sequence)`: rows up to here may go. Called on the feeder's thread.
  VisibilityFeeder(visibility::Index& index, store::KvStore& store, const Clock& clock,
                   VisibilityLists::Limits limits, std::function<void(std::uint64_t)> on_durable);
  ~VisibilityFeeder();
  VisibilityFeeder(const VisibilityFeeder&) = delete;
  VisibilityFeeder& operator=(const VisibilityFeeder&) = delete;

  // Before anything else: applies what the store's feed holds beyond the index; an index that the feed does
  // not continue is rebuilt from the executions. Returns what the index has on disk.
  Result<std::uint64_t> open();

  // Rows of a committed batch; `end`: the sequence behind the last row there is so far.
  void add(std::vector<Output::FeedRow> rows, std::uint64_t end);
  void answer(Output::VisibilityCall call, std::uint64_t end);

 private:
  void loop();
  // Takes rows off the queue; none while the index lags behind what the queue begins with.
  std::vector<visibility::Entry> take_rows();
  Status write(const std::vector<visibility::Entry>& entries, bool again);
  // The sequences of the feed's rows in the store, without gaps between; 0: there are none.
  struct Rows {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
  };
  Result<Rows> feed_rows() const;
  bool continues(const Rows& rows) const;
  Status rebuild(std::uint64_t last);
  Status catch_up();

  visibility::Index& index_;
  store::KvStore& store_;
  std::function<void(std::uint64_t)> on_durable_;
  VisibilityLists lists_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Output::FeedRow> rows_;  // guarded by mutex_
  bool asked_ = false;                // guarded by mutex_: a list came; what is there is written at once
  bool stopping_ = false;             // guarded by mutex_
  std::thread thread_;
};

}  // namespace holdfast::engine
