#pragma once

// GroupCommit: transactions that concurrent callers share: while one batch is being made durable, the next
// gathers. The thread that finds no leader leads; there is no thread of its own. What a batch is to a
// database is the business of whoever makes the object; it sets the status of every piece. Thread-safe.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "holdfast/status.h"

namespace holdfast::platform {

template <typename Database>
class GroupCommit {
 public:
  using Work = std::function<Status(Database&)>;
  struct Piece {
    const Work* work = nullptr;
    Status status;
    bool done = false;
  };
  using Batch = std::vector<Piece*>;
  static constexpr std::size_t kMaxBatch = 256;

  explicit GroupCommit(std::function<void(Batch&)> commit) : commit_(std::move(commit)) {}

  // Returns when `work` is durable, or has failed and changed nothing.
  Status run(const Work& work) {
    Piece self;
    self.work = &work;
    std::unique_lock lock(mutex_);
    waiting_.push_back(&self);
    changed_.wait(lock, [&] { return self.done || !leading_; });
    if (self.done) return self.status;

    leading_ = true;
    while (!self.done) {
      Batch batch;
      while (!waiting_.empty() && batch.size() < kMaxBatch) {
        batch.push_back(waiting_.front());
        waiting_.pop_front();
      }
      lock.unlock();
      commit_(batch);
      lock.lock();
      for (Piece* piece : batch) piece->done = true;
      changed_.notify_all();
    }
    leading_ = false;
    changed_.notify_all();
    return self.status;
  }

  // Calls `meanwhile` while nothing is written.
  void hold(const std::function<void()>& meanwhile) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return !leading_; });
      leading_ = true;
    }
    meanwhile();
    std::lock_guard lock(mutex_);
    leading_ = false;
    changed_.notify_all();
  }

  // Everybody who waits for a batch that is still to come gets `status`, and nothing of theirs is tried. For
  // the leader, inside a batch.
  void refuse_waiting(const Status& status) {
    std::lock_guard lock(mutex_);
    for (Piece* piece : waiting_) {
      piece->status = status;
      piece->done = true;
    }
    waiting_.clear();
    changed_.notify_all();
  }

 private:
  const std::function<void(Batch&)> commit_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Piece*> waiting_;  // guarded by mutex_
  bool leading_ = false;        // guarded by mutex_
};

}  // namespace holdfast::platform
