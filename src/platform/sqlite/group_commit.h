#pragma once

// GroupCommit: transactions that concurrent callers share: while one batch is syncing, the next gathers. The
// thread that finds no leader leads; there is no thread of its own. Each piece is atomic by itself: a failing
// one is undone and leaves its neighbours alone. Thread-safe. Private to this room.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "holdfast/status.h"
#include "sqlite/database.h"

namespace holdfast::platform {

// Gets a message and does not return.
using Fatal = std::function<void(const std::string&)>;

// Commits; a failed sync goes to `fatal` and does not come back.
Status commit_or_stop(sqlite::Database& db, const Fatal& fatal);

class GroupCommit {
 public:
  using Work = std::function<Status(sqlite::Database&)>;
  static constexpr std::size_t kMaxBatch = 256;

  GroupCommit(sqlite::Database& db, Fatal fatal) : db_(db), fatal_(std::move(fatal)) {}

  // Returns when `work` is durable, or has failed and changed nothing.
  Status run(const Work& work);
  // Calls `meanwhile` while nothing is written.
  void hold(const std::function<void()>& meanwhile);

 private:
  struct Waiter {
    const Work* work = nullptr;
    Status status;
    bool done = false;
  };
  void commit(std::vector<Waiter*>& batch);

  sqlite::Database& db_;
  Fatal fatal_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiter*> waiting_;  // guarded by mutex_
  bool leading_ = false;         // guarded by mutex_
};

}  // namespace holdfast::platform
